"""Volumes and snapshots are encrypted as EC2 does it."""

import pytest

from tests.lab_rules.expectations import OTHER_ACCOUNT, ZONE, proves


@pytest.fixture
def key(lab):
    return lab.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def encrypted_by_default(ec2):
    ec2.enable_ebs_encryption_by_default()
    yield
    ec2.disable_ebs_encryption_by_default()


@proves("volume_is_encrypted_as_it_must")
def test_encryption_by_default_encrypts_a_volume(make_volume, describe, encrypted_by_default):
    found = describe(make_volume())
    assert found["Encrypted"] is True
    assert ":key/" in found["KmsKeyId"]


@proves("copy_is_encrypted_as_asked")
def test_encryption_by_default_encrypts_a_copy(ec2, describe, snapshot, encrypted_by_default):
    copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    assert describe(copy)["Encrypted"] is True


@proves("snapshot_keeps_the_key")
def test_a_snapshot_keeps_the_key(ec2, make_volume, describe, key):
    volume = make_volume(Encrypted=True, KmsKeyId=key)
    assert describe(ec2.create_snapshot(VolumeId=volume)["SnapshotId"])["KmsKeyId"] == key


@proves("volume_is_encrypted_as_it_must", "snapshot_keeps_the_key")
def test_a_restored_volume_keeps_the_key(ec2, make_volume, describe, key):
    snapshot = ec2.create_snapshot(VolumeId=make_volume(Encrypted=True, KmsKeyId=key))["SnapshotId"]
    found = describe(make_volume(SnapshotId=snapshot))
    assert (found["Encrypted"], found["KmsKeyId"]) == (True, key)


@proves("volume_is_encrypted_as_it_must")
def test_a_key_can_be_named_by_its_alias(lab, make_volume, describe, key):
    lab.client("kms").create_alias(AliasName="alias/petal", TargetKeyId=key)
    assert describe(make_volume(Encrypted=True, KmsKeyId="alias/petal"))["KmsKeyId"] == key


@proves("volume_is_encrypted_as_it_must")
def test_a_volume_from_a_shared_snapshot_has_the_accounts_own_key(ec2, other, make_volume, key):
    snapshot = ec2.create_snapshot(VolumeId=make_volume(Encrypted=True, KmsKeyId=key))["SnapshotId"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[OTHER_ACCOUNT])
    assert OTHER_ACCOUNT in other.create_volume(SnapshotId=snapshot, AvailabilityZone=ZONE)["KmsKeyId"]


@proves("unknown_key_fails_late")
def test_an_unknown_key_makes_the_volume_vanish(ec2, make_volume):
    volume = make_volume(Encrypted=True, KmsKeyId="1234abcd-12ab-34cd-56ef-1234567890ab")
    assert ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])["Volumes"] == []


@proves("copy_is_encrypted_as_asked")
def test_a_copy_is_encrypted_when_asked_for(ec2, describe, snapshot):
    copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot, Encrypted=True)["SnapshotId"]
    assert describe(copy)["Encrypted"] is True
    assert ":key/" in describe(copy)["KmsKeyId"]


@proves("default_key_is_told", "default_key_is_reset")
def test_the_default_key_can_be_changed_and_reset(ec2, make_volume, describe, key):
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    assert describe(make_volume(Encrypted=True))["KmsKeyId"] == key
    ec2.reset_ebs_default_kms_key_id()
    assert describe(make_volume(Encrypted=True))["KmsKeyId"] != key
