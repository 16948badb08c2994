"""Fast snapshot restore: volumes that are fast from their first second. moto has none of these actions."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import utcnow

from tests.lab.rules.rulebook import Call, answer, check, fake, refuse
from tests.lab.states import progress


@dataclass
class FastRestore:
    """Fast restore of one snapshot in one zone."""

    snapshot_id: str
    availability_zone: str
    owner_id: str
    enabling_time: datetime.datetime = field(default_factory=utcnow)

    @property
    def state(self) -> str:
        """Enabling, then as long again optimizing, then enabled."""
        done = progress("fast_restore", self.enabling_time)
        return "enabling" if done < 1 else "optimizing" if done < 2 else "enabled"

    def as_answer(self, state: str) -> dict[str, Any]:
        """The answer's item."""
        return {
            "SnapshotId": self.snapshot_id,
            "AvailabilityZone": self.availability_zone,
            "OwnerId": self.owner_id,
            "State": state,
            "StateTransitionReason": "Client.UserInitiated",
            "EnablingTime": self.enabling_time,
        }


@fake("EnableFastSnapshotRestores")
def fast_restore_is_enabled(call: Call) -> dict[str, Any]:
    """Enables fast restore of snapshots in zones; a snapshot that does not exist is reported as unsuccessful.

    Source: EC2 API Reference, EnableFastSnapshotRestores.
    """
    known, good, bad = _restores(call.backend), [], []
    for snapshot_id in call.get("SourceSnapshotIds"):
        if snapshot_id not in call.backend.snapshots:
            bad.append(_unsuccessful(snapshot_id, call.get("AvailabilityZones")))
            continue
        for zone in call.get("AvailabilityZones"):
            restore = known.setdefault((snapshot_id, zone), FastRestore(snapshot_id, zone, call.account))
            good.append(restore.as_answer(restore.state if restore.state == "enabled" else "enabling"))
    return {"Successful": good, "Unsuccessful": bad}


@fake("DisableFastSnapshotRestores")
def fast_restore_is_disabled(call: Call) -> dict[str, Any]:
    """Disables fast restore of snapshots in zones; where it was not enabled, it is reported as unsuccessful.

    Source: EC2 API Reference, DisableFastSnapshotRestores.
    """
    known, good, bad = _restores(call.backend), [], []
    for snapshot_id in call.get("SourceSnapshotIds"):
        for zone in call.get("AvailabilityZones"):
            restore = known.pop((snapshot_id, zone), None)
            if restore:
                good.append(restore.as_answer("disabling"))
            else:
                bad.append(_unsuccessful(snapshot_id, [zone]))
    return {"Successful": good, "Unsuccessful": bad}


@fake("DescribeFastSnapshotRestores")
def fast_restores_are_described(call: Call) -> dict[str, Any]:
    """Fast restores by snapshot, zone, owner and state.

    Source: EC2 API Reference, DescribeFastSnapshotRestores.
    """
    filters = call.response._filters_from_querystring()
    found = [restore.as_answer(restore.state) for restore in _restores(call.backend).values()]
    fields = {"snapshot-id": "SnapshotId", "availability-zone": "AvailabilityZone", "owner-id": "OwnerId", "state": "State"}
    for name, values in filters.items():
        if name not in fields:
            refuse("InvalidParameterValue", f"The filter '{name}' is invalid")
        found = [item for item in found if item[fields[name]] in values]
    return {"FastSnapshotRestores": found}


@answer("CreateVolume")
def volume_is_fast_restored(call: Call, proceed: Any) -> Any:
    """A volume made in a zone where its snapshot is enabled for fast restore says so.

    Source: EC2 API Reference, Volume, field fastRestored.
    """
    result = proceed()
    restore = _restores(call.backend).get((call.get("SnapshotId"), call.get("AvailabilityZone")))
    result.result.fast_restored = bool(restore and restore.state == "enabled" and not call.get("VolumeInitializationRate"))
    return result


@check("DeleteSnapshot")
def fast_restored_snapshot_stays(call: Call) -> None:
    """A snapshot enabled for fast restore cannot be deleted: InvalidSnapshot.InUse.

    Source: Amazon EBS User Guide, "Amazon EBS fast snapshot restore": disable it before you delete the snapshot.
    """
    snapshot_id = call.get("SnapshotId")
    zones = sorted(zone for snapshot, zone in _restores(call.backend) if snapshot == snapshot_id)
    if zones:
        refuse("InvalidSnapshot.InUse", f"The snapshot {snapshot_id} is currently enabled for fast restores in {', '.join(zones)}.")


def _restores(backend: Any) -> dict[tuple[str, str], FastRestore]:
    """The fast restores of an account and region, by snapshot and zone."""
    return vars(backend).setdefault("lab_fast_restores", {})


def _unsuccessful(snapshot_id: str, zones: list[str]) -> dict[str, Any]:
    error = {"Code": "InvalidSnapshot.NotFound", "Message": f"The snapshot '{snapshot_id}' does not exist or is not enabled."}
    return {
        "SnapshotId": snapshot_id,
        "FastSnapshotRestoreStateErrors": [{"AvailabilityZone": zone, "Error": error} for zone in zones],
    }
