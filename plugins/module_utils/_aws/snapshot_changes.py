# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out the plans of many snapshots together: each action for all of them at once, then one wait for all of them."""

from __future__ import annotations

import dataclasses
import functools

from .._core.ebs.snapshot import Snapshot, alike
from .._core.ebs.snapshot_plan import keep_one
from .._core.errors import ExplainedError
from .fleet import in_order, together
from .snapshot_items import SnapshotItem
from .snapshots import SnapshotGateway

# Start times may be equal to the second. After one, whoever created in the same second as we is seen by us too.
SETTLE_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class SnapshotChanges:
    """Carry out plans through the gateway. wait: until snapshots are complete; time_limit: seconds for each wait."""

    gateway: SnapshotGateway
    wait: bool = True
    time_limit: float = 3600

    def carry_out(self, items: list[SnapshotItem]) -> None:
        """Bring every item to what its plans want; a failure is noted in its item."""
        acts = {"create": self._create, "tag": self._tag, "delete": self._delete}
        in_order(items, {action: functools.partial(together, act=act) for action, act in acts.items()})
        staying = [item for item in items if item.stays]
        self._look(staying)
        self._settle([item for item in staying if item.has("create")])
        together(staying, self._apply_parts)

    def _create(self, item: SnapshotItem) -> None:
        after, request = item.plan.after, item.request
        item.snapshot = self.gateway.create_snapshot(
            after["volume_id"], after["description"], after["tags"], lambda: self.gateway.find_alike(request)
        )
        item.acted = True

    def _tag(self, item: SnapshotItem) -> None:
        self.gateway.tag_snapshot(item.plan.after["snapshot_id"], item.request.tags)
        item.acted = True

    def _delete(self, item: SnapshotItem) -> None:
        self.gateway.delete_snapshot(item.plan.before["snapshot_id"])
        item.acted = True

    def _look(self, items: list[SnapshotItem]) -> None:
        """Wait for all items' snapshots if asked to; else read those whose tags were changed."""
        items = [item for item in items if item.error is None]
        if not self.wait:
            together([item for item in items if item.has("tag")], self._read)
            return
        if not items:
            return
        seen = self.gateway.wait_for_all([str(item.snapshot.snapshot_id) for item in items], self.time_limit)
        for item in items:
            with item.catching():
                item.snapshot = unless_error(seen[str(item.snapshot.snapshot_id)])

    def _read(self, item: SnapshotItem) -> None:
        item.snapshot = self.gateway.get_snapshot(item.snapshot.snapshot_id)

    def _settle(self, items: list[SnapshotItem]) -> None:
        """Use the snapshot that all runs agree on, where another run has made one in the same moment.

        Looked up last, and a moment later, so that all runs see all of them.
        """
        items = [item for item in items if item.error is None]
        if items:
            self.gateway.sleep(SETTLE_SECONDS)
        candidates = self.gateway.find_candidates([item.request for item in items]) if items else []
        moved = []
        for item in items:
            known = {one.snapshot_id: one for one in [item.snapshot, *alike(item.request, candidates)]}
            kept, doubles = keep_one(known.values())
            item.warnings += doubles
            if kept.snapshot_id != item.snapshot.snapshot_id:
                item.snapshot = kept
                moved.append(item)
        self._look(moved)

    def _apply_parts(self, item: SnapshotItem) -> None:
        for part, plan in item.parts:
            if plan.changed:
                part.apply(plan, item.snapshot, item.options, self.gateway)
                item.acted = True


def unless_error(seen: Snapshot | ExplainedError) -> Snapshot:
    """Return what waiting has found of a snapshot, or raise it."""
    if isinstance(seen, ExplainedError):
        raise seen
    return seen
