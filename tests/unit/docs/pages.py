"""Read tables and names out of the pages under docs/."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def tables(text: str) -> list[list[list[str]]]:
    """Return each table as rows of cells, the heading first; backquotes stay."""
    found = re.findall(r"(?:^\|.*\n)+", text + "\n", re.MULTILINE)
    return [[_cells(line) for line in table.splitlines() if not set(line) <= set("|-: ")] for table in found]


def table(text: str, *heading: str) -> list[list[str]]:
    """Return the rows below the heading of the one table whose heading begins with these cells."""
    (rows,) = [rows[1:] for rows in tables(text) if rows[0][: len(heading)] == list(heading)]
    return rows


def quoted(text: str) -> list[str]:
    """Return what stands in backquotes."""
    return [found.replace("\\|", "|") for found in re.findall(r"`([^`\n]+)`", text)]


def broken_links(text: str) -> list[str]:
    """Return the relative links of a page under docs/ that lead nowhere."""
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    return [link for link in links if not (ROOT / "docs" / link).exists()]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
