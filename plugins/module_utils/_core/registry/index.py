# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The index of a registry: what a search needs to know before it opens an entry. It is made from the entries."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable

from ..ebs.snapshot import bare
from .entries import Entry, RegisteredSnapshot


@dataclasses.dataclass(frozen=True, slots=True)
class IndexLine:
    """One fingerprint of one entry, with what a search needs to know before it opens the entry.

    packages, tags: None where the index does not say, as petal's own does not.
    """

    name: str
    fingerprint: str | None = None
    os: str | None = None
    architecture: str | None = None
    target: str | None = None
    regions: tuple[str, ...] = ()
    description: str | None = None
    packages: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None

    def may_contain(self, term: str) -> bool:
        """Say whether the entry may contain a text: it does, or the index does not say enough to rule it out."""
        return self.packages is None or self.tags is None or has_term(self, term)


@dataclasses.dataclass(frozen=True)
class Index:
    """Every entry of a registry, found by fingerprint or name without a search."""

    lines: tuple[IndexLine, ...] = ()

    def __post_init__(self) -> None:
        found = defaultdict(list)
        for line in self.lines:
            if line.fingerprint:
                found[bare(line.fingerprint)].append(line)
        # The dataclass is frozen; the table is worked out from its lines and is no value of its own.
        object.__setattr__(self, "_by_fingerprint", dict(found))

    @functools.cached_property
    def names(self) -> list[str]:
        return sorted({line.name for line in self.lines})

    def find(self, fingerprint: str) -> list[IndexLine]:
        """Return the lines with that fingerprint; usually one or none."""
        return self._by_fingerprint.get(bare(fingerprint), [])

    def names_that_may_contain(self, term: str | None) -> list[str]:
        """Return the names of the entries that a search for a text has to open."""
        return self.names if term is None else sorted({line.name for line in self.lines if line.may_contain(term)})

    def lines_of(self, name: str) -> tuple[IndexLine, ...]:
        return tuple(line for line in self.lines if line.name == name)

    def with_entry(self, entry: Entry) -> Index:
        """Return the index with an entry's lines renewed; an entry without snapshots has none."""
        return self.with_entries([entry])

    def with_entries(self, entries: Iterable[Entry]) -> Index:
        """Return the index with the lines of some entries renewed."""
        entries = list(entries)
        renewed = {entry.name for entry in entries}
        others = [line for line in self.lines if line.name not in renewed]
        lines = [*others, *(line for entry in entries for line in index_lines(entry))]
        return Index(tuple(sorted(lines, key=lambda line: (line.name, line.fingerprint or ""))))


def index_lines(entry: Entry) -> tuple[IndexLine, ...]:
    """Return an entry's lines in the index, one for each fingerprint."""
    by_fingerprint: dict[str | None, list[RegisteredSnapshot]] = defaultdict(list)
    for snapshot in entry.snapshots:
        by_fingerprint[snapshot.fingerprint].append(snapshot)
    return tuple(
        IndexLine(
            entry.name,
            fingerprint,
            first.os,
            first.architecture,
            first.target,
            tuple(sorted({one.region for one in alike})),
            entry.description,
            entry.packages,
            entry.tags,
        )
        for fingerprint, alike in sorted(by_fingerprint.items(), key=lambda item: item[0] or "")
        for first in alike[:1]
    )


def disagreements(index: Index, entries: Iterable[Entry]) -> list[str]:
    """Return a sentence about each entry of which the index says something else than its file; the index is made from the files.

    entries: of all files. An index of petal's own says too little to compare more than the names.
    """
    said: dict[str, list[IndexLine]] = defaultdict(list)
    for line in index.lines:
        said[line.name].append(line)
    problems = []
    for entry in entries:
        lines, due = said[entry.name], index_lines(entry)
        if due and not lines:
            problems.append(f"The index does not name {entry.name}, but {entry.name}.json lies there.")
        elif lines and not due:
            problems.append(f"The index names {entry.name}, but {entry.name}.json has no snapshot.")
        elif all(line.packages is not None for line in lines) and _places(lines) != _places(due):
            problems.append(f"The index names other fingerprints or regions of {entry.name} than {entry.name}.json.")
    return problems


def _places(lines: Iterable[IndexLine]) -> set[tuple[str | None, str]]:
    return {(line.fingerprint, region) for line in lines for region in line.regions}


def has_term(described: Entry | IndexLine, term: str) -> bool:
    """Say whether a text is part of a name, a description, a tag or a package, whatever the case of its letters."""
    text = " ".join([described.name, described.description or "", *(described.tags or ()), *(described.packages or ())])
    return term.lower() in text.lower()
