# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volumes on their way: from their options to their plans, and from what became of them to their results."""

from __future__ import annotations

import collections
import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any

from .._core.ebs.volume import Attachment, Volume, VolumeRequest, find_volume, next_generation, next_steps, request_from
from .._core.ebs.volume_plan import VolumePlan, plan_volume
from .fleet import Item, refuse_repetitions
from .volumes import VolumeGateway


@dataclasses.dataclass(kw_only=True)
class VolumeItem(Item):
    """One volume on its way. volume: as last read; stale: changed since then."""

    request: VolumeRequest | None = None
    plan: VolumePlan | None = None
    volume: Volume | None = None
    generation: int = 0
    created_at: float = 0
    stale: bool = False
    final_snapshot_id: str | None = None

    @property
    def volume_id(self) -> str:
        return self.volume.volume_id

    def leaving(self) -> list[Attachment]:
        """Return the attachments that the plan ends."""
        staying = {attachment.instance_id for attachment in self.plan.wanted.holders} if self.plan.wanted else set()
        return [attachment for attachment in self.plan.found.holders if attachment.instance_id not in staying]

    def flag_to_correct(self) -> Attachment | None:
        """Return the attachment as it should be if its delete_on_termination is not what the plan wants, else None."""
        wanted = self.plan.wanted.on_instance(self.request.instance_id) if self.plan.wanted else None
        held = self.volume.on_instance(self.request.instance_id)
        if wanted is None or held is None or held.delete_on_termination == wanted.delete_on_termination:
            return None
        return dataclasses.replace(held, delete_on_termination=wanted.delete_on_termination)


def item_from(options: dict[str, Any]) -> VolumeItem:
    """Return the item that the options describe, with its error when they contradict each other."""
    item = VolumeItem(label=options["volume_id"] or options["name"] or "without volume_id and name")
    with item.catching():
        item.request, item.warnings = request_from(options)
    return item


def plan_all(items: Iterable[VolumeItem], gateway: VolumeGateway, now: datetime.datetime) -> None:
    """Read what exists, for all items together, and give each item its plan or its error."""
    items = [item for item in items if item.error is None]
    requests = [item.request for item in items]
    known = _known(requests, gateway)
    for item in items:
        with item.catching():
            item.volume = find_volume(item.request, known[item.request.label])
    refuse_repetitions(items, "volume", _meant)
    missing = [item.request for item in items if item.volume is None and item.request.state in ("present", "attached")]
    snapshots = gateway.find_source_snapshots(request.snapshot_id for request in missing if request.snapshot_id)
    instances = gateway.find_instances(request.instance_id for request in requests if request.instance_id and request.state != "detached")
    for item in items:
        if item.error is None:
            with item.catching():
                _plan(item, known[item.request.label], snapshots, instances, now)


def _known(requests: list[VolumeRequest], gateway: VolumeGateway) -> dict[str | None, list[Volume]]:
    """Return the volumes that the requests may mean, by id and by name."""
    known = collections.defaultdict(list)
    for volume in gateway.find_volumes(
        ids=[request.volume_id for request in requests if request.volume_id],
        names=[request.name for request in requests if not request.volume_id],
    ):
        known[volume.volume_id].append(volume)
        known[volume.name].append(volume)
    return known


def _meant(item: VolumeItem) -> tuple[str | None, ...]:
    """Return what tells the item's volume from others; several instances may share one."""
    request = item.request
    key = (item.volume.volume_id,) if item.volume else request.identity
    return (*key, request.instance_id) if request.state == "attached" and request.shares else key


def _plan(item: VolumeItem, candidates: list[Volume], snapshots: dict, instances: dict, now: datetime.datetime) -> None:
    request = item.request
    instance = instances.get(request.instance_id)
    item.plan = plan_volume(request, item.volume, instance=instance, snapshot=snapshots.get(request.snapshot_id), now=now)
    item.warnings += item.plan.warnings
    if "create" in item.plan.actions:
        item.generation = next_generation(item.plan.wanted, candidates)
    if "attach" in item.plan.actions:
        # The next item of this instance finds the device name taken.
        device = item.plan.wanted.on_instance(request.instance_id).device
        instances[request.instance_id] = instance.with_device(device, item.label)


def result_of(item: VolumeItem, check_mode: bool, with_diff: bool) -> dict[str, Any]:
    """Return what became of one item, or what would. with_diff: tell what the volume was and is."""
    last = {"final_snapshot_id": item.final_snapshot_id} if item.final_snapshot_id else {}
    if item.error is not None:
        known = {"volume": item.volume.to_result()} if item.volume else {}
        return {"changed": item.acted, **known, **last}
    plan = item.plan
    volume = plan.wanted if check_mode or not plan.changed or plan.wanted is None else item.volume
    after = volume.to_result() if volume else None
    result = {"changed": plan.changed, "volume": after, **last}
    if with_diff:
        result["diff"] = dataclasses.replace(plan, after=after).diff()
    if item.request.state == "attached":
        result["exclusive"] = len(volume.holders) == 1 and not volume.multi_attach
        result["next_steps"] = next_steps(volume, item.request) if volume.volume_id else []
    return result
