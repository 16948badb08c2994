# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies of snapshots in other regions: made, waited for and shared, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.ebs.sharing import EVERYBODY
from .._core.ebs.snapshot import Snapshot
from .._core.ebs.snapshot_plan import plan_copy
from .._core.errors import ExplainedError
from .fleet import at_once
from .snapshot_items import SnapshotItem
from .snapshot_parts import SHARING_PARTS
from .snapshots import SnapshotGateway


def copy_all(
    items: list[SnapshotItem], gateway: SnapshotGateway, gateways: dict[str, SnapshotGateway], time_limit: float, check_mode: bool
) -> None:
    """Bring each item's regions to complete copies, all at once; gateways: by region."""
    jobs = [(item, target) for item in items if item.stays for target in item.options["copy_to"] or ()]
    for item, _target in jobs:
        item.copies = []

    def converge(job: tuple[SnapshotItem, dict[str, Any]]) -> dict[str, Any]:
        item, target = job
        source = Snapshot.from_result(item.plan.after) if check_mode else item.snapshot
        there = gateways[target["region"]]
        try:
            copy, result = copy_one(source, gateway.region, target, there, time_limit, check_mode)
            return {**result, **share_copy(copy, result, item, gateway, there, check_mode)} if target["share"] else result
        except ExplainedError as error:
            return {"region": target["region"], "changed": False, "failed": True, **error.to_result()}

    for (item, _target), copy in zip(jobs, at_once(converge, jobs), strict=True):
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
    copy: Snapshot, result: dict[str, Any], item: SnapshotItem, gateway: SnapshotGateway, there: SnapshotGateway, check_mode: bool
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


def _note_failed_copies(item: SnapshotItem) -> None:
    copies = item.copies or []
    item.acted = item.acted or any(copy["changed"] for copy in copies)
    failed = [copy for copy in copies if copy["failed"]]
    if failed:
        item.error = ExplainedError(
            f"{len(failed)} of {len(copies)} copies failed: " + " ".join(f"{copy['region']}: {copy['msg']}" for copy in failed),
            next_step="Run the task again when the cause is gone; copies that exist are not made again.",
        )
