"""Snapshots are shared between accounts as EC2 does it."""

import pytest

from tests.lab_rules.expectations import OTHER_ACCOUNT, ZONE, proves, refused


@pytest.fixture
def share(ec2):
    def share(snapshot, **who):
        wanted = who or {"UserIds": [OTHER_ACCOUNT]}
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", **wanted)

    return share


def permissions(ec2, snapshot):
    told = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    return told["CreateVolumePermissions"]


def test_a_private_snapshot_is_hidden(other, snapshot):
    with refused("InvalidSnapshot.NotFound"):
        other.describe_snapshots(SnapshotIds=[snapshot])
    with refused("InvalidSnapshot.NotFound"):
        other.create_volume(SnapshotId=snapshot, AvailabilityZone=ZONE)


@proves("snapshots_are_found")
def test_a_shared_snapshot_is_seen_without_its_owners_tags(ec2, other, snapshot, share):
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "petal:fingerprint", "Value": "sha256:0"}])
    share(snapshot)
    found = other.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert (found["OwnerId"], found.get("Tags", [])) == ("123456789012", [])


@proves("shared_snapshot_is_usable", "shared_snapshot_is_copied")
def test_a_shared_snapshot_makes_volumes_and_copies(other, snapshot, share):
    share(snapshot)
    assert other.create_volume(SnapshotId=snapshot, AvailabilityZone=ZONE)["Size"] == 10
    copy = other.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    assert other.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]["OwnerId"] == OTHER_ACCOUNT


@proves("permissions_are_the_owners")
def test_only_the_owner_gives_permissions(other, snapshot, share):
    share(snapshot)
    with refused("InvalidSnapshot.NotFound", snapshot):
        other.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")


@proves("permissions_in_two_forms")
def test_permissions_have_two_forms(ec2, snapshot):
    def change(**wanted):
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=wanted)

    change(Add=[{"UserId": OTHER_ACCOUNT}, {"Group": "all"}])
    assert sorted(map(str, permissions(ec2, snapshot))) == [str({"Group": "all"}), str({"UserId": OTHER_ACCOUNT})]
    change(Remove=[{"Group": "all"}])
    assert permissions(ec2, snapshot) == [{"UserId": OTHER_ACCOUNT}]
    with refused("InvalidParameterCombination"):
        change(Add=[{"Group": "all"}], Remove=[{"UserId": OTHER_ACCOUNT}])


@proves("permissions_are_taken_back")
def test_permissions_are_taken_back(ec2, snapshot, share):
    share(snapshot)
    ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert permissions(ec2, snapshot) == []


@proves("grantee_is_an_account")
def test_a_grantee_is_an_account(snapshot, share):
    with refused("InvalidUserID.Malformed", "not-an-account"):
        share(snapshot, UserIds=["not-an-account"])


@proves("few_changes_at_a_time")
def test_five_hundred_permissions_at_a_time(snapshot, share):
    share(snapshot, UserIds=[f"{number:012}" for number in range(500)])
    with refused("InvalidParameterValue", "500"):
        share(snapshot, UserIds=[f"{number:012}" for number in range(501)])


@proves("encrypted_snapshot_is_shared_with_care")
def test_a_snapshot_under_the_aws_key_is_not_shared(ec2, make_volume, share):
    snapshot = ec2.create_snapshot(VolumeId=make_volume(Encrypted=True))["SnapshotId"]
    with refused("OperationNotPermitted", "default key"):
        share(snapshot)


@proves("encrypted_snapshot_is_shared_with_care")
def test_an_encrypted_snapshot_is_never_public(ec2, lab, make_volume, share):
    key = lab.client("kms").create_key()["KeyMetadata"]["Arn"]
    snapshot = ec2.create_snapshot(VolumeId=make_volume(Encrypted=True, KmsKeyId=key))["SnapshotId"]
    share(snapshot)
    with refused("OperationNotPermitted", "public"):
        share(snapshot, GroupNames=["all"])
