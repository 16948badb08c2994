# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A registry in one file that describes what an account publishes; read only."""

from __future__ import annotations

import functools
import os
import pathlib

try:
    import yaml
except ImportError:  # Needed for files that a person wrote; Ansible itself always has it.
    yaml = None


from .._core.errors import ExplainedError
from .._core.registry.entries import Entry
from .._core.registry.files import parse_account
from .._core.registry.index import Index, index_lines
from .files import read_text, stat_of
from .store import LARGEST_ENTRY, Store


class AccountFile(Store):
    """One file that describes what an account publishes; read only."""

    def __init__(self, path: str | os.PathLike[str]):
        super().__init__(str(path))
        self.path = pathlib.Path(path)

    def _read(self, path: str, largest: int) -> str | None:
        return None

    @functools.cached_property
    def _entries(self) -> dict[str, Entry]:
        entries, notes = parse_account(_read_yaml(self.path), str(self.path))
        self.notes += notes
        return {entry.name: entry for entry in entries}

    def list_names(self) -> set[str]:
        return set(self._entries)

    def version(self) -> str:
        return repr(stat_of(self.path))

    def read_index(self) -> Index:
        return Index(tuple(line for entry in self._entries.values() for line in index_lines(entry)))

    def read_entry(self, name: str) -> Entry | None:
        return self._entries.get(name)


def _read_yaml(place: pathlib.Path) -> object:
    if yaml is None:
        raise ExplainedError(f"{place} cannot be read without PyYAML.", resource=str(place), next_step="Install pyyaml.")
    try:
        return yaml.safe_load(read_text(place, LARGEST_ENTRY))
    except yaml.YAMLError as error:
        raise ExplainedError(f"{place} is not YAML: {error}.", resource=str(place), next_step="Mend the file.") from error
