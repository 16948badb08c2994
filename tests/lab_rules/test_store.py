"""Snapshots outlive a lab that has a store; their bytes do where the lab has block devices."""

import pytest

from tests.lab import control
from tests.lab.client import Lab

NAME = "test-store"


@pytest.fixture
def start(tmp_path):
    def ec2_of_a_new_lab():
        control.stop(NAME)
        variables = control.start(NAME, hosts=False, store=tmp_path)
        return Lab(variables["lab_endpoint"], variables, None).client("ec2")

    yield ec2_of_a_new_lab
    control.stop(NAME)


def described(ec2, snapshot_id):
    """What EC2 says of a snapshot, but for its key, which ends with the lab."""
    (snapshot,) = ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    return {name: value for name, value in snapshot.items() if name != "KmsKeyId"}


def test_a_kept_snapshot_is_there_again_as_it_was_and_a_deleted_one_is_not(start, tmp_path):
    ec2 = start()
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a", VolumeType="gp3", Encrypted=True)["VolumeId"]
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "kept", "Value": "yes"}]}]
    kept = ec2.create_snapshot(VolumeId=volume, TagSpecifications=tags)["SnapshotId"]
    deleted = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    before = described(ec2, kept)

    ec2 = start()
    assert {path.stem for path in tmp_path.iterdir()} == {kept, deleted}
    assert described(ec2, kept) == before
    assert ec2.describe_volumes()["Volumes"] == []
    restored = ec2.create_volume(SnapshotId=kept, AvailabilityZone="us-east-1b")["VolumeId"]
    assert ec2.describe_volumes(VolumeIds=[restored])["Volumes"][0]["Encrypted"]
    ec2.delete_snapshot(SnapshotId=deleted)

    control.stop(NAME)
    assert {path.stem for path in tmp_path.iterdir()} == {kept}
