# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place that knows every kind of registry."""

from __future__ import annotations

import pathlib

from .._core.errors import ExplainedError
from .._core.registry.place import parse_place
from .account_file import AccountFile
from .directory import DirectoryStore
from .store import Access, Store


def open_registry(text: str, access: Access | None = None) -> Store:
    """Return the registry at a place, to read from; raises ExplainedError when there is nothing at a path."""
    store = open_store(text, access)
    place = parse_place(text)
    if place.kind != "path":
        return store
    path = pathlib.Path(place.address).expanduser()
    if path.is_file():
        return AccountFile(path)
    if path.is_dir():
        return store
    raise ExplainedError(
        f"There is no registry at {text}.",
        resource=text,
        next_step="Check the path, or create the registry by registering a snapshot in it.",
    )


def open_store(text: str, access: Access | None = None) -> Store:
    """Return the registry at a place, to read and to write; a directory need not exist yet. docs/registry.md lists the places."""
    place = parse_place(text)
    if place.kind == "path":
        return DirectoryStore(pathlib.Path(place.address).expanduser())
    # Imported where they are needed: each of them brings its own libraries.
    if place.kind == "s3":
        from .s3 import S3Store as Kind
    elif place.kind == "git":
        from .git import GitStore as Kind
    else:
        from .https import HttpsStore as Kind
    return Kind(place, access or Access())
