# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Registries on disk: read what is there, write so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator

try:
    import yaml
except ImportError:  # Needed for files that a person wrote; Ansible itself always has it.
    yaml = None

from .._core.errors import ExplainedError
from .._core.registry import (
    Entry,
    Index,
    check_name,
    entry_document,
    index_document,
    index_lines,
    parse_account,
    parse_entry,
    parse_index,
    to_text,
)

# The registry holds descriptions. What is larger than this is no description but content, or an attack on the reader.
LARGEST_ENTRY = 1024 * 1024
LARGEST_SEED = 256 * 1024
LARGEST_INDEX = 256 * 1024 * 1024
LOCK_PAUSE = 0.05


class DirectoryStore:
    """A registry in a directory: index.json, snapshots/NAME.json, seeds/NAME.yaml.

    path: the directory; its parent exists. notes: sentences about what could not be read, as reading goes on.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = pathlib.Path(path)
        self.notes: list[str] = []

    def read_index(self) -> Index:
        """Return the index; a registry without one is empty. Raises ExplainedError for an unreadable one."""
        for place in (self.path / "index.json", self.path / "snapshots" / "index.json"):
            if place.exists():
                index, notes = parse_index(_read_json(place, LARGEST_INDEX), str(place))
                self.notes += notes
                return index
        return Index()

    def read_entry(self, name: str) -> Entry | None:
        """Return an entry, or None when there is no such file."""
        place = self._entry_file(name)
        if not place.exists():
            return None
        entry, notes = parse_entry(_read_json(place, LARGEST_ENTRY), str(place))
        self.notes += notes
        if entry.name != name:
            raise ExplainedError(
                f"{place} describes {entry.name}, not {name}.", resource=str(place), next_step="Give the file the name that it contains."
            )
        return entry

    def read_entries(self, names: list[str]) -> Iterator[Entry]:
        """Yield the entries of those names; one that is missing or unreadable becomes a note, so that the others still count."""
        for name in names:
            try:
                entry = self.read_entry(name)
            except ExplainedError as error:
                self.notes.append(str(error))
                continue
            if entry is None:
                self.notes.append(f"{self.path}: the index names {name}, but {self._entry_file(name).name} is missing.")
            else:
                yield entry

    def read_seed(self, name: str) -> str | None:
        place = self._seed_file(name)
        return _read(place, LARGEST_SEED) if place.exists() else None

    @contextlib.contextmanager
    def locked(self, time_limit: float) -> Iterator[None]:
        """Keep every other writer out. The registry is created where there is none. Readers need no lock."""
        with _explained_access(self.path):
            for folder in (self.path / "snapshots", self.path / "seeds"):
                folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / ".registry.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _acquire(lock, self.path, time_limit)
            yield
        finally:
            os.close(lock)

    def save(self, entry: Entry, index: Index, seed: str | None) -> None:
        """Write an entry, its seed where one is given, and the index, under the lock.

        The index comes last: whoever reads it finds what it names. An entry without snapshots is removed, after the index has forgotten it.
        """
        renewed = index.with_entry(entry)
        with _explained_access(self.path):
            if not entry.snapshots:
                self._save_index(renewed)
                for place in (self._entry_file(entry.name), self._seed_file(entry.name)):
                    place.unlink(missing_ok=True)
                return
            if seed is not None:
                _write(self._seed_file(entry.name), seed, LARGEST_SEED)
            _write(self._entry_file(entry.name), to_text(entry_document(entry)), LARGEST_ENTRY)
            if index.lines_of(entry.name) != index_lines(entry) or not (self.path / "index.json").exists():
                self._save_index(renewed)

    def files_of(self, name: str) -> dict[str, str]:
        """Return where an entry lies, as paths by what they are."""
        places = {"index": self.path / "index.json", "entry": self._entry_file(name), "seed": self._seed_file(name)}
        return {what: str(place) for what, place in places.items()}

    def _save_index(self, index: Index) -> None:
        _write(self.path / "index.json", to_text(index_document(index)), LARGEST_INDEX)

    def _entry_file(self, name: str) -> pathlib.Path:
        return self.path / "snapshots" / f"{check_name(name)}.json"

    def _seed_file(self, name: str) -> pathlib.Path:
        return self.path / "seeds" / f"{check_name(name)}.yaml"


class AccountFile:
    """One file that describes what an account publishes; read only."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = pathlib.Path(path)
        self.notes: list[str] = []
        self._entries: dict[str, Entry] = {}

    def read_index(self) -> Index:
        entries, notes = parse_account(_read_yaml(self.path), str(self.path))
        self.notes += notes
        self._entries = {entry.name: entry for entry in entries}
        return Index(tuple(line for entry in entries for line in index_lines(entry)))

    def read_entries(self, names: list[str]) -> Iterator[Entry]:
        yield from (self._entries[name] for name in names)


def open_registry(path: str) -> DirectoryStore | AccountFile:
    """Return the registry at a path, to read from; raises ExplainedError when there is nothing."""
    place = pathlib.Path(path).expanduser()
    if place.is_dir():
        return DirectoryStore(place)
    if place.is_file():
        return AccountFile(place)
    raise ExplainedError(
        f"There is no registry at {path}.",
        resource=path,
        next_step="Check the path, or create the registry by registering a snapshot in it.",
    )


def _acquire(lock: int, path: pathlib.Path, time_limit: float, clock: Callable[[], float] = time.monotonic) -> None:
    deadline = clock() + time_limit
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if clock() >= deadline:
                raise ExplainedError(
                    f"Another run has been writing to the registry {path} for {time_limit:g} s.",
                    resource=str(path),
                    next_step="Run the task again when it is done; a run that was killed holds no lock.",
                ) from None
        time.sleep(LOCK_PAUSE)


def _write(place: pathlib.Path, text: str, largest: int) -> None:
    """Replace a file at once: a reader, or a crash, sees the old text or the new one."""
    content = text.encode()
    _check_size(place, len(content), largest)
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, place)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


def _sync_folder(folder: pathlib.Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(place: pathlib.Path, largest: int) -> str:
    with _explained_access(place):
        _check_size(place, place.stat().st_size, largest)
        return place.read_text(encoding="utf-8")


def _read_json(place: pathlib.Path, largest: int) -> object:
    try:
        return json.loads(_read(place, largest))
    except ValueError as error:
        raise ExplainedError(f"{place} is not JSON: {error}.", resource=str(place), next_step="Mend it or restore it from git.") from error


def _read_yaml(place: pathlib.Path) -> object:
    if yaml is None:
        raise ExplainedError(f"{place} cannot be read without PyYAML.", resource=str(place), next_step="Install pyyaml.")
    try:
        return yaml.safe_load(_read(place, LARGEST_ENTRY))
    except yaml.YAMLError as error:
        raise ExplainedError(f"{place} is not YAML: {error}.", resource=str(place), next_step="Mend the file.") from error


def _check_size(place: pathlib.Path, size: int, largest: int) -> None:
    if size > largest:
        raise ExplainedError(
            f"{place} has {size} bytes; the limit is {largest}.",
            resource=str(place),
            next_step="A registry holds descriptions only: keep software and data elsewhere.",
        )


@contextlib.contextmanager
def _explained_access(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExplainedError(
            f"Cannot use {error.filename or path}: {error.strerror}.",
            resource=str(path),
            next_step="Check the path and its permissions on the host where the task runs.",
        ) from error
