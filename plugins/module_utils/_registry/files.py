# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that nobody ever sees half written, and a lock that ends with its process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator

from .._core.errors import ExplainedError
from .store import SHORTEST_PAUSE


@contextlib.contextmanager
def file_lock(path: pathlib.Path, time_limit: float, refusal: Callable[[float], ExplainedError]) -> Iterator[None]:
    """Hold a lock that ends with this process, or raise the refusal when another one holds it for too long."""
    with explained_access(path):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + time_limit
        while not _taken(lock):
            if time.monotonic() >= deadline:
                raise refusal(time_limit)
            time.sleep(SHORTEST_PAUSE)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_at_once(place: pathlib.Path, text: str, largest: int) -> None:
    """Replace a file at once: a reader, or a crash, sees the old text or the new one."""
    content = text.encode()
    check_size(place, len(content), largest)
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


def stat_of(place: pathlib.Path) -> tuple[int, ...]:
    """Return what is another one as soon as a file is replaced or written; empty for none."""
    try:
        found = place.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _sync_folder(folder: pathlib.Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_text(place: pathlib.Path, largest: int) -> str:
    with explained_access(place):
        check_size(place, place.stat().st_size, largest)
        return place.read_text(encoding="utf-8")


def check_size(place: object, size: int, largest: int) -> None:
    if size > largest:
        raise ExplainedError(
            f"{place} has {size} bytes; the limit is {largest}.",
            resource=str(place),
            next_step="A registry holds descriptions only: keep software and data elsewhere.",
        )


@contextlib.contextmanager
def explained_access(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExplainedError(
            f"Cannot use {error.filename or path}: {error.strerror}.",
            resource=str(path),
            next_step="Check the path and its permissions on the host where the task runs.",
        ) from error
