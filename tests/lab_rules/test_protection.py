"""Public access can be blocked, and snapshots locked."""

import pytest

from tests.lab_rules.expectations import proves, refused


@pytest.fixture
def unblocked(ec2):
    yield
    ec2.disable_snapshot_block_public_access()


def make_public(ec2, snapshot):
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])


@proves("public_access_is_told", "public_access_is_blocked", "public_access_is_allowed")
def test_public_access_has_a_state(ec2, unblocked):
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    assert ec2.get_snapshot_block_public_access_state()["State"] == "block-new-sharing"
    ec2.disable_snapshot_block_public_access()
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"


@proves("public_access_is_blocked")
def test_public_access_has_two_kinds_of_block(ec2, unblocked):
    with refused("InvalidParameterValue", "all-of-it"):
        ec2.enable_snapshot_block_public_access(State="all-of-it")


@proves("blocked_access_stays_private")
def test_blocked_access_stays_private(ec2, snapshot, unblocked):
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    with refused("OperationNotPermitted", "blocked"):
        make_public(ec2, snapshot)
    ec2.disable_snapshot_block_public_access()
    make_public(ec2, snapshot)


@proves("public_access_is_blocked", "snapshots_are_found")
def test_blocking_all_sharing_hides_what_is_public(ec2, other, snapshot, unblocked):
    make_public(ec2, snapshot)
    assert other.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    with refused("InvalidSnapshot.NotFound"):
        other.describe_snapshots(SnapshotIds=[snapshot])


@proves("snapshot_is_locked", "locked_snapshot_stays", "snapshot_is_unlocked", "locks_are_described")
def test_a_locked_snapshot_stays(ec2, snapshot):
    told = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=7)
    assert (told["LockState"], told["LockDuration"]) == ("governance", 7)
    assert [lock["SnapshotId"] for lock in ec2.describe_locked_snapshots()["Snapshots"]] == [snapshot]
    with refused("OperationNotPermitted", "locked"):
        ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.unlock_snapshot(SnapshotId=snapshot)
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    ec2.delete_snapshot(SnapshotId=snapshot)


@proves("snapshot_is_locked", "snapshot_is_unlocked")
def test_a_compliance_lock_is_for_good(ec2, snapshot):
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", LockDuration=7)
    with refused("OperationNotPermitted", "compliance"):
        ec2.unlock_snapshot(SnapshotId=snapshot)
    for weaker in ({"LockDuration": 6}, {"LockMode": "governance"}, {"CoolOffPeriod": 1}):
        with refused("OperationNotPermitted", "compliance"):
            ec2.lock_snapshot(SnapshotId=snapshot, **{"LockMode": "compliance", "LockDuration": 8, **weaker})
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", LockDuration=8)
    assert [lock["LockDuration"] for lock in ec2.describe_locked_snapshots(SnapshotIds=[snapshot])["Snapshots"]] == [8]


@proves("snapshot_is_locked")
def test_a_lock_has_one_end(ec2, snapshot):
    with refused("InvalidParameterCombination"):
        ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance")
