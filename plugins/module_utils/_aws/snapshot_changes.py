# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out the plans of many snapshots together: each action for all of them at once, then one wait for all of them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.ebs.sharing import EVERYBODY
from .._core.ebs.snapshot import Snapshot, SnapshotRequest, alike
from .._core.ebs.snapshot_plan import keep_one, plan_copy
from .._core.errors import ExplainedError
from .._core.plan import Plan
from .snapshot_parts import SHARING_PARTS, Part
from .snapshots import SnapshotGateway

# More requests at once only meet EC2's request limits.
REQUESTS_AT_ONCE = 24
# Start times may be equal to the second. After one, whoever created in the same second as we is seen by us too.
SETTLE_SECONDS = 1.0


@dataclasses.dataclass
class Item:
    """One snapshot on its way.

    label: what the user calls it. options: the module's options for it; None where nothing is said.
    plan: for the snapshot itself; parts: for what else is said about it, each part with its plan.
    snapshot: as last read. acted: something was changed, even if a later step failed. copies: what became of each copy.
    """

    label: str
    options: dict[str, Any]
    request: SnapshotRequest | None = None
    plan: Plan | None = None
    parts: list[tuple[Part, Plan]] = dataclasses.field(default_factory=list)
    snapshot: Snapshot | None = None
    copies: list[dict[str, Any]] | None = None
    error: ExplainedError | None = None
    acted: bool = False
    warnings: list[str] = dataclasses.field(default_factory=list)

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Keep an ExplainedError of the block as this item's, so that the others go on."""
        try:
            yield
        except ExplainedError as error:
            self.error = error

    def has(self, action: str) -> bool:
        """Say whether this action is still to be done for the item."""
        return self.error is None and self.plan is not None and action in self.plan.actions

    @property
    def stays(self) -> bool:
        """Whether there will be a snapshot in the end, as far as one can say now."""
        return self.error is None and self.plan is not None and self.plan.after is not None

    @property
    def all_plans(self) -> list[Plan]:
        return [self.plan, *(plan for _part, plan in self.parts)] if self.plan else []


def together(items: Iterable[Item], act: Callable[[Item], None]) -> None:
    """Do one thing for all items at once; a failure is noted in its item and does not stop the others."""

    def guarded(item: Item) -> None:
        with item.catching():
            act(item)

    items = [item for item in items if item.error is None]
    if items:
        with ThreadPoolExecutor(min(len(items), REQUESTS_AT_ONCE)) as pool:
            list(pool.map(guarded, items))


@dataclasses.dataclass(frozen=True)
class SnapshotChanges:
    """Carry out plans through the gateway. wait: until snapshots are complete; time_limit: seconds for each wait."""

    gateway: SnapshotGateway
    wait: bool = True
    time_limit: float = 3600

    def carry_out(self, items: list[Item]) -> None:
        """Bring every item to what its plans want; a failure is noted in its item."""
        together([item for item in items if item.has("create")], self._create)
        together([item for item in items if item.has("tag")], self._tag)
        together([item for item in items if item.has("delete")], self._delete)
        staying = [item for item in items if item.stays]
        self._look(staying)
        self._settle([item for item in staying if item.has("create")])
        together(staying, self._apply_parts)

    def _create(self, item: Item) -> None:
        after, request = item.plan.after, item.request
        item.snapshot = self.gateway.create_snapshot(
            after["volume_id"], after["description"], after["tags"], lambda: self.gateway.find_alike(request)
        )
        item.acted = True

    def _tag(self, item: Item) -> None:
        self.gateway.tag_snapshot(item.plan.after["snapshot_id"], item.request.tags)
        item.acted = True

    def _delete(self, item: Item) -> None:
        self.gateway.delete_snapshot(item.plan.before["snapshot_id"])
        item.acted = True

    def _look(self, items: list[Item]) -> None:
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

    def _read(self, item: Item) -> None:
        item.snapshot = self.gateway.get_snapshot(item.snapshot.snapshot_id)

    def _settle(self, items: list[Item]) -> None:
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

    def _apply_parts(self, item: Item) -> None:
        for part, plan in item.parts:
            if plan.changed:
                part.apply(plan, item.snapshot, item.options, self.gateway)
                item.acted = True


def copy_all(
    items: list[Item], gateway: SnapshotGateway, gateways: dict[str, SnapshotGateway], time_limit: float, check_mode: bool
) -> None:
    """Bring each item's regions to complete copies, all at once; gateways: by region."""
    jobs = [(item, target) for item in items if item.stays for target in item.options["copy_to"] or ()]
    for item, _target in jobs:
        item.copies = []

    def converge(job: tuple[Item, dict[str, Any]]) -> dict[str, Any]:
        item, target = job
        source = Snapshot.from_result(item.plan.after) if check_mode else item.snapshot
        there = gateways[target["region"]]
        try:
            copy, result = copy_one(source, gateway.region, target, there, time_limit, check_mode)
            return {**result, **share_copy(copy, result, item, gateway, there, check_mode)} if target["share"] else result
        except ExplainedError as error:
            return {"region": target["region"], "changed": False, "failed": True, **error.to_result()}

    if jobs:
        with ThreadPoolExecutor(min(len(jobs), REQUESTS_AT_ONCE)) as pool:
            for (item, _target), copy in zip(jobs, pool.map(converge, jobs), strict=True):
                item.warnings += copy.pop("warnings", [])
                item.copies.append(copy)
    for item in items:
        _note_failed_copies(item)


def copy_one(
    source: Snapshot, source_region: str, target: dict[str, Any], there: SnapshotGateway, time_limit: float, check_mode: bool
) -> tuple[Snapshot, dict[str, Any]]:
    """Bring one region to a complete copy of the source; return it, and what became of it."""
    found = there.find_copies(source, source_region) if source.snapshot_id else []
    plan = plan_copy(source, source_region, target["kms_key_id"], found)
    copy = Snapshot.from_result(plan.after)
    if not check_mode:
        if plan.changed:
            copy = there.copy_snapshot(source_region, copy, lambda: there.find_copies(source, source_region))
        copy = there.wait_until_completed(copy.snapshot_id, time_limit)
    return copy, {
        "region": target["region"],
        "changed": plan.changed,
        "failed": False,
        "snapshot": copy.to_result(),
        "warnings": list(plan.warnings),
    }


def share_copy(
    copy: Snapshot, result: dict[str, Any], item: Item, gateway: SnapshotGateway, there: SnapshotGateway, check_mode: bool
) -> dict[str, Any]:
    """Let the accounts that may use the source use the copy; return what that changes in its result.

    Everybody is no account: a public snapshot is made public in each region by a task of its own.
    """
    accounts = set(item.options["share_with"] or ()) - set(item.options["unshare_from"] or ())
    if item.snapshot is not None and item.snapshot.snapshot_id:
        accounts |= set(gateway.shared_with(item.snapshot.snapshot_id)) - set(item.options["unshare_from"] or ()) - {EVERYBODY}
    return apply_sharing(
        {**item.options, "share_with": sorted(accounts), "unshare_from": None, "public": None}, copy, result, there, check_mode
    )


def apply_sharing(
    options: Mapping[str, Any], copy: Snapshot, result: dict[str, Any], there: SnapshotGateway, check_mode: bool
) -> dict[str, Any]:
    """Bring who may use a snapshot, and its key, to what the options say; return what that changes in its result."""
    changed, snapshot, warnings = result["changed"], result["snapshot"], result["warnings"]
    for part in SHARING_PARTS:
        plan = part.decide(options, copy, there)
        if plan.changed and not check_mode:
            part.apply(plan, copy, options, there)
        changed, snapshot, warnings = changed or plan.changed, {**snapshot, **(plan.after or {})}, [*warnings, *plan.warnings]
    return {"changed": changed, "snapshot": snapshot, "warnings": warnings}


def _note_failed_copies(item: Item) -> None:
    copies = item.copies or []
    item.acted = item.acted or any(copy["changed"] for copy in copies)
    failed = [copy for copy in copies if copy["failed"]]
    if failed:
        item.error = ExplainedError(
            f"{len(failed)} of {len(copies)} copies failed: " + " ".join(f"{copy['region']}: {copy['msg']}" for copy in failed),
            next_step="Run the task again when the cause is gone; copies that exist are not made again.",
        )


def unless_error(seen: Snapshot | ExplainedError) -> Snapshot:
    """Return what waiting has found of a snapshot, or raise it."""
    if isinstance(seen, ExplainedError):
        raise seen
    return seen
