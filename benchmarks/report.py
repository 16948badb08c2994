"""What benchmarks share: targets with their verdicts, tables in Markdown, and the page they are written to."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import platform
import re
import resource
from collections.abc import Iterable
from importlib import metadata

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

How fast the collection is, next to what people would use instead. Each section is written by the command it names, which
fails where a target is missed; everything in a section was measured in one run on one machine, so compare within it.
"""


@dataclasses.dataclass(frozen=True)
class Target:
    """One promise. what: of what; promise: as design has it; measured: what this run found; kept: whether that is good enough."""

    what: str
    promise: str
    measured: str
    kept: bool

    @property
    def verdict(self) -> str:
        return "kept" if self.kept else "missed"


def targets_table(targets: Iterable[Target]) -> str:
    rows = [(target.what, target.promise, target.measured, target.verdict) for target in targets]
    return table(("what", "target", "measured", "verdict"), rows)


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(*distributions: str) -> str:
    """Return what to say of this machine and the versions of these Python distributions."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in distributions)
    return f"{os.cpu_count()} processors with a load of {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {versions}"


def cpu_of_children() -> float:
    """Return the CPU seconds of all programs that this one has run and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def write_section(title: str, text: str) -> None:
    """Put a section into the page, in the place of the one with the same title, else at the end."""
    page = PAGE.read_text() if PAGE.exists() else INTRODUCTION
    section = f"## {title}\n\n{text.strip()}\n"
    former = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    if not former.search(page):
        page = f"{page.rstrip()}\n\n{section}"
    page = former.sub(lambda _: f"{section}\n", page)
    PAGE.write_text(page.rstrip() + "\n")
