"""What keeps snapshots private and undeleted: block public access, and locks. moto has none of these actions."""

from __future__ import annotations

import datetime
from typing import Any

from moto.core.utils import utcnow

from tests.lab.rules.rulebook import Call, check, fake, refuse

UNBLOCKED = "unblocked"


@fake("GetSnapshotBlockPublicAccessState")
def public_access_is_told(call: Call) -> dict[str, Any]:
    """The region's state: unblocked, block-new-sharing or block-all-sharing.

    Source: EC2 API Reference, GetSnapshotBlockPublicAccessState.
    """
    return {"State": getattr(call.backend, "lab_public_access", UNBLOCKED), "ManagedBy": "account"}


@fake("EnableSnapshotBlockPublicAccess")
def public_access_is_blocked(call: Call) -> dict[str, Any]:
    """Blocks new public sharing, or all of it, in a region: InvalidParameterValue for another state.

    Source: EC2 API Reference, EnableSnapshotBlockPublicAccess.
    """
    state = call.get("State")
    if state not in ("block-new-sharing", "block-all-sharing"):
        refuse("InvalidParameterValue", f"Invalid value '{state}' for state.")
    call.backend.lab_public_access = state
    return {"State": state}


@fake("DisableSnapshotBlockPublicAccess")
def public_access_is_allowed(call: Call) -> dict[str, Any]:
    """Allows public sharing in a region again.

    Source: EC2 API Reference, DisableSnapshotBlockPublicAccess.
    """
    call.backend.lab_public_access = UNBLOCKED
    return {"State": UNBLOCKED}


@check("ModifySnapshotAttribute")
def blocked_access_stays_private(call: Call) -> None:
    """While public access is blocked, a snapshot cannot be shared with everyone: OperationNotPermitted.

    Source: Amazon EBS User Guide, "Block public access for Amazon EBS snapshots".
    """
    blocked = getattr(call.backend, "lab_public_access", UNBLOCKED) != UNBLOCKED
    if blocked and call.get("OperationType") == "add" and "all" in call.get("GroupNames", []):
        refuse("OperationNotPermitted", "Public sharing of snapshots is blocked in this Region.")


@fake("LockSnapshot")
def snapshot_is_locked(call: Call) -> dict[str, Any]:
    """Locks a snapshot in governance or compliance mode, for days or until a time, never both: InvalidParameterCombination.

    A lock in force is changed; one in compliance mode whose cooling-off is over can only be made longer, without a new cooling-off.

    Source: EC2 API Reference, LockSnapshot.
    """
    snapshot = call.backend.get_snapshot(call.get("SnapshotId"))
    days, until = call.get("LockDuration"), call.get("ExpirationDate")
    if bool(days) == bool(until):
        refuse("InvalidParameterCombination", "Specify either LockDuration or ExpirationDate.")
    if call.get("CoolOffPeriod") and call.get("LockMode") != "compliance":
        refuse("InvalidParameterCombination", "CoolOffPeriod can only be used with the compliance mode.")
    now = utcnow()
    cool_off = datetime.timedelta(hours=call.get("CoolOffPeriod", 0))
    end = (now + cool_off + datetime.timedelta(days=days) if days else until).replace(tzinfo=None)
    if _is_locked(snapshot) and snapshot.lab_lock["LockState"] == "compliance":
        longer = end >= snapshot.lab_lock["LockExpiresOn"] and call.get("LockMode") == "compliance"
        if cool_off or not longer:
            refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is locked in compliance mode.")
    snapshot.lab_lock = {
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.owner_id,
        "LockState": "compliance-cooloff" if cool_off else call.get("LockMode"),
        "LockDuration": days or max(1, (end - now).days),
        "CoolOffPeriod": call.get("CoolOffPeriod"),
        "CoolOffPeriodExpiresOn": now + cool_off if cool_off else None,
        "LockCreatedOn": now,
        "LockDurationStartTime": now,
        "LockExpiresOn": end,
    }
    return snapshot.lab_lock


@fake("UnlockSnapshot")
def snapshot_is_unlocked(call: Call) -> dict[str, Any]:
    """Unlocks a snapshot that is not locked in compliance mode: OperationNotPermitted.

    Source: EC2 API Reference, UnlockSnapshot.
    """
    snapshot = call.backend.get_snapshot(call.get("SnapshotId"))
    if not _is_locked(snapshot):
        refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is not locked.")
    if snapshot.lab_lock["LockState"] == "compliance":
        refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is locked in compliance mode.")
    del snapshot.lab_lock
    return {"SnapshotId": snapshot.id}


@fake("DescribeLockedSnapshots")
def locks_are_described(call: Call) -> dict[str, Any]:
    """The locked snapshots, by id and lock state.

    Source: EC2 API Reference, DescribeLockedSnapshots.
    """
    ids = call.get("SnapshotIds") or list(call.backend.snapshots)
    locks = [snapshot.lab_lock for snapshot in map(call.backend.get_snapshot, ids) if _is_locked(snapshot)]
    states = call.response._filters_from_querystring().get("lock-state")
    return {"Snapshots": [lock for lock in locks if states is None or lock["LockState"] in states]}


@check("DeleteSnapshot")
def locked_snapshot_stays(call: Call) -> None:
    """A locked snapshot cannot be deleted: OperationNotPermitted.

    Source: Amazon EBS User Guide, "Amazon EBS snapshot lock": a locked snapshot can't be deleted by any user.
    """
    snapshot = call.backend.snapshots.get(call.get("SnapshotId"))
    if snapshot and _is_locked(snapshot):
        refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is locked.")


def _is_locked(snapshot: Any) -> bool:
    return getattr(snapshot, "lab_lock", None) is not None
