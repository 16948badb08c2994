# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What registries say about snapshots, for those who are about to delete some: all of it, or an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from .._core.errors import ExplainedError, ManyProblems
from .._core.registry.entries import RegisteredSnapshot
from .._core.registry.index import disagreements
from .open import open_registry
from .store import Access

# Somebody may be writing: what is wrong then is right a moment later.
PAUSE = 0.5
# A registry that cannot say whether it has changed is read again when what was read is older than this many seconds.
LONGEST_TRUST = 10


def read_registered(paths: Iterable[str], access: Access | None = None) -> list[tuple[str, RegisteredSnapshot]]:
    """Return every snapshot that the registries name, each with the path of its registry; retired ones too.

    Raises ExplainedError when there is no registry at a path, a part of it cannot be read, or index and entry files say different
    things: what it names would be unprotected.
    """
    return Registries(paths, access).read()


class Registries:
    """What some registries name, now and again later. Safe to use from several threads.

    unlisted: the places whose entry files cannot be listed, as far as they have been read: what their index forgets, nobody sees.
    """

    def __init__(
        self,
        paths: Iterable[str],
        access: Access | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._paths, self._access, self._clock, self._sleep = list(paths), access, clock, sleep
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[str | None, float, list[RegisteredSnapshot]]] = {}
        self.unlisted: set[str] = set()

    def read(self) -> list[tuple[str, RegisteredSnapshot]]:
        """Return every snapshot with the path of its registry, as it is at this moment; what has not changed is not read again."""
        with self._lock:
            for path in self._paths:
                if not self._is_current(path):
                    self._seen[path] = self._look(path)
            return [(path, snapshot) for path in self._paths for snapshot in self._seen[path][2]]

    def _is_current(self, path: str) -> bool:
        if path not in self._seen:
            return False
        version, moment, _snapshots = self._seen[path]
        if version is None:
            return self._clock() - moment < LONGEST_TRUST
        return open_registry(path, self._access).version() == version

    def _look(self, path: str) -> tuple[str | None, float, list[RegisteredSnapshot]]:
        try:
            return self._look_once(path)
        except ManyProblems:
            self._sleep(PAUSE)
            return self._look_once(path)

    def _look_once(self, path: str) -> tuple[str | None, float, list[RegisteredSnapshot]]:
        registry, moment = open_registry(path, self._access), self._clock()
        # First of all: what changes while the rest is read makes it another version.
        version = registry.version()
        files, index = registry.list_names(), registry.read_index()
        if files is None:
            self.unlisted.add(path)
        names = sorted({*index.names, *(files or ())})
        if not names and not registry.notes:
            raise ExplainedError(
                f"The registry at {path} is empty.", resource=path, next_step="Check the path; leave it out if nothing is registered yet."
            )
        entries = list(registry.read_entries(names))
        problems = [*registry.notes, *disagreements(index, entries)]
        if problems:
            raise ManyProblems(
                f"The registry at {path} cannot be read completely, or says two things, so nobody knows what must stay:",
                problems,
                resource=path,
                next_step="Mend these files first; the playbook registry_repair makes the index anew from the entry files.",
            )
        return version, moment, [snapshot for entry in entries for snapshot in entry.snapshots]
