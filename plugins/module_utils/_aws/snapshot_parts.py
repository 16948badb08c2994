# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be said about a snapshot beside its data and tags: each part is decided and carried out on its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from .._core.cost.cost import ARCHIVE
from .._core.ebs.fast_restore import changes, plan_fast_restore
from .._core.ebs.lock import COOLING_OFF, LockRequest, plan_lock
from .._core.ebs.sharing import SharingRequest, check_accounts, plan_key_grants, plan_sharing
from .._core.ebs.snapshot import Snapshot
from .._core.ebs.tier import Tier, plan_tier
from .._core.errors import ExplainedError
from .._core.facts.prices import PRICES
from .._core.plan import Plan
from .snapshots import SnapshotGateway


class Part(Protocol):
    """One part; its plan's before and after are merged into those of the snapshot."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        """Return the plan for a snapshot, which may not exist yet; an empty one when the options say nothing about the part."""

    def apply(self, plan: Plan, snapshot: Snapshot, options: Mapping[str, Any], gateway: SnapshotGateway) -> None:
        """Carry out the plan."""


class Sharing:
    """Who may use the snapshot."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        request = _sharing_request(options)
        if not request.asks_for_something:
            return Plan()
        return plan_sharing(check_accounts(request), snapshot, gateway.sharing_facts(snapshot, request))

    def apply(self, plan: Plan, snapshot: Snapshot, options: Mapping[str, Any], gateway: SnapshotGateway) -> None:
        before, after = set(plan.before["shared_with"]), set(plan.after["shared_with"])
        gateway.change_sharing(snapshot.snapshot_id, gained=after - before, lost=before - after)


class KeyGrants:
    """Who may use the key of an encrypted snapshot, for this snapshot."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        if not options["grant_key"] or not snapshot.encrypted:
            return Plan()
        granted = gateway.key_grants(snapshot) if snapshot.snapshot_id else {}
        return plan_key_grants(_sharing_request(options), snapshot, granted)

    def apply(self, plan: Plan, snapshot: Snapshot, options: Mapping[str, Any], gateway: SnapshotGateway) -> None:
        before, after = set(plan.before["key_granted_to"]), set(plan.after["key_granted_to"])
        gateway.change_key_grants(snapshot, gained=after - before, lost=before - after)


class Locking:
    """Whether nobody can delete the snapshot before a time."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        if options["lock"] is None:
            return Plan()
        found = gateway.features.lock_of(snapshot.snapshot_id) if snapshot.snapshot_id else None
        return plan_lock(self._request(options), found, snapshot.snapshot_id)

    def apply(self, plan: Plan, snapshot: Snapshot, options: Mapping[str, Any], gateway: SnapshotGateway) -> None:
        if "lock" in plan.actions:
            request = self._request(options)
            cool_off_hours = request.cool_off_hours if plan.after["lock"]["state"] == COOLING_OFF else 0
            gateway.features.lock(snapshot.snapshot_id, dataclasses.replace(request, cool_off_hours=cool_off_hours))
        else:
            gateway.features.unlock(snapshot.snapshot_id)

    @staticmethod
    def _request(options: Mapping[str, Any]) -> LockRequest:
        lock = options["lock"]
        return LockRequest(lock["mode"], lock["days"], cool_off_hours=lock["cool_off_hours"] or 0, confirm=bool(lock["confirm"]))


class Tiering:
    """Whether the snapshot is kept in the archive."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        wanted, days = options["storage_tier"], options["temporary_restore_days"]
        if wanted is None:
            return Plan()
        if wanted == ARCHIVE and (options["fast_restore_zones"] or options["share_with"] or options["copy_to"]):
            raise ExplainedError(
                "An archived snapshot can be neither restored fast nor shared nor copied.",
                resource=snapshot.snapshot_id,
                next_step="Leave fast_restore_zones, share_with and copy_to out, or keep storage_tier: standard.",
            )
        found = gateway.features.tier_of(snapshot.snapshot_id) if snapshot.snapshot_id else Tier()
        images = gateway.images_made_from(snapshot.snapshot_id) if snapshot.snapshot_id and wanted == ARCHIVE else []
        return plan_tier(wanted, days, found, images, snapshot.snapshot_id)

    def apply(self, plan: Plan, snapshot: Snapshot, options: Mapping[str, Any], gateway: SnapshotGateway) -> None:
        if "archive" in plan.actions:
            gateway.features.archive(snapshot.snapshot_id)
        else:
            gateway.features.restore(snapshot.snapshot_id, options["temporary_restore_days"])


class FastRestore:
    """In which zones volumes of the snapshot are fast from their first second."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        zones = options["fast_restore_zones"]
        if zones is None:
            return Plan()
        found = gateway.features.fast_restores_of(snapshot.snapshot_id) if snapshot.snapshot_id else {}
        price = PRICES["fast_snapshot_restore_zone_hour"]
        return plan_fast_restore(zones, found, snapshot.volume_size_gib, price, snapshot.snapshot_id)

    def apply(self, plan: Plan, snapshot: Snapshot, options: Mapping[str, Any], gateway: SnapshotGateway) -> None:
        for zones, fast in zip(changes(plan), (True, False), strict=True):
            if zones:
                gateway.features.set_fast_restore(snapshot.snapshot_id, zones, fast)


# In the order in which they are carried out.
PARTS: tuple[Part, ...] = (Sharing(), KeyGrants(), Locking(), Tiering(), FastRestore())
SHARING_PARTS: tuple[Part, ...] = PARTS[:2]


def _sharing_request(options: Mapping[str, Any]) -> SharingRequest:
    return SharingRequest(
        tuple(options["share_with"] or ()),
        tuple(options["unshare_from"] or ()),
        public=options["public"],
        confirm_public=bool(options["confirm_public"]),
    )
