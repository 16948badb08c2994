"""Creating and deleting volumes."""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend, Volume

from tests.lab.rules.rulebook import Call, answer, check, derive, extend, refuse
from tests.lab.rules.volume_types import GP3_THROUGHPUT, check_iops, check_size, check_throughput, check_type
from tests.lab.states import progress

INITIALIZATION_RATE_MIB = (100, 300)


@answer("CreateVolume")
def new_volume_is_creating(call: Call, proceed: Any) -> Any:
    """CreateVolume answers before the volume is there: creating.

    Source: EC2 API Reference, CreateVolume, example response.
    """
    told = copy.copy(proceed().result)
    told.State = "creating"
    return told


@check("CreateVolume")
def zone_is_given_once(call: Call) -> None:
    """Either AvailabilityZone or AvailabilityZoneId is given, not both: MissingParameter, InvalidParameterCombination.

    Source: EC2 API Reference, CreateVolume, parameter AvailabilityZone.
    """
    name, identifier = call.get("AvailabilityZone"), call.get("AvailabilityZoneId")
    if not name and not identifier:
        refuse("MissingParameter", "The request must contain the parameter AvailabilityZone or AvailabilityZoneId")
    if name and identifier:
        refuse("InvalidParameterCombination", "The parameters AvailabilityZone and AvailabilityZoneId cannot be used together")


@check("CreateVolume")
def zone_exists(call: Call) -> None:
    """The zone is one of the region's, by name or by id: InvalidZone.NotFound.

    Source: EC2 API Reference, error code InvalidZone.NotFound.
    """
    wanted = call.get("AvailabilityZone") or call.get("AvailabilityZoneId")
    for zone in call.backend.describe_availability_zones():
        if wanted in (zone.name, zone.zone_id):
            call.set("AvailabilityZone", zone.name)
            return
    refuse("InvalidZone.NotFound", f"The zone '{wanted}' does not exist.")


@check("CreateVolume")
def volume_type_exists(call: Call) -> None:
    """The type is one that EBS has: UnknownVolumeType.

    Source: EC2 API Reference, CreateVolume, parameter VolumeType; error code UnknownVolumeType.
    """
    check_type(call.get("VolumeType", "gp2"))


@check("CreateVolume")
def snapshot_is_usable(call: Call) -> None:
    """A volume is made from a completed snapshot that is not archived: IncorrectState.

    Source: Amazon EBS User Guide, "Archive Amazon EBS snapshots": restore an archived snapshot before you use it.
    """
    if call.get("SnapshotId"):
        check_snapshot(call.backend.get_snapshot(call.get("SnapshotId")))


@check("CreateVolume")
def volume_holds_its_snapshot(call: Call) -> None:
    """A volume is not smaller than its snapshot: InvalidParameterValue.

    Source: EC2 API Reference, CreateVolume, parameter Size.
    """
    size = call.get("Size")
    if size and call.get("SnapshotId"):
        snapshot = call.backend.get_snapshot(call.get("SnapshotId"))
        if size < snapshot.volume_size:
            refuse("InvalidParameterValue", smaller_than_snapshot(size, snapshot))


@check("CreateVolume")
def volume_is_within_its_type(call: Call) -> None:
    """Size, IOPS and throughput lie in the type's ranges and ratios: InvalidParameterValue.

    Source: EC2 API Reference, CreateVolume, parameters Size, Iops and Throughput; Amazon EBS User Guide, "Amazon EBS volume types".
    """
    kind = call.get("VolumeType", "gp2")
    size = call.get("Size")
    if size is None and call.get("SnapshotId"):
        size = call.backend.get_snapshot(call.get("SnapshotId")).volume_size
    if size is not None:
        check_size(kind, size)
        check_iops(kind, size, call.get("Iops"))
    check_throughput(kind, call.get("Iops"), call.get("Throughput"))


@answer("CreateVolume")
def initialization_rate_is_kept(call: Call, proceed: Any) -> Any:
    """VolumeInitializationRate is 100 to 300 MiB/s, only with a snapshot, and described afterwards: InvalidParameterValue.

    Source: EC2 API Reference, CreateVolume, parameter VolumeInitializationRate.
    """
    rate = call.get("VolumeInitializationRate")
    if rate is None:
        return proceed()
    low, high = INITIALIZATION_RATE_MIB
    if not call.get("SnapshotId"):
        refuse("InvalidParameterCombination", "The parameter VolumeInitializationRate can only be used with the parameter SnapshotId")
    if not low <= rate <= high:
        refuse("InvalidParameterValue", f"Volume initialization rate of {rate} MiBps is out of range; it must be {low} to {high} MiBps.")
    result = proceed()
    result.result.volume_initialization_rate = rate
    return result


@extend(EBSBackend, "create_volume")
def gp3_throughput_by_default(original: Any, backend: Any, **named: Any) -> Volume:
    """A gp3 volume has 125 MiB/s when nothing else is asked for.

    Source: Amazon EBS User Guide, "General Purpose SSD (gp3) volumes".
    """
    if named.get("volume_type") == "gp3" and not named.get("throughput"):
        named["throughput"] = GP3_THROUGHPUT
    return original(backend, **named)


@derive(Volume, "iops")
def gp2_baseline(original: Any, volume: Volume) -> int | None:
    """A gp2 volume is described with its baseline: 3 IOPS per GiB, at least 100 and at most 16,000.

    Source: EC2 API Reference, Volume, field iops; Amazon EBS User Guide, "General Purpose SSD (gp2) volumes".
    """
    if volume.volume_type == "gp2":
        return min(max(3 * volume.size, 100), 16000)
    return original(volume)


@derive(Volume, "snapshot_id")
def snapshot_id_is_described(original: Any, volume: Volume) -> str:
    """A volume without a snapshot is described with an empty SnapshotId.

    Source: EC2 API Reference, DescribeVolumes, example response.
    """
    return original(volume) or ""


@derive(Volume, "multi_attach_enabled")
def multi_attach_is_described(original: Any, volume: Volume) -> bool:
    """MultiAttachEnabled is described for each volume.

    Source: EC2 API Reference, Volume, field multiAttachEnabled.
    """
    return bool(original(volume))


@derive(Volume, "status")
def volume_state(original: Any, volume: Volume) -> str:
    """A new volume is creating for a while.

    Source: Amazon EBS User Guide, "Amazon EBS volume lifecycle".
    """
    return "creating" if progress("volume", volume.create_time) < 1 else original(volume)


@check("DeleteVolume")
def deleted_volume_is_ready(call: Call) -> None:
    """A volume that is still being created cannot be deleted: IncorrectState.

    Source: EC2 API Reference, DeleteVolume: "The volume must be in the available state".
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if volume.status == "creating":
        refuse("IncorrectState", f"The volume '{volume.id}' is in the 'creating' state.")


def check_snapshot(snapshot: Any) -> None:
    """Refuse a snapshot from which no volume can be made."""
    if snapshot.status != "completed":
        refuse("IncorrectState", f"Snapshot is in invalid state - {snapshot.status}")
    if snapshot.storage_tier == "archive" and snapshot.restore_expiry_time is None:
        refuse("IncorrectState", f"The snapshot '{snapshot.id}' is archived. Restore it before you create a volume from it.")


def smaller_than_snapshot(size_gib: int, snapshot: Any) -> str:
    """The text of the refusal."""
    return f"Volume of size {size_gib}GB is smaller than snapshot '{snapshot.id}', expect size >= {snapshot.volume_size}GB"
