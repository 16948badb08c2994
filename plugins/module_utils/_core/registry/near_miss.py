# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What comes nearest to a build that nobody has: which packages are added, removed, or there in another version."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable
from typing import Any

from ..facts.operating_system import known_os
from .index import IndexLine

# The name and the version of a spec; what else it asks for is left to the fingerprint.
_SPEC = re.compile(r"\s*(?P<name>[A-Za-z0-9_][\w.-]*)(?:@=?(?P<version>[\w.:,=-]+))?")
_PLATFORM = ("os", "architecture", "target")


@dataclasses.dataclass(frozen=True)
class NearMiss:
    """How an entry differs from what is wanted.

    missing: wanted packages that it lacks. additional: packages of it that are not wanted.
    changed: packages by name, with the version that is wanted and the one that is there.
    platform: os, architecture and target, as far as they differ, with what is wanted and what is there.
    """

    name: str
    source: str
    fingerprint: str | None
    missing: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()
    platform: tuple[tuple[str, str, str], ...] = ()

    @property
    def distance(self) -> tuple[int, int]:
        """How far it is: first what would have to be built, then where it runs."""
        return len(self.missing) + len(self.additional) + len(self.changed), len(self.platform)

    def to_result(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": self.source,
            "fingerprint": self.fingerprint,
            "missing": list(self.missing),
            "additional": list(self.additional),
            "changed": [{"name": name, "wanted": wanted, "there": there} for name, wanted, there in self.changed],
            "platform": [{"field": field, "wanted": wanted, "there": there} for field, wanted, there in self.platform],
        }

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append(f"lacks {', '.join(self.missing)}")
        if self.additional:
            parts.append(f"has {', '.join(self.additional)} in addition")
        parts += [f"has {name}@{there} instead of {wanted}" for name, wanted, there in self.changed]
        parts += [f"is for {there} instead of {wanted}" for _field, wanted, there in self.platform]
        differs = "; ".join(parts) or "has the same packages for the same platform, built with other variants, recipes, compilers or Spack"
        return f"The nearest is {self.name} ({self.source}): it {differs}."


def nearest(lines: Iterable[tuple[str, IndexLine]], packages: Iterable[str], platform: dict[str, str | None]) -> NearMiss | None:
    """Return the line that comes nearest, or None when there is nothing with a package in common.

    lines: with the name of their source; those whose packages are not known do not count. packages: the wanted specs.
    platform: the wanted os, architecture and target; None matches any. Of equally near ones, the first by name.
    """
    wanted = dict(map(_named, packages))
    wanted_platform = {**platform, "os": known_os(platform.get("os"))}
    near = [
        _difference(source, line, wanted, wanted_platform)
        for source, line in lines
        if line.packages and any(_named(package)[0] in wanted for package in line.packages)
    ]
    return min(near, key=lambda miss: (*miss.distance, miss.name, miss.fingerprint or ""), default=None)


def _difference(source: str, line: IndexLine, wanted: dict[str, str], platform: dict[str, str | None]) -> NearMiss:
    there = dict(map(_named, line.packages or ()))
    return NearMiss(
        name=line.name,
        source=source,
        fingerprint=line.fingerprint,
        missing=tuple(_spec(name, wanted[name]) for name in sorted(wanted.keys() - there.keys())),
        additional=tuple(_spec(name, there[name]) for name in sorted(there.keys() - wanted.keys())),
        changed=tuple(
            (name, wanted[name], there[name])
            for name in sorted(wanted.keys() & there.keys())
            if not _same_version(wanted[name], there[name])
        ),
        platform=tuple(
            (field, asked, is_) for field in _PLATFORM if (asked := platform.get(field)) and (is_ := getattr(line, field)) and asked != is_
        ),
    )


@functools.lru_cache(maxsize=65536)
def _named(spec: str) -> tuple[str, str]:
    """Return the name and the version of a spec; the version is empty where any will do."""
    found = _SPEC.match(spec)
    return (found["name"], found["version"] or "") if found else (spec, "")


def _same_version(wanted: str, there: str) -> bool:
    # As Spack has it, 1.17 is met by 1.17 and by every 1.17.x. A range may be met by anything: the fingerprint knows.
    return not wanted or not there or wanted == there or there.startswith(f"{wanted}.") or bool({":", ","} & set(wanted))


def _spec(name: str, version: str) -> str:
    return f"{name}@{version}" if version else name
