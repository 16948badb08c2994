"""What a request may call a volume or a snapshot."""

from __future__ import annotations

import re
from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot

from tests.lab.rules.rulebook import Call, check, extend, refuse

IDENTIFIERS = {
    "VolumeId": ("vol", "InvalidVolumeID.Malformed"),
    "VolumeIds": ("vol", "InvalidVolumeID.Malformed"),
    "SnapshotId": ("snap", "InvalidSnapshotID.Malformed"),
    "SourceSnapshotId": ("snap", "InvalidSnapshotID.Malformed"),
    "SnapshotIds": ("snap", "InvalidSnapshotID.Malformed"),
}


@check(
    "AttachVolume", "CopySnapshot", "CreateSnapshot", "CreateVolume", "DeleteSnapshot", "DeleteVolume", "DescribeSnapshots",
    "DescribeVolumes", "DetachVolume", "ModifySnapshotAttribute", "ModifyVolume",
)  # fmt: skip
def identifier_is_well_formed(call: Call) -> None:
    """An id is vol- or snap- and 8 or 17 hexadecimal digits: InvalidVolumeID.Malformed, InvalidSnapshotID.Malformed.

    Source: EC2 API Reference, error codes; Amazon EC2 User Guide, "Resource IDs".
    """
    for parameter, (prefix, code) in IDENTIFIERS.items():
        given = call.get(parameter) or []
        for identifier in [given] if isinstance(given, str) else given:
            if not re.fullmatch(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", identifier):
                refuse(code, f'Invalid id: "{identifier}" (expecting "{prefix}-...")')


@extend(EBSBackend, "delete_snapshot")
def missing_snapshot_is_named(original: Any, backend: Any, snapshot_id: str) -> Snapshot:
    """A snapshot that does not exist is named in the error: InvalidSnapshot.NotFound.

    Source: EC2 API Reference, error code InvalidSnapshot.NotFound.
    """
    if snapshot_id not in backend.snapshots:
        refuse("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    return original(backend, snapshot_id)
