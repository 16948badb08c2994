"""Taking, copying and deleting snapshots."""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot

from tests.lab.rules.rulebook import Call, answer, check, derive, extend, fake, refuse
from tests.lab.rules.volume_types import VOLUME_TYPES
from tests.lab.states import progress

NO_VOLUME = "vol-ffffffff"  # what EC2 says of a copy, which has no volume


@derive(Snapshot, "status")
def snapshot_state(original: Any, snapshot: Snapshot) -> str:
    """A new snapshot is pending until its blocks have been stored.

    Source: Amazon EBS User Guide, "Create Amazon EBS snapshots".
    """
    return "pending" if progress("snapshot", snapshot.start_time) < 1 else original(snapshot)


@derive(Snapshot, "progress")
def snapshot_progress(original: Any, snapshot: Snapshot) -> str:
    """Progress grows from 0% to 100%.

    Source: EC2 API Reference, Snapshot, field progress.
    """
    return f"{min(100, int(100 * min(1, progress('snapshot', snapshot.start_time))))}%"


@check("CreateSnapshot")
def snapshot_of_a_finished_volume(call: Call) -> None:
    """A snapshot is taken of a volume that is available or in use: IncorrectState.

    Source: Amazon EBS User Guide, "Amazon EBS volume lifecycle".
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if volume.status not in ("available", "in-use"):
        refuse("IncorrectState", f"Volume '{volume.id}' is in the '{volume.status}' state.")


@check("CreateSnapshot")
def few_snapshots_at_a_time(call: Call) -> None:
    """A volume has at most five pending snapshots, st1 and sc1 one: ConcurrentSnapshotLimitExceeded.

    Source: Amazon EBS User Guide, "Quotas for Amazon EBS": concurrent snapshots per volume.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    snapshots = call.backend.snapshots.values()
    pending = [snapshot for snapshot in snapshots if snapshot.volume_id == volume.id and snapshot.status == "pending"]
    if len(pending) >= VOLUME_TYPES[volume.volume_type].concurrent_snapshots:
        refuse("ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded.")


@answer("CreateSnapshot")
def new_snapshot_is_pending(call: Call, proceed: Any) -> Any:
    """CreateSnapshot answers before there is anything to report: pending, without progress.

    Source: EC2 API Reference, CreateSnapshot, example response.
    """
    return _as_pending(proceed().result)


@extend(EBSBackend, "create_snapshot")
def snapshot_keeps_its_size(original: Any, backend: Any, *arguments: Any, **named: Any) -> Snapshot:
    """A snapshot keeps the size that its volume had.

    Source: EC2 API Reference, Snapshot, field volumeSize.
    """
    snapshot = original(backend, *arguments, **named)
    snapshot.volume = copy.copy(snapshot.volume)
    return snapshot


@check("CopySnapshot")
def copied_snapshot_is_completed(call: Call) -> None:
    """Only a completed snapshot can be copied: IncorrectState.

    Source: Amazon EBS User Guide, "Copy an Amazon EBS snapshot": the source must be in the completed state.
    """
    source = ec2_backends[call.account][call.get("SourceRegion")].get_snapshot(call.get("SourceSnapshotId"))
    if source.status != "completed":
        refuse("IncorrectState", f"The snapshot '{source.id}' is in the '{source.status}' state.")


@extend(EBSBackend, "copy_snapshot")
def copy_has_no_volume(original: Any, backend: Any, **named: Any) -> Snapshot:
    """A copy names a volume that does not exist.

    Source: EC2 API Reference, Snapshot, field volumeId: "an arbitrary volume ID that you should not use for any purpose".
    """
    snapshot = original(backend, **named)
    snapshot.volume = copy.copy(snapshot.volume)
    snapshot.volume.id = NO_VOLUME
    return snapshot


@fake("CreateSnapshots")
def snapshots_of_an_instance(call: Call) -> dict[str, Any]:
    """One snapshot of each volume of an instance, without those excluded, with the volumes' tags if asked for.

    Source: EC2 API Reference, CreateSnapshots and InstanceSpecification.
    """
    wanted = call.get("InstanceSpecification")
    instance = call.backend.get_instance(wanted["InstanceId"])
    excluded = set(wanted.get("ExcludeDataVolumeIds", ()))
    tags = call.response._parse_tag_specification().get("snapshot", {})
    snapshots = []
    for device, mapping in instance.get_block_device_mapping:
        is_root = device == instance.root_device_name
        if mapping.volume_id in excluded or (is_root and wanted.get("ExcludeBootVolume")):
            continue
        snapshot = call.backend.create_snapshot(mapping.volume_id, call.get("Description", ""))
        if call.get("CopyTagsFromSource") == "volume":
            snapshot.add_tags(dict(call.backend.tags[mapping.volume_id]))
        snapshot.add_tags(tags)
        snapshots.append(_as_pending(snapshot))
    return {"Snapshots": snapshots}


def _as_pending(snapshot: Snapshot) -> dict[str, Any]:
    """The answer about a snapshot that has just begun."""
    return {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.volume_size,
        "OwnerId": snapshot.owner_id,
        "StartTime": snapshot.start_time,
        "Description": snapshot.description,
        "Encrypted": snapshot.encrypted,
        "Tags": snapshot.tag_set,
        "State": "pending",
        "Progress": "",
    }
