# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses snapshots, read for whoever is about to delete some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .._core.ebs.fast_restore import FAST_STATES
from .._core.ebs.holds import Uses
from .._core.ebs.lock import Lock
from .._core.ebs.snapshot import Snapshot
from .._core.errors import ExplainedError
from .._core.registry.copies import other_copies, registries_naming
from .._core.registry.entries import RegisteredSnapshot
from .errors import aws_code
from .fleet import at_once
from .snapshots import SnapshotGateway

# More requests at once only meet EC2's request limits.
REQUESTS_AT_ONCE = 8


def read_uses(gateway: SnapshotGateway, snapshot_ids: Iterable[str]) -> Uses:
    """Return who uses the snapshots; who may use them is left out, as that takes a request for each of them."""
    ids = list(snapshot_ids)
    if not ids:
        return Uses()
    return Uses(
        images=gateway.images_needing(ids),
        templates=gateway.templates.naming(ids),
        # Of all snapshots: one id that is gone by now would make the whole request fail.
        locked={snapshot_id: _until(lock) for snapshot_id, lock in gateway.features.locks_of(None).items()},
        fast_restored=gateway.features.fast_restores(None),
    )


def read_sharing(gateway: SnapshotGateway, snapshot_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return who may use each of the snapshots; nobody may use one that is gone."""

    def shared_with(snapshot_id: str) -> list[str]:
        try:
            return gateway.shared_with(snapshot_id)
        except ExplainedError as error:
            if aws_code(error) != "InvalidSnapshot.NotFound":
                raise
            return []

    ids = list(snapshot_ids)
    return dict(zip(ids, at_once(shared_with, ids, most=REQUESTS_AT_ONCE), strict=True))


def read_uses_of_one(
    snapshot: Snapshot,
    gateway: SnapshotGateway,
    gateway_in: Callable[[str], SnapshotGateway] | None,
    registered: Iterable[tuple[str, RegisteredSnapshot]],
) -> tuple[Uses, tuple[str, ...]]:
    """Return who uses a snapshot that a person wants to delete, and which registries name it.

    registered: what the registries hold; where a complete copy with the same content exists, they do not need the snapshot.
    """
    snapshot_id = str(snapshot.snapshot_id)
    lock = gateway.features.lock_of(snapshot_id)
    fast = gateway.features.fast_restores_of(snapshot_id)
    naming = tuple(registries_naming(snapshot, gateway.region, registered))
    copies = other_copies(snapshot, gateway.region, registered) if naming else {}
    return Uses(
        images=gateway.images_needing([snapshot_id]),
        templates=gateway.templates.naming([snapshot_id]),
        shared_with=read_sharing(gateway, [snapshot_id]),
        locked={snapshot_id: _until(lock)} if lock else {},
        fast_restored={snapshot_id: sorted(zone for zone, state in fast.items() if state in FAST_STATES)},
        registered={} if _any_exists(copies, gateway, gateway_in) else {snapshot_id: naming},
    ), naming


def _until(lock: Lock) -> str:
    return lock.expires or lock.state


def _any_exists(copies: Mapping[str, Iterable[str]], gateway: SnapshotGateway, gateway_in: Callable[[str], SnapshotGateway] | None) -> bool:
    """Say whether one of the registered copies, ids by region, is complete in AWS."""
    gateways = ((gateway if region == gateway.region else gateway_in(region), ids) for region, ids in copies.items())
    return any(snapshot.state == "completed" for there, ids in gateways for snapshot in there.find_visible(ids).values())
