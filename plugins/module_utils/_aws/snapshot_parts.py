# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be said about a snapshot beside its data and tags: each part is decided and carried out on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .._core.plan import Plan
from .._core.sharing import SharingRequest, check_accounts, plan_sharing
from .._core.snapshot import Snapshot
from .snapshots import SnapshotGateway


class Part(Protocol):
    """One part; its plan's before and after are merged into those of the snapshot."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        """Return the plan for a snapshot, which may not exist yet; an empty one when the options say nothing about the part."""

    def apply(self, plan: Plan, snapshot: Snapshot, gateway: SnapshotGateway, time_limit: float) -> None:
        """Carry out the plan; time_limit: seconds to wait for what takes time, 0 for not at all."""


class Sharing:
    """Who may use the snapshot."""

    def decide(self, options: Mapping[str, Any], snapshot: Snapshot, gateway: SnapshotGateway) -> Plan:
        request = SharingRequest(
            tuple(options["share_with"] or ()),
            tuple(options["unshare_from"] or ()),
            public=options["public"],
            confirm_public=bool(options["confirm_public"]),
        )
        if not request.asks_for_something:
            return Plan()
        return plan_sharing(check_accounts(request), snapshot, gateway.sharing_facts(snapshot, request))

    def apply(self, plan: Plan, snapshot: Snapshot, gateway: SnapshotGateway, time_limit: float) -> None:
        before, after = set(plan.before["shared_with"]), set(plan.after["shared_with"])
        gateway.change_sharing(snapshot.snapshot_id, gained=after - before, lost=before - after)


# In the order in which they are carried out.
PARTS: tuple[Part, ...] = (Sharing(),)
