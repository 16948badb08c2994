# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots of an instance's volumes, taken at one point in time."""

from __future__ import annotations

from typing import Any

from .._core.ebs.snapshot import Snapshot, SnapshotRequest
from .._core.ebs.snapshot_group import GroupPlan, GroupRequest, complete_groups, plan_group
from .snapshot_changes import unless_error
from .snapshots import SnapshotGateway


def converge_group(
    request: GroupRequest, gateway: SnapshotGateway, token: str, time_limit: float | None, check_mode: bool
) -> dict[str, Any]:
    """Take the snapshots of a group, or find those that were taken, and return the result.

    token: random text that tells this group from every other. time_limit: seconds until all are complete; None: do not wait.
    """
    plan = plan_group(request, _find_namesakes(request, gateway), gateway.find_instance_volumes(request.instance_id), token)
    snapshots, warnings = list(plan.snapshots), list(plan.warnings)
    if not check_mode:
        snapshots, doubles = _take(plan, request, gateway)
        if time_limit is not None:
            seen = gateway.wait_for_all([snapshot.snapshot_id for snapshot in snapshots], time_limit)
            snapshots = [unless_error(seen[snapshot.snapshot_id]) for snapshot in snapshots]
        warnings += doubles
    results = [snapshot.to_result() for snapshot in snapshots]
    return {"changed": plan.changed, "snapshots": results, "diff": plan.diff(), "warnings": warnings}


def _find_namesakes(request: GroupRequest, gateway: SnapshotGateway) -> list[Snapshot]:
    return gateway.find_candidates([SnapshotRequest(name=request.name)])


def _take(plan: GroupPlan, request: GroupRequest, gateway: SnapshotGateway) -> tuple[list[Snapshot], list[str]]:
    """Carry out the plan for a group; return its snapshots, and warnings about other groups like it."""
    made = gateway.create_snapshots(request, plan.tags) if plan.actions == ("create",) else plan.found
    for snapshot in made:
        lacking = plan.new_tags(snapshot)
        if lacking:
            gateway.tag_snapshot(snapshot.snapshot_id, lacking)
    known = {snapshot.snapshot_id: snapshot for snapshot in [*made, *_find_namesakes(request, gateway)]}
    # Another run may have taken one in the same moment. Looked up last, so that all runs see all of them and agree on the oldest.
    (kept, *others), _incomplete = complete_groups(request, known.values())
    doubles = [
        f"Another run took a group like this at the same time; it can be deleted: {', '.join(one.snapshot_id for one in group)}."
        for group in others
    ]
    return kept, doubles if plan.actions == ("create",) else []
