"""The example playbooks against the lab, with real file systems on real block devices: this machine plays every host."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.lab
with_devices = [pytest.mark.blocks, pytest.mark.skipif(os.geteuid() != 0, reason="block devices need root")]


class Examples:
    """Runs examples with hosts one and two, which are two instances."""

    def __init__(self, lab, folder):
        self.lab, self.ec2 = lab, lab.client("ec2")
        self.mounts = {"one": folder / "mnt-one", "two": folder / "mnt-two"}
        self.instances = [lab.run_instance(), lab.run_instance()]
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
        hosts = {
            name: {**local, "instance_id": instance, "mount_path": str(mount)}
            for (name, mount), instance in zip(self.mounts.items(), self.instances, strict=True)
        }
        self.inventory = folder / "inventory.json"
        self.inventory.write_text(json.dumps({"readers": {"hosts": hosts}}))

    def run(self, name, *arguments, **variables):
        """Run one playbook of the collection; returns its output and whether it changed anything."""
        command = [pathlib.Path(sys.executable).parent / "ansible-playbook", "-i", self.inventory, f"petal.hpc.{name}", *arguments]
        ours = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        done = subprocess.run(
            [*command, "-e", json.dumps(variables)],
            env={**os.environ, **self.lab.environment(), **ours},
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(done)

    def volumes(self, name):
        return self.ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": [name]}])["Volumes"]

    def snapshots(self):
        return self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]

    def holder(self, volume_id):
        return [held["InstanceId"] for held in self.ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]["Attachments"]]

    def clear(self):
        for mount in self.mounts.values():
            subprocess.run(["umount", str(mount)], capture_output=True, check=False)
        self.ec2.terminate_instances(InstanceIds=self.instances)


class Run:
    def __init__(self, done):
        self.output, self.ok = done.stdout + done.stderr, done.returncode == 0
        self.changed = any(f"changed={count}" in done.stdout for count in range(1, 30))


@pytest.fixture
def examples(lab, tmp_path):
    running = Examples(lab, tmp_path)
    yield running
    running.clear()


def test_checkpoints_get_a_volume_and_one_snapshot_a_day_and_come_back_from_it(examples):
    given = {"instance_id": examples.instances[0], "size": "1Gi", "volume_name": "trainer"}
    first, second = examples.run("examples.checkpoint_volume", **given), examples.run("examples.checkpoint_volume", **given)
    assert first.ok, first.output
    assert second.ok, second.output
    assert (first.changed, second.changed) == (True, False)
    (volume,) = examples.volumes("trainer")
    (snapshot,) = [one for one in examples.snapshots() if one["VolumeId"] == volume["VolumeId"]]

    examples.ec2.detach_volume(VolumeId=volume["VolumeId"])
    examples.ec2.delete_volume(VolumeId=volume["VolumeId"])
    third = examples.run("examples.checkpoint_volume", **{**given, "instance_id": examples.instances[1]})
    assert third.ok, third.output
    (restored,) = examples.volumes("trainer")
    assert (restored["SnapshotId"], examples.holder(restored["VolumeId"])) == (snapshot["SnapshotId"], [examples.instances[1]])


def test_a_schedule_takes_one_snapshot_in_a_period_and_deletes_what_is_old(examples):
    purpose = [{"ResourceType": "volume", "Tags": [{"Key": "Purpose", "Value": "scheduled-test"}]}]
    volumes = [examples.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=purpose)["VolumeId"] for _ in "ab"]
    tags = [{"Key": key, "Value": value} for key, value in {"CreatedBy": "petal.hpc", "Schedule": "scheduled", "Name": "older"}.items()]
    taken_before = {"VolumeId": volumes[0], "TagSpecifications": [{"ResourceType": "snapshot", "Tags": tags}]}
    older = examples.ec2.create_snapshot(**taken_before)["SnapshotId"]
    time.sleep(1.1)  # EC2's clock of snapshots has steps of a second
    given = {"snapshot_schedule_tags": {"Purpose": "scheduled-test"}, "snapshot_schedule_keep": {"keep_last": 1}}
    first, second = examples.run("snapshot_schedule", **given), examples.run("snapshot_schedule", **given)
    assert first.ok, first.output
    assert second.ok, second.output
    assert (first.changed, second.changed) == (True, False)
    left = [one for one in examples.snapshots() if one["VolumeId"] in volumes]
    assert sorted(one["VolumeId"] for one in left) == sorted(volumes)
    assert older not in [one["SnapshotId"] for one in left]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "snapshot_schedule_tags or snapshot_schedule_volume_ids is missing: add -e"),
        ({"snapshot_schedule_tags": {"Purpose": "none"}}, "so nothing is backed up"),
    ],
)
def test_a_schedule_that_would_back_up_nothing_fails(examples, given, complaint):
    refused = examples.run("snapshot_schedule", **given)
    assert not refused.ok
    assert complaint in refused.output.replace("\n", " ")


def test_each_instance_gets_its_own_copy_once(examples):
    source = examples.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    given = {"volume_id": source, "instance_ids": examples.instances}
    first, second = examples.run("examples.fan_out", **given), examples.run("examples.fan_out", **given)
    assert first.ok, first.output
    assert second.ok, second.output
    assert (first.changed, second.changed) == (True, False)
    copies = [volume for number in (1, 2) for volume in examples.volumes(f"instance-{number}-dataset")]
    assert [examples.holder(copy["VolumeId"]) for copy in copies] == [[instance] for instance in examples.instances]
    assert len({copy["SnapshotId"] for copy in copies}) == 1


def test_handing_over_needs_two_hosts_that_exist(examples):
    refused = examples.run("examples.handover", volume_id="vol-0123456789abcdef0", from_host="one", to_host="three")
    assert not refused.ok
    assert "'three' is no host of the inventory. Set from_host and to_host to two of one, two" in refused.output


class TestWithDevices:
    pytestmark = with_devices

    def test_a_volume_is_handed_over_with_its_files_and_then_shared_read_only(self, examples):
        volume = examples.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        forth = examples.run("examples.handover", volume_id=volume, from_host="one", to_host="two")
        assert forth.ok, forth.output
        (examples.mounts["two"] / "dataset").write_text("data")
        back = examples.run("examples.handover", volume_id=volume, from_host="two", to_host="one")
        assert back.ok, back.output
        assert examples.holder(volume) == [examples.instances[0]]
        assert (examples.mounts["one"] / "dataset").read_text() == "data"

        subprocess.run(["umount", str(examples.mounts["one"])], check=True)
        examples.ec2.detach_volume(VolumeId=volume)
        snapshot = examples.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        shared = examples.run("examples.shared_readonly_dataset", snapshot_id=snapshot, availability_zone="us-east-1a")
        assert shared.ok, shared.output
        (readable,) = examples.volumes("shared-dataset")
        assert (readable["VolumeType"], set(examples.holder(readable["VolumeId"]))) == ("io2", set(examples.instances))
        for mount in examples.mounts.values():
            assert (mount / "dataset").read_text() == "data"
            with pytest.raises(OSError, match="Read-only file system"):
                (mount / "more").touch()
        device = pathlib.Path("/dev/disk/by-id") / f"nvme-Amazon_Elastic_Block_Store_{readable['VolumeId'].replace('-', '')}"
        assert subprocess.check_output(["blockdev", "--getro", str(device)], text=True).strip() == "1"
