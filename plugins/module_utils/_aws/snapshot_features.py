# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The EC2 calls about what a snapshot can have beside data and tags: a lock, a storage tier, fast restore, a ban on being public."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.ebs.lock import COMPLIANCE, Lock, LockRequest
from .._core.ebs.public_access import EC2_STATES, STATES, UNBLOCKED, PublicAccess
from .._core.ebs.tier import Tier
from .._core.errors import ExplainedError
from .errors import explained


class SnapshotFeatures:
    """ec2: a boto3 EC2 client. Every method may raise ExplainedError."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2

    # Locks

    def lock_of(self, snapshot_id: str) -> Lock | None:
        """Return the lock that is in force, or None."""
        return self.locks_of([snapshot_id]).get(snapshot_id)

    def locks_of(self, snapshot_ids: Iterable[str] | None) -> dict[str, Lock]:
        """Return the locks in force by snapshot id; None: of all snapshots of the account here."""
        arguments = {} if snapshot_ids is None else {"SnapshotIds": list(snapshot_ids)}
        found: dict[str, Lock] = {}
        while True:
            with explained("read the locks of snapshots"):
                answer = self._ec2.describe_locked_snapshots(**arguments)
            for one in answer["Snapshots"]:
                if one["LockState"] != "expired":
                    expires = one.get("LockExpiresOn")
                    found[one["SnapshotId"]] = Lock(one["LockState"], one["LockDuration"], expires.isoformat() if expires else None)
            if not answer.get("NextToken"):
                return found
            arguments["NextToken"] = answer["NextToken"]

    def lock(self, snapshot_id: str, request: LockRequest) -> None:
        cool_off = {"CoolOffPeriod": request.cool_off_hours} if request.mode == COMPLIANCE and request.cool_off_hours else {}
        with explained("lock the snapshot", resource=snapshot_id):
            self._ec2.lock_snapshot(SnapshotId=snapshot_id, LockMode=request.mode, LockDuration=request.days, **cool_off)

    def unlock(self, snapshot_id: str) -> None:
        with explained("unlock the snapshot", resource=snapshot_id):
            self._ec2.unlock_snapshot(SnapshotId=snapshot_id)

    # Storage tiers

    def tier_of(self, snapshot_id: str) -> Tier:
        with explained("read the storage tier of", resource=snapshot_id):
            answer = self._ec2.describe_snapshot_tier_status(Filters=[{"Name": "snapshot-id", "Values": [snapshot_id]}])
        found = answer["SnapshotTierStatuses"]
        if not found:
            return Tier()
        until = found[0].get("RestoreExpiryTime")
        return Tier(found[0]["StorageTier"], found[0].get("LastTieringOperationStatus"), until.isoformat() if until else None)

    def archive(self, snapshot_id: str) -> None:
        with explained("archive the snapshot", resource=snapshot_id):
            self._ec2.modify_snapshot_tier(SnapshotId=snapshot_id, StorageTier="archive")

    def restore(self, snapshot_id: str, temporary_days: int | None) -> None:
        """Restore a snapshot from the archive, for some days or, without temporary_days, for good."""
        how = {"TemporaryRestoreDays": temporary_days} if temporary_days else {"PermanentRestore": True}
        with explained("restore from the archive", resource=snapshot_id):
            self._ec2.restore_snapshot_tier(SnapshotId=snapshot_id, **how)

    # Fast restore

    def fast_restores_of(self, snapshot_id: str) -> dict[str, str]:
        """Return EC2's state of fast restore by zone."""
        return self.fast_restores([snapshot_id]).get(snapshot_id, {})

    def fast_restores(self, snapshot_ids: Iterable[str] | None) -> dict[str, dict[str, str]]:
        """Return EC2's state of fast restore by snapshot and zone; None: of all snapshots."""
        filters = [] if snapshot_ids is None else [{"Name": "snapshot-id", "Values": list(snapshot_ids)}]
        found: dict[str, dict[str, str]] = {}
        with explained("read where snapshots are restored fast"):
            for page in self._ec2.get_paginator("describe_fast_snapshot_restores").paginate(Filters=filters):
                for one in page["FastSnapshotRestores"]:
                    found.setdefault(one["SnapshotId"], {})[one["AvailabilityZone"]] = one["State"]
        return found

    def set_fast_restore(self, snapshot_id: str, zones: list[str], fast: bool) -> None:
        """Turn fast restore on or off in some zones; raises ExplainedError with EC2's reason for each zone that refuses."""
        call = self._ec2.enable_fast_snapshot_restores if fast else self._ec2.disable_fast_snapshot_restores
        with explained(f"turn fast restore {'on' if fast else 'off'} for", resource=snapshot_id):
            answer = call(SourceSnapshotIds=[snapshot_id], AvailabilityZones=zones)
        refusals = [one for failure in answer.get("Unsuccessful", []) for one in failure["FastSnapshotRestoreStateErrors"]]
        if refusals:
            reasons = "; ".join(f"{one['AvailabilityZone']}: {one['Error'].get('Message', one['Error'].get('Code'))}" for one in refusals)
            raise ExplainedError(
                f"Cannot turn fast restore {'on' if fast else 'off'} for {snapshot_id}: {reasons}",
                resource=snapshot_id,
                next_step="Check the zones; an account may use fast restore for 5 snapshots in a region unless AWS raises that quota.",
            )

    # Public access

    def public_access(self) -> PublicAccess:
        with explained("find out whether public snapshots are blocked"):
            answer = self._ec2.get_snapshot_block_public_access_state()
        return PublicAccess(STATES[answer["State"]], answer.get("ManagedBy", "account"))

    def set_public_access(self, state: str) -> None:
        """state: one of ours, such as blocked-all-sharing."""
        with explained("change whether public snapshots are blocked"):
            if state == UNBLOCKED:
                self._ec2.disable_snapshot_block_public_access()
            else:
                self._ec2.enable_snapshot_block_public_access(State=EC2_STATES[state])
