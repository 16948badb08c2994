# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots of several volumes of one instance, all at one point in time: a group."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .. import tags as tag
from ..errors import ExplainedError
from ..plan import Plan
from .snapshot import CLEAN, CRASH, Snapshot, SnapshotRequest, SnapshottedVolume, inherited_tags, oldest
from .snapshot_plan import tags_for

# What holds for each snapshot of a group; anything else is said to its snapshots one by one.
GROUP_OPTIONS = {"name", "generation", "description", "tags", "copy_volume_tags", "consistency"}


@dataclasses.dataclass(frozen=True)
class GroupRequest:
    """The group asked for, told from others by name, instance and generation.

    exclude_volume_ids: data volumes that are left out; the boot volume has an option of its own, as in EC2.
    The other fields are those of SnapshotRequest and hold for each snapshot.
    """

    instance_id: str
    name: str
    generation: int | None = None
    description: str | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    consistency: str | None = None
    copy_volume_tags: bool = False
    exclude_boot_volume: bool = False
    exclude_volume_ids: tuple[str, ...] = ()


def group_request_from(params: Mapping[str, Any], options: Iterable[str]) -> GroupRequest:
    """Return what the options of ebs_snapshot ask for a group; options: the names of those that a single snapshot may have.

    Raises ExplainedError for what cannot be said about a group.
    """
    said = {name for name in options if params[name] not in (None, "present")} - GROUP_OPTIONS
    if said or not params["name"] or params["snapshots"] is not None:
        raise ExplainedError(
            f"instance_id needs name and goes with {', '.join(sorted(GROUP_OPTIONS - {'name'}))}"
            + (f", not with {', '.join(sorted(said))}." if said else " only."),
            next_step="Share, copy, keep or delete the snapshots afterwards, with snapshots: and their ids.",
        )
    given = {name: params[name] for name in GROUP_OPTIONS if params[name] is not None}
    given["tags"] = tag.texts(given.get("tags", {}), params["name"])
    return GroupRequest(
        params["instance_id"],
        **given,
        exclude_boot_volume=params["exclude_boot_volume"],
        exclude_volume_ids=tuple(params["exclude_volume_ids"]),
    )


@dataclasses.dataclass(frozen=True)
class InstanceVolumes:
    """An instance and its volumes. running: whether somebody may be writing."""

    instance_id: str
    running: bool
    boot_volume_id: str | None
    volumes: tuple[SnapshottedVolume, ...]

    def of(self, request: GroupRequest) -> list[SnapshottedVolume]:
        """Return the volumes that a request means.

        Raises ExplainedError for exclusions that EC2 would refuse, and when nothing is left.
        """
        attached = {volume.volume_id for volume in self.volumes}
        wrong = sorted(set(request.exclude_volume_ids) - attached)
        if wrong:
            raise ExplainedError(
                f"Not attached to {self.instance_id}: {', '.join(wrong)}.",
                resource=self.instance_id,
                next_step=f"exclude_volume_ids takes some of {', '.join(sorted(attached))}.",
            )
        if self.boot_volume_id in request.exclude_volume_ids:
            raise ExplainedError(
                f"{self.boot_volume_id} is the boot volume of {self.instance_id}.",
                resource=self.instance_id,
                next_step="Say exclude_boot_volume: true instead of naming it in exclude_volume_ids.",
            )
        excluded = {*request.exclude_volume_ids, *([self.boot_volume_id] if request.exclude_boot_volume else [])}
        wanted = [volume for volume in self.volumes if volume.volume_id not in excluded]
        if not wanted:
            raise ExplainedError(f"{self.instance_id} has no volume left to take a snapshot of.", resource=self.instance_id)
        return wanted


@dataclasses.dataclass(frozen=True)
class GroupPlan(Plan):
    """A plan with its snapshots as values. found: those that exist; tags: what the snapshots of a new group have in common."""

    found: tuple[Snapshot, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    tags: dict[str, str] = dataclasses.field(default_factory=dict)

    def new_tags(self, found: Snapshot) -> dict[str, str]:
        """Return the tags that a snapshot of the group lacks; its volume tells which one it is, as a new one has no id in the plan."""
        wanted = next((snapshot.tags for snapshot in self.snapshots if snapshot.volume_id == found.volume_id), {})
        return {key: value for key, value in wanted.items() if found.tags.get(key) != value}


def plan_group(request: GroupRequest, found: Iterable[Snapshot], instance: InstanceVolumes | None, token: str) -> GroupPlan:
    """Decide whether a group has to be taken, or its snapshots tagged.

    found: our own snapshots of that name, in any state. instance: None when it does not exist any more.
    token: random text that tells this group from every other.
    Returns a GroupPlan whose actions are (), ("tag",) or ("create",).
    Raises ExplainedError when there is nothing to take snapshots of.
    """
    groups, warnings = complete_groups(request, found)
    volumes = {volume.volume_id: volume for volume in instance.volumes} if instance else {}
    if groups:
        return _reuse(request, groups, volumes, warnings)
    if instance is None:
        raise ExplainedError(
            f"Instance {request.instance_id} does not exist here.",
            resource=request.instance_id,
            next_step="Check the id and the region; a terminated instance has no volumes any more.",
        )
    wanted = instance.of(request)
    if instance.running and not request.consistency:
        warnings.append(
            f"Instance {request.instance_id} is running: its snapshots hold what had reached the disks, as after a power cut. "
            "Stop it or freeze its file systems first and say consistency: clean, or say consistency: crash to accept it."
        )
    consistency = request.consistency or (CRASH if instance.running else CLEAN)
    single = SnapshotRequest(name=request.name, generation=request.generation, tags=request.tags)
    own = {tag.key(tag.GROUP): f"{token}-{len(wanted)}", tag.key(tag.INSTANCE): request.instance_id}
    common = {**tags_for(single, wanted[0], consistency), **own}
    snapshots = tuple(_new(request, volume, common) for volume in wanted)
    return _plan(("create",), (), snapshots, warnings, common)


def complete_groups(request: GroupRequest, found: Iterable[Snapshot]) -> tuple[list[list[Snapshot]], list[str]]:
    """Return the groups of a request that are whole, the oldest first, and warnings about those that are not."""
    generation = None if request.generation is None else str(request.generation)
    members: dict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in oldest(found):
        group = tag.read(snapshot.tags, tag.GROUP)
        ours = snapshot.name == request.name and tag.read(snapshot.tags, tag.INSTANCE) == request.instance_id
        if group and ours and tag.read(snapshot.tags, tag.GENERATION) == generation:
            members[group].append(snapshot)
    whole, warnings = [], []
    for group, snapshots in members.items():
        usable = [snapshot for snapshot in snapshots if snapshot.usable]
        if len(usable) == group_size(group):
            whole.append(usable)
        else:
            ids = ", ".join(str(snapshot.snapshot_id) for snapshot in snapshots)
            warnings.append(f"A group that is not whole does not count; what is left of it can be deleted: {ids}.")
    return whole, warnings


def group_size(group: str) -> int:
    """Return how many snapshots a group has, which its tag says: <token>-<size>."""
    size = group.rpartition("-")[2]
    return int(size) if size.isdigit() else 0


def _reuse(request: GroupRequest, groups: list[list[Snapshot]], volumes: dict[str, SnapshottedVolume], warnings: list[str]) -> GroupPlan:
    kept, *others = groups
    if others:
        ids = ", ".join(str(snapshot.snapshot_id) for group in others for snapshot in group)
        warnings.append(f"The oldest of several groups that are alike is used; these can be deleted: {ids}.")
    after = []
    for snapshot in kept:
        volume = volumes.get(str(snapshot.volume_id))
        inherited = inherited_tags(volume) if volume and request.copy_volume_tags else {}
        after.append(dataclasses.replace(snapshot, tags={**inherited, **snapshot.tags, **request.tags}))
    return _plan(("tag",) if after != kept else (), kept, after, warnings)


def _new(request: GroupRequest, volume: SnapshottedVolume, common: dict[str, str]) -> Snapshot:
    inherited = inherited_tags(volume) if request.copy_volume_tags else {}
    return Snapshot(
        snapshot_id=None,
        state="pending",
        volume_id=volume.volume_id,
        volume_size_gib=volume.size_gib,
        encrypted=volume.encrypted,
        kms_key_id=volume.kms_key_id,
        description=request.description or "",
        tags={**inherited, **common},
    )


def _plan(
    actions: tuple[str, ...], before: Iterable[Snapshot], after: Iterable[Snapshot], warnings: list[str], tags: dict[str, str] | None = None
) -> GroupPlan:
    return GroupPlan(actions, _results(before), _results(after), tuple(warnings), tuple(before), tuple(after), tags or {})


def _results(snapshots: Iterable[Snapshot]) -> dict[str, Any]:
    return {"snapshots": [snapshot.to_result() for snapshot in snapshots]}
