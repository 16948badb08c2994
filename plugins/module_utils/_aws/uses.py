# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses snapshots, read for whoever is about to delete some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .._core.ebs.fast_restore import FAST_STATES
from .._core.ebs.holds import Uses
from .._core.ebs.snapshot import Snapshot
from .._core.ebs.snapshot_plan import Holds
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
        locked=frozenset(gateway.features.locks_of(None)),
        fast_restored=frozenset(gateway.features.fast_restores(None)),
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


def holds_of(
    snapshot: Snapshot,
    gateway: SnapshotGateway,
    gateway_in: Callable[[str], SnapshotGateway] | None,
    registered: Iterable[tuple[str, RegisteredSnapshot]],
) -> Holds:
    """Return what holds a snapshot back from being deleted."""
    snapshot_id = snapshot.snapshot_id
    lock = gateway.features.lock_of(snapshot_id)
    fast = gateway.features.fast_restores_of(snapshot_id)
    naming = registries_naming(snapshot, gateway.region, registered)
    return Holds(
        images=tuple(gateway.images_needing([snapshot_id]).get(snapshot_id, ())),
        templates=tuple(gateway.templates.naming([snapshot_id]).get(snapshot_id, ())),
        shared_with=tuple(read_sharing(gateway, [snapshot_id])[snapshot_id]),
        locked_until=(lock.expires or lock.state) if lock else None,
        fast_zones=tuple(sorted(zone for zone, state in fast.items() if state in FAST_STATES)),
        registries=tuple(naming),
        other_copies=tuple(_existing_copies(other_copies(snapshot, gateway.region, registered), gateway, gateway_in)) if naming else (),
    )


def _existing_copies(
    copies: Mapping[str, Iterable[str]], gateway: SnapshotGateway, gateway_in: Callable[[str], SnapshotGateway] | None
) -> Iterator[str]:
    """Yield those of the registered copies, ids by region, that are complete in AWS."""
    for region, ids in copies.items():
        there = gateway if region == gateway.region else gateway_in(region)
        for snapshot_id, snapshot in there.find_visible(ids).items():
            if snapshot.state == "completed":
                yield f"{region}/{snapshot_id}"
