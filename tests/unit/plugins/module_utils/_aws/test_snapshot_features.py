import contextlib
import datetime

import boto3
import pytest
from botocore.stub import Stubber

from plugins.module_utils._aws.snapshot_features import SnapshotFeatures
from plugins.module_utils._core.ebs.lock import Lock, LockRequest
from plugins.module_utils._core.ebs.public_access import PublicAccess
from plugins.module_utils._core.ebs.tier import Tier
from plugins.module_utils._core.errors import ExplainedError

END = datetime.datetime(2026, 12, 22, tzinfo=datetime.UTC)


@contextlib.contextmanager
def stubbed():
    ec2 = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    with Stubber(ec2) as stub:
        yield SnapshotFeatures(ec2), stub
        stub.assert_no_pending_responses()


def test_locks_are_read_page_by_page_and_expired_ones_do_not_count():
    pages = [("snap-1", "governance", "more"), ("snap-2", "expired", None)]
    with stubbed() as (features, stub):
        for snapshot_id, state, token in pages:
            found = {"SnapshotId": snapshot_id, "LockState": state, "LockDuration": 30, "LockExpiresOn": END}
            stub.add_response("describe_locked_snapshots", {"Snapshots": [found], **({"NextToken": token} if token else {})})
        assert features.locks_of(["snap-1", "snap-2"]) == {"snap-1": Lock("governance", 30, "2026-12-22T00:00:00+00:00")}


@pytest.mark.parametrize(
    ("request_", "cool_off"),
    [(LockRequest("governance", 7), {}), (LockRequest("compliance", 7, cool_off_hours=4), {"CoolOffPeriod": 4})],
)
def test_a_lock_is_one_call(request_, cool_off):
    with stubbed() as (features, stub):
        wanted = {"SnapshotId": "snap-1", "LockMode": request_.mode, "LockDuration": 7, **cool_off}
        stub.add_response("lock_snapshot", {}, wanted)
        features.lock("snap-1", request_)


def test_unlocking_is_one_call():
    with stubbed() as (features, stub):
        stub.add_response("unlock_snapshot", {}, {"SnapshotId": "snap-1"})
        features.unlock("snap-1")


def test_a_tier_is_read_with_its_last_move():
    status = {"StorageTier": "archive", "LastTieringOperationStatus": "temporary-restore-completed", "RestoreExpiryTime": END}
    with stubbed() as (features, stub):
        wanted = {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}]}
        stub.add_response("describe_snapshot_tier_status", {"SnapshotTierStatuses": [status]}, wanted)
        stub.add_response("describe_snapshot_tier_status", {"SnapshotTierStatuses": []}, wanted)
        assert features.tier_of("snap-1") == Tier("archive", "temporary-restore-completed", "2026-12-22T00:00:00+00:00")
        assert features.tier_of("snap-1") == Tier()


@pytest.mark.parametrize(("days", "how"), [(7, {"TemporaryRestoreDays": 7}), (None, {"PermanentRestore": True})])
def test_a_snapshot_is_restored_for_days_or_for_good(days, how):
    with stubbed() as (features, stub):
        stub.add_response("restore_snapshot_tier", {}, {"SnapshotId": "snap-1", **how})
        features.restore("snap-1", days)


def test_a_snapshot_is_archived():
    with stubbed() as (features, stub):
        stub.add_response("modify_snapshot_tier", {}, {"SnapshotId": "snap-1", "StorageTier": "archive"})
        features.archive("snap-1")


def test_fast_restores_are_read_by_zone():
    found = [{"SnapshotId": "snap-1", "AvailabilityZone": zone, "State": "enabled"} for zone in ("a", "b")]
    with stubbed() as (features, stub):
        wanted = {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}]}
        stub.add_response("describe_fast_snapshot_restores", {"FastSnapshotRestores": found}, wanted)
        assert features.fast_restores_of("snap-1") == {"a": "enabled", "b": "enabled"}


def test_a_zone_that_refuses_is_named_with_its_reason():
    failure = {"AvailabilityZone": "b", "Error": {"Code": "Limit", "Message": "too many"}}
    answer = {"Successful": [], "Unsuccessful": [{"SnapshotId": "snap-1", "FastSnapshotRestoreStateErrors": [failure]}]}
    wanted = {"SourceSnapshotIds": ["snap-1"], "AvailabilityZones": ["a", "b"]}
    with stubbed() as (features, stub):
        stub.add_response("enable_fast_snapshot_restores", answer, wanted)
        with pytest.raises(ExplainedError, match="b: too many"):
            features.set_fast_restore("snap-1", ["a", "b"], fast=True)


def test_fast_restore_is_turned_off():
    with stubbed() as (features, stub):
        stub.add_response(
            "disable_fast_snapshot_restores", {"Successful": []}, {"SourceSnapshotIds": ["snap-1"], "AvailabilityZones": ["a"]}
        )
        features.set_fast_restore("snap-1", ["a"], fast=False)


def test_public_access_is_read_in_our_words():
    with stubbed() as (features, stub):
        stub.add_response("get_snapshot_block_public_access_state", {"State": "block-new-sharing", "ManagedBy": "account"})
        assert features.public_access() == PublicAccess("blocked-new-sharing")


def test_public_access_is_set_in_the_words_of_ec2():
    with stubbed() as (features, stub):
        stub.add_response("enable_snapshot_block_public_access", {}, {"State": "block-all-sharing"})
        stub.add_response("disable_snapshot_block_public_access", {}, {})
        features.set_public_access("blocked-all-sharing")
        features.set_public_access("unblocked")
