# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a registry still counts on a snapshot, and on which others it can fall back."""

from __future__ import annotations

from collections.abc import Iterable

from ..ebs.snapshot import Snapshot, bare
from .entries import RegisteredSnapshot


def registries_naming(snapshot: Snapshot, region: str, registered: Iterable[tuple[str, RegisteredSnapshot]]) -> list[str]:
    """Return the registries that recommend a snapshot of the region; where it is retired, nobody counts on it any more."""
    key = (region, snapshot.snapshot_id)
    return sorted({path for path, one in registered if one.key == key and one.retired is None})


def other_copies(snapshot: Snapshot, region: str, registered: Iterable[tuple[str, RegisteredSnapshot]]) -> dict[str, list[str]]:
    """Return, by region, the ids of other registered snapshots that hold the same: those with the same fingerprint."""
    registered = list(registered)
    key = (region, snapshot.snapshot_id)
    known = {snapshot.fingerprint, *(one.fingerprint for _path, one in registered if one.key == key)}
    fingerprints = {bare(fingerprint) for fingerprint in known if fingerprint}
    found: dict[str, list[str]] = {}
    for _path, one in registered:
        if one.key != key and one.fingerprint and bare(one.fingerprint) in fingerprints:
            place, snapshot_id = one.key
            found.setdefault(place, []).append(snapshot_id)
    return found
