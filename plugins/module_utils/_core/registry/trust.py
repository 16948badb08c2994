# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the signature of a registry entry covers, and when an entry has to be signed again. docs/registry.md has the format."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ExplainedError
from .entries import Entry
from .files import entry_document, to_text

# ssh-keygen signs for a purpose, so that nobody can take a signature on something else for one on an entry.
NAMESPACE = "registry@petal.hpc"
SIGNATURES = "signatures"

_SIGNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


def signed_text(document: Mapping[str, Any]) -> str:
    """Return what is signed of an entry's document: all of it but the signatures, as the registry writes it."""
    return to_text({field: value for field, value in document.items() if field != SIGNATURES})


def without_stale_signatures(found: Entry | None, after: Entry) -> Entry:
    """Return what an entry is to become, with the signatures that still cover it: all of them or none."""
    covered = found is not None and signed_text(entry_document(found)) == signed_text(entry_document(after))
    return dataclasses.replace(after, signatures=found.signatures if covered and found else ())


def without_surety(found: Entry | None, after: Entry, *, covered: bool) -> tuple[str, ...]:
    """Return the ids of the snapshots for which whoever signs an entry now would vouch without having entered them.

    found: the entry as it was. covered: whether a signature of the same key held for it. What is new in `after` is entered by the signer.
    """
    known = {one.key for one in found.snapshots} if found and not covered else set()
    return tuple(sorted(one.snapshot_id for one in after.snapshots if one.key in known))


def check_signer(name: str) -> str:
    """Return a signer's name; raises ExplainedError for one that would mean something else in a list of allowed signers."""
    if not _SIGNER.fullmatch(name):
        raise ExplainedError(
            f"{name!r} cannot be the name of a signer.",
            resource=name,
            next_step="Use the first word of its line in allowed_signers, such as builds@example.com; patterns and lists are for readers.",
        )
    return name
