"""Modifying volumes: bigger, faster, another type; how often, and how long it takes."""

from __future__ import annotations

import copy
import datetime
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.elastic_block_store import EBSBackend, Volume

from tests.lab.rules.rulebook import Call, answer, check, derive, extend, refuse
from tests.lab.rules.volume_types import GP3_IOPS, GP3_THROUGHPUT, VOLUME_TYPES, check_iops, check_size, check_throughput, check_type
from tests.lab.states import age, progress

AT_MOST, WITHIN = 4, datetime.timedelta(hours=24)


@dataclass
class Modification:
    """One modification: what the volume was, and what it becomes."""

    volume: Volume
    original: dict[str, Any]
    target: dict[str, Any]
    start_time: datetime.datetime = field(default_factory=utcnow)

    def __getattr__(self, name: str) -> Any:
        """original_size, target_iops and their like, by the names that moto's answer asks for."""
        side, _, what = name.partition("_")
        if side in ("original", "target") and what in self.original:
            return (self.original if side == "original" else self.target)[what]
        raise AttributeError(name)

    @property
    def volume_id(self) -> str:
        """The volume's id."""
        return self.volume.id

    @property
    def modification_state(self) -> str:
        """Modifying, then as long again optimizing, then completed."""
        done = progress("modification", self.start_time)
        return "modifying" if done < 1 else "optimizing" if done < 2 else "completed"

    @property
    def progress(self) -> int:
        """In percent, over both states."""
        return min(100, int(50 * min(2, progress("modification", self.start_time))))

    @property
    def end_time(self) -> datetime.datetime | None:
        """When it was completed."""
        return utcnow() if self.modification_state == "completed" else None


@check("ModifyVolume")
def one_modification_at_a_time(call: Call) -> None:
    """The modification before must be completed: IncorrectModificationState.

    Source: EC2 API Reference, ModifyVolume: "you must wait for that modification to reach the completed state".
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    state = volume.modifications[-1].modification_state if volume.modifications else "completed"
    if state != "completed":
        refuse("IncorrectModificationState", f"Volume {volume.id} cannot be modified in modification state {state.upper()}")


@check("ModifyVolume")
def four_modifications_a_day(call: Call) -> None:
    """A volume is modified at most four times in 24 hours: VolumeModificationRateExceeded.

    Source: EC2 API Reference, ModifyVolume: "up to four times within a rolling 24-hour period".
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    recent = [one for one in volume.modifications if age(one.start_time) < WITHIN.total_seconds()]
    if len(recent) >= AT_MOST:
        refuse("VolumeModificationRateExceeded", f"You've reached the maximum modification rate per volume limit: {AT_MOST} in 24 hours.")


@check("ModifyVolume")
def volume_only_grows(call: Call) -> None:
    """A volume cannot shrink: InvalidParameterValue.

    Source: EC2 API Reference, ModifyVolume, parameter Size: "must be greater than or equal to the existing size".
    """
    size, volume = call.get("Size"), call.backend.get_volume(call.get("VolumeId"))
    if size is not None and size < volume.size:
        refuse("InvalidParameterValue", "New size cannot be smaller than existing size")


@check("ModifyVolume")
def modified_volume_is_within_its_type(call: Call) -> None:
    """The new size, IOPS and throughput lie in the ranges and ratios of the new type: InvalidParameterValue.

    Source: EC2 API Reference, ModifyVolume, parameters Size, Iops and Throughput.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    kind = call.get("VolumeType", volume.volume_type)
    check_type(kind)
    if call.get("Iops") is not None and VOLUME_TYPES[kind].iops is None:
        refuse("InvalidParameterCombination", f"The parameter Iops cannot be used with volume type {kind}")
    if call.get("Throughput") is not None and VOLUME_TYPES[kind].throughput_mib is None:
        refuse("InvalidParameterCombination", f"The parameter Throughput cannot be used with volume type {kind}")
    wanted = {"size": call.get("Size"), "volume_type": kind, "iops": call.get("Iops"), "throughput": call.get("Throughput")}
    target = _target(volume, wanted)
    check_size(kind, target["size"])
    check_iops(kind, target["size"], target["iops"])
    check_throughput(kind, target["iops"], target["throughput"])


@answer("ModifyVolume")
def new_modification_is_modifying(call: Call, proceed: Any) -> dict[str, Any]:
    """ModifyVolume answers before anything has changed: modifying, without progress.

    Source: EC2 API Reference, ModifyVolume, example response.
    """
    proceed()
    told = copy.copy(call.backend.get_volume(call.get("VolumeId")).modifications[-1])
    told.ModificationState, told.Progress, told.EndTime = "modifying", 0, None
    return {"VolumeModification": told}


@extend(EBSBackend, "modify_volume")
def modification_says_all(original: Any, backend: Any, volume_id: str, *wanted: Any) -> Volume:
    """A modification tells every original and target value; what is left out stays, or takes the new type's default.

    Source: EC2 API Reference, ModifyVolume, parameters Iops and Throughput, and VolumeModification.
    """
    if not any(value is not None for value in wanted):
        refuse("InvalidParameterValue", "Must specify at least one of size, type, iops, throughput, multi_attach_enabled")
    volume = backend.get_volume(volume_id)
    names = ("size", "volume_type", "iops", "throughput", "multi_attach_enabled")
    before = {name: getattr(volume, name) for name in names}
    target = _target(volume, dict(zip(names, wanted, strict=False)))
    for name, value in target.items():
        setattr(volume, name, value)
    volume.modifications.append(Modification(volume, before, target))
    return volume


@derive(Volume, "size")
def size_grows_after_modifying(original: Any, volume: Volume) -> int:
    """The new size counts once the modification has reached optimizing.

    Source: Amazon EBS User Guide, "Monitor the progress of Amazon EBS volume modifications".
    """
    last = volume.modifications[-1] if vars(volume).get("modifications") else None
    if isinstance(last, Modification) and last.modification_state == "modifying":
        return last.original["size"]
    return original(volume)


@answer("DescribeVolumesModifications")
def last_modification_is_described(call: Call, proceed: Any) -> dict[str, Any]:
    """Each volume's last modification is described; a volume named that had none: InvalidVolumeModification.NotFound.

    Source: EC2 API Reference, DescribeVolumesModifications: "the most recent volume modification request".
    """
    ids = call.get("VolumeIds", [])
    volumes = call.backend.describe_volumes(ids)
    for volume in volumes:
        if ids and not volume.modifications:
            refuse("InvalidVolumeModification.NotFound", f"Modification for volume '{volume.id}' does not exist.")
    found = [volume.modifications[-1] for volume in volumes if volume.modifications]
    for name, values in call.response._filters_from_querystring().items():
        found = [one for one in found if str(getattr(one, name.replace("-", "_"), None)) in values]
    return {"VolumesModifications": found}


def _target(volume: Volume, wanted: dict[str, Any]) -> dict[str, Any]:
    """What a volume becomes: what is asked for, else what it has, else the default of a type it did not have before."""
    target = {name: getattr(volume, name) if value is None else value for name, value in wanted.items()}
    kind = VOLUME_TYPES[target["volume_type"]]
    if target["volume_type"] != volume.volume_type:
        target["iops"] = wanted["iops"] or GP3_IOPS
        target["throughput"] = wanted["throughput"] or GP3_THROUGHPUT
    if kind.iops is None:
        target["iops"] = None
    if kind.throughput_mib is None:
        target["throughput"] = None
    return target
