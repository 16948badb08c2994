# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots on their way: from their options to their plans, and from what became of them to their results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from .._core.ebs.holds import Uses
from .._core.ebs.snapshot import Snapshot, SnapshotRequest, alike, request_from
from .._core.ebs.snapshot_plan import check_copies, plan_absent, plan_snapshot
from .._core.plan import Plan
from .fleet import Item, refuse_repetitions, together
from .snapshot_parts import PARTS, Part
from .snapshots import SnapshotGateway

UsesOf = Callable[[Snapshot], tuple[Uses, tuple[str, ...]]]


@dataclasses.dataclass(kw_only=True)
class SnapshotItem(Item):
    """One snapshot on its way.

    options: the module's options for it; None where nothing is said.
    plan: for the snapshot itself; parts: for what else is said about it, each part with its plan.
    snapshot: as last read. copies: what became of each copy.
    """

    options: dict[str, Any]
    request: SnapshotRequest | None = None
    parts: list[tuple[Part, Plan]] = dataclasses.field(default_factory=list)
    snapshot: Snapshot | None = None
    copies: list[dict[str, Any]] | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether the item asks for a snapshot, rather than for its end."""
        return self.options["state"] != "absent"

    @property
    def stays(self) -> bool:
        """Whether there will be a snapshot in the end, as far as one can say now."""
        return self.error is None and self.plan is not None and self.plan.after is not None

    @property
    def all_plans(self) -> list[Plan]:
        return [self.plan, *(plan for _part, plan in self.parts)] if self.plan else []


def item_from(options: dict[str, Any]) -> SnapshotItem:
    """Return the item that the options describe, with its error when they contradict each other."""
    label = options["snapshot_id"] or options["name"] or options["fingerprint"] or "without an identity"
    item = SnapshotItem(label=label, options=options)
    with item.catching():
        item.request = request_from(options)
    return item


def plan_all(items: Iterable[SnapshotItem], gateway: SnapshotGateway, wait: bool, uses_of: UsesOf) -> None:
    """Read what exists, for all items together, and give each item its plans or its error.

    uses_of: returns who uses a snapshot that is to be deleted, and which registries name it.
    """
    refuse_repetitions(items, "snapshot", lambda item: item.request and item.request.identity)
    items = [item for item in items if item.error is None]
    candidates = gateway.find_candidates([item.request for item in items])
    found = {id(item): alike(item.request, candidates) for item in items}
    missing = {id(item) for item in items if item.is_wanted and not any(snapshot.usable for snapshot in found[id(item)])}
    volumes = gateway.find_volumes(item.request.volume_id for item in items if id(item) in missing and item.request.volume_id)

    def plan(item: SnapshotItem) -> None:
        if not item.is_wanted:
            _plan_absent(item, found[id(item)], uses_of)
            return
        volume_id = item.request.volume_id if id(item) in missing else None
        # Asked for on its own, a volume that is not there explains where it is.
        volume = (volumes.get(volume_id) or gateway.get_volume(volume_id)) if volume_id else None
        item.plan = plan_snapshot(item.request, found[id(item)], volume)
        item.snapshot = Snapshot.from_result(item.plan.after)
        check_copies(item.options["copy_to"] or (), gateway.region, wait, item.snapshot.encrypted)
        # Decided before anything is made: what can never be shared must not be built first.
        item.parts = [(part, part.decide(item.options, item.snapshot, gateway)) for part in PARTS]
        item.warnings += [warning for one in item.all_plans for warning in one.warnings]

    together(items, plan)
    # An id and a name may mean the same snapshot.
    refuse_repetitions(items, "snapshot", _existing_id)


def _plan_absent(item: SnapshotItem, found: list[Snapshot], uses_of: UsesOf) -> None:
    uses, named_by = uses_of(found[0]) if len(found) == 1 else (None, ())
    item.plan = plan_absent(item.request, found, uses, named_by=named_by, force=bool(item.options["force"]))
    item.warnings += item.plan.warnings


def _existing_id(item: SnapshotItem) -> str | None:
    """Return the id of the snapshot that an item has found, if it has."""
    return item.plan.before["snapshot_id"] if item.error is None and item.plan.before else None


def result_of(item: SnapshotItem, check_mode: bool) -> dict[str, Any]:
    """Return what became of one item, or what would."""
    copies = {} if item.copies is None else {"copies": item.copies}
    if item.error is not None:
        known = {"snapshot": item.snapshot.to_result()} if item.snapshot else {}
        return {"changed": item.acted, **known, **copies}
    if not item.is_wanted:
        return {"changed": item.plan.changed, "snapshot": item.plan.before, "diff": item.plan.diff()}
    snapshot = item.plan.after if check_mode else item.snapshot.to_result()
    for _part, plan in item.parts:
        snapshot = {**snapshot, **(plan.after or {})}
    return {
        "changed": any(plan.changed for plan in item.all_plans) or any(copy["changed"] for copy in item.copies or ()),
        "snapshot": snapshot,
        "diff": {side: {key: value for plan in item.all_plans for key, value in plan.diff()[side].items()} for side in ("before", "after")},
        **copies,
    }
