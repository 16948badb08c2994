# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What registries say about snapshots, for those who are about to delete some: all of it, or an error."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.errors import ExplainedError, ManyProblems
from .._core.registry import RegisteredSnapshot
from .registry_store import Access, open_registry


def read_registered(paths: Iterable[str], access: Access | None = None) -> list[tuple[str, RegisteredSnapshot]]:
    """Return every snapshot that the registries name, each with the path of its registry; retired ones too.

    Raises ExplainedError when there is no registry at a path, or a part of it cannot be read: what it names would be unprotected.
    """
    found = []
    for path in paths:
        registry = open_registry(path, access)
        names = registry.read_index().names
        if not names:
            raise ExplainedError(
                f"The registry at {path} is empty.", resource=path, next_step="Check the path; leave it out if nothing is registered yet."
            )
        found += [(path, snapshot) for entry in registry.read_entries(names) for snapshot in entry.snapshots]
        if registry.notes:
            raise ManyProblems(
                f"The registry at {path} cannot be read completely, so nobody knows what must stay:",
                registry.notes,
                resource=path,
                next_step="Mend these files first.",
            )
    return found
