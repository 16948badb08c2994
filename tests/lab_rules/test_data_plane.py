"""Volumes and snapshots hold bytes, and an attached volume is a block device."""

import contextlib
import os
import pathlib
import subprocess

import pytest

from tests.lab.devices import BY_ID, link_name
from tests.lab_rules.expectations import OTHER_ACCOUNT, ZONE, refused

pytestmark = [pytest.mark.blocks, pytest.mark.skipif(os.geteuid() != 0, reason="block devices need root")]


def device(volume):
    return BY_ID / link_name(volume)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def mounted(volume, folder):
    folder.mkdir()
    run("mount", str(device(volume)), str(folder))
    try:
        yield folder
    finally:
        # Not left to umount: a host of another lab that is starting has this mount too for a moment.
        run("sync", "--file-system", str(folder))
        run("umount", str(folder))


@pytest.fixture
def restored(ec2, attach, make_volume):
    """Makes a volume from a snapshot and attaches it."""

    def restored(snapshot, instance, **parameters):
        volume = make_volume(SnapshotId=snapshot, **parameters)
        attach(volume, instance)
        return volume

    return restored


@pytest.fixture
def formatted(ec2, attach, volume, instance):
    """An attached volume with an empty ext4 file system."""
    attach(volume, instance)
    run("mkfs.ext4", "-q", str(device(volume)))
    yield volume
    ec2.terminate_instances(InstanceIds=[instance])


def test_a_volume_is_a_block_device_while_attached(ec2, attach, make_volume, instance):
    volume = make_volume(Size=3)
    attach(volume, instance)
    assert run("blockdev", "--getsize64", str(device(volume))) == str(3 << 30)
    ec2.detach_volume(VolumeId=volume)
    assert not device(volume).exists()
    assert volume not in run("losetup", "--list")


def test_bytes_go_from_volume_to_snapshot_to_a_bigger_volume(ec2, instance, formatted, restored, tmp_path):
    with mounted(formatted, tmp_path / "first") as folder:
        (folder / "hello").write_text("bytes")
    snapshot = ec2.create_snapshot(VolumeId=formatted)["SnapshotId"]
    with mounted(formatted, tmp_path / "again") as folder:
        (folder / "hello").write_text("later")
    bigger = restored(snapshot, instance, Size=2)
    assert run("blockdev", "--getsize64", str(device(bigger))) == str(2 << 30)
    with mounted(bigger, tmp_path / "second") as folder:
        assert (folder / "hello").read_text() == "bytes"


def test_a_snapshot_of_a_mounted_volume_holds_what_was_synced(ec2, instance, formatted, restored, tmp_path):
    with mounted(formatted, tmp_path / "first") as folder:
        (folder / "synced").write_text("yes")
        os.sync()
        snapshot = ec2.create_snapshot(VolumeId=formatted)["SnapshotId"]
    volume = restored(snapshot, instance)
    assert "needs_recovery" in run("dumpe2fs", "-h", str(device(volume)))
    with mounted(volume, tmp_path / "second") as folder:
        assert (folder / "synced").read_text() == "yes"


def test_a_mounted_volume_cannot_be_detached(ec2, formatted, tmp_path):
    with mounted(formatted, tmp_path / "first"), refused("IncorrectState", "mounted"):
        ec2.detach_volume(VolumeId=formatted)
    assert ec2.detach_volume(VolumeId=formatted)["State"] == "detaching"


def test_an_attached_volume_grows(ec2, formatted):
    ec2.modify_volume(VolumeId=formatted, Size=4)
    assert run("blockdev", "--getsize64", str(device(formatted))) == str(4 << 30)


def test_bytes_go_to_another_region_and_account(ec2, lab, other, formatted, tmp_path):
    with mounted(formatted, tmp_path / "first") as folder:
        (folder / "hello").write_text("bytes")
    snapshot = ec2.create_snapshot(VolumeId=formatted)["SnapshotId"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[OTHER_ACCOUNT])
    there = lab.client("ec2", region="eu-west-1", account=OTHER_ACCOUNT, retries=0)
    copy = there.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    ec2.delete_snapshot(SnapshotId=snapshot)
    image = there.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = there.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    volume = there.create_volume(SnapshotId=copy, AvailabilityZone="eu-west-1a")["VolumeId"]
    there.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    with mounted(volume, tmp_path / "second") as folder:
        assert (folder / "hello").read_text() == "bytes"
    there.terminate_instances(InstanceIds=[instance])


def test_instances_share_a_multi_attach_volume(ec2, lab, attach, make_volume, instance):
    shared, second = make_volume(VolumeType="io2", Size=4, Iops=100, MultiAttachEnabled=True), lab.run_instance()
    attach(shared, instance)
    attach(shared, second)
    ec2.detach_volume(VolumeId=shared, InstanceId=instance)
    assert device(shared).exists()
    ec2.detach_volume(VolumeId=shared, InstanceId=second)
    assert not device(shared).exists()


def test_a_terminated_instance_leaves_no_device(ec2, lab):
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": True}}
    instance = lab.run_instance(ZONE, BlockDeviceMappings=[disk])
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}, {"Name": "attachment.device", "Values": ["/dev/sdf"]}]
    volume = ec2.describe_volumes(Filters=filters)["Volumes"][0]["VolumeId"]
    assert device(volume).exists()
    ec2.terminate_instances(InstanceIds=[instance])
    assert not device(volume).exists()
    with refused("InvalidVolume.NotFound"):
        ec2.describe_volumes(VolumeIds=[volume])


def test_deleted_volumes_and_snapshots_leave_no_file(ec2, lab, volume):
    def files():
        return list(pathlib.Path(lab.state_dir).glob(f"ebs/{volume}*")) + list(pathlib.Path(lab.state_dir).glob(f"ebs/{snapshot}*"))

    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    assert len(files()) == 2
    ec2.delete_volume(VolumeId=volume)
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert files() == []


def test_snapshots_of_one_lineage_tell_what_changed(ec2, lab, make_volume, instance, attach):
    direct = lab.client("ebs", retries=0)
    first = make_volume(Size=1)
    attach(first, instance)
    write(first, 0, b"a")
    write(first, 3 << 20, b"b")
    before = ec2.create_snapshot(VolumeId=first)["SnapshotId"]
    second = make_volume(SnapshotId=before)
    attach(second, instance)
    write(second, 3 << 20, b"c")
    write(second, 9 << 20, b"d")
    after = ec2.create_snapshot(VolumeId=second)["SnapshotId"]

    told = direct.list_changed_blocks(FirstSnapshotId=before, SecondSnapshotId=after)
    assert [(block["BlockIndex"], "FirstBlockToken" in block) for block in told["ChangedBlocks"]] == [(6, True), (18, False)]
    sizes = {one["SnapshotId"]: one["FullSnapshotSizeInBytes"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    assert (sizes[before], sizes[after]) == (2 * told["BlockSize"], 3 * told["BlockSize"])

    stranger = ec2.create_snapshot(VolumeId=make_volume(Size=1))["SnapshotId"]
    with refused("ValidationException"):
        direct.list_changed_blocks(FirstSnapshotId=stranger, SecondSnapshotId=after)


def write(volume, offset, content):
    with open(device(volume), "r+b") as file:
        file.seek(offset)
        file.write(content)
        os.fsync(file.fileno())
