# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A registry in a directory."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

from .files import explained_access, file_lock, read_text, stat_of, write_at_once
from .store import FOLDERS, INDEX_FILES, Store, digest_of, named_by


class DirectoryStore(Store):
    """A registry in a directory whose parent exists."""

    def __init__(self, path: str | os.PathLike[str], place: str | None = None):
        super().__init__(place or str(path))
        self.path = pathlib.Path(path)

    def where(self, path: str) -> str:
        return str(self.path / path)

    def list_names(self) -> set[str]:
        return {name for file, _stat in self._entry_files() if (name := named_by(file))}

    def version(self) -> str:
        index = [(path, stat_of(self.path / path)) for path in INDEX_FILES]
        return digest_of(repr([index, sorted(self._entry_files())]))

    def _entry_files(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return the files of the folder of entries, each with what changes when it is written."""
        folder = self.path / "snapshots"
        with explained_access(folder):
            return [(file.name, stat_of(folder / file.name)) for file in os.scandir(folder)] if folder.exists() else []

    def _read(self, path: str, largest: int) -> str | None:
        place = self.path / path
        return read_text(place, largest) if place.exists() else None

    def _write(self, path: str, text: str, largest: int) -> None:
        with explained_access(self.path):
            write_at_once(self.path / path, text, largest)

    def _delete(self, path: str) -> None:
        with explained_access(self.path):
            (self.path / path).unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self, time_limit: float) -> Iterator[None]:
        with explained_access(self.path):
            for folder in FOLDERS:
                (self.path / folder).mkdir(parents=True, exist_ok=True)
        with file_lock(self.path / ".registry.lock", time_limit, self._too_busy):
            yield
