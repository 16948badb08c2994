"""The role shared_volume on a host: what it formats and mounts, and what it refuses, from every state that a volume may be in."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from tests.chain.instance import Instance
from tests.lab.fixtures import lab_hosts  # noqa: F401

pytestmark = pytest.mark.hosts
ROOT = pathlib.Path(__file__).resolve().parents[2]
DEVICES = [f"/dev/sd{letter}" for letter in "fghijklmnop"]
CAP_SYS_RESOURCE = 24  # its number in linux/capability.h
FILE_SYSTEM = "mkfs.{kind} -q {device} && mkdir -p /prepare && mount {device} /prepare"
KEPT = "echo my thesis > /prepare/thesis && umount /prepare"


class Volume:
    """A volume that is attached to the host, and what a test does with it."""

    def __init__(self, bench, volume_id):
        self.bench, self.id = bench, volume_id
        self.device = f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}"

    def prepare(self, kind="ext4"):
        """Put a file system with a file on it."""
        self.bench.sh(f"{FILE_SYSTEM.format(kind=kind, device=self.device)} && {KEPT}")
        return self

    def role(self, tasks="main", **variables):
        return self.bench.role(tasks, shared_volume_id=self.id, **variables)

    def snapshot(self):
        snapshot_id = self.bench.ec2.create_snapshot(VolumeId=self.id)["SnapshotId"]
        self.bench.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot_id], WaiterConfig={"Delay": 1})
        return snapshot_id

    def detach(self):
        self.bench.ec2.detach_volume(VolumeId=self.id)
        self.bench.ec2.get_waiter("volume_available").wait(VolumeIds=[self.id], WaiterConfig={"Delay": 1})


class Bench:
    """A host, and a folder for the inventory."""

    def __init__(self, lab, folder):
        self.lab, self.ec2, self.host, self.folder, self.volumes = lab, lab.client("ec2"), Instance(lab), folder, []

    def sh(self, command):
        return self.host.run(command, user="root")

    def volume(self, attached=True, **parameters):
        """Create a volume of 1 GiB, or as the parameters of CreateVolume say."""
        zone = self.host.description["Placement"]["AvailabilityZone"]
        made = self.ec2.create_volume(AvailabilityZone=zone, **({"Size": 1} | parameters))["VolumeId"]
        self.ec2.get_waiter("volume_available").wait(VolumeIds=[made], WaiterConfig={"Delay": 1})
        self.volumes.append(made)
        if attached:
            taken = {mapping["DeviceName"] for mapping in self.host.description["BlockDeviceMappings"]}
            device = next(name for name in DEVICES if name not in taken)
            self.ec2.attach_volume(VolumeId=made, InstanceId=self.host.id, Device=device)
        return Volume(self, made)

    def role(self, tasks, *arguments, **variables):
        """Run the role; returns Run."""
        inventory = self.folder / "inventory.json"
        connection = {
            "ansible_host": self.host.address,
            "ansible_user": "ec2-user",
            "ansible_ssh_private_key_file": self.lab.variables["build_host_private_key_file"],
            "ansible_ssh_common_args": self.host.ssh_arguments,
        }
        inventory.write_text(json.dumps({"all": {"hosts": {"bench": connection}}}))
        said = {"role_tasks": tasks, "shared_volume_instance_id": self.host.id, "shared_volume_device": "auto", **variables}
        ours = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        }
        command = [pathlib.Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, ROOT / "tests/chain/shared_volume.yml"]
        result = subprocess.run(
            [*command, *arguments, "-e", json.dumps(said)],
            env={**os.environ, **self.lab.environment(), **ours},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Run(result)

    def clear(self):
        """Take everything away that a test has mounted, attached or written to fstab."""
        self.sh("umount --recursive /shared /other /prepare 2>/dev/null; sed -i '/shared/d;/other/d' /etc/fstab; true")
        held = self.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [self.host.id]}])["Volumes"]
        ours = [volume["VolumeId"] for volume in held if volume["VolumeId"] in self.volumes]
        for volume_id in ours:
            self.ec2.detach_volume(VolumeId=volume_id)
        for volume_id in self.volumes:
            self.ec2.get_waiter("volume_available").wait(VolumeIds=[volume_id], WaiterConfig={"Delay": 1})
            self.ec2.delete_volume(VolumeId=volume_id)
        self.volumes.clear()


class Run:
    """How a run of the role ended, in words."""

    def __init__(self, result):
        self.ok, self.text = result.returncode == 0, result.stdout
        # A message is folded over lines; what it says is the same.
        self.said = " ".join(self.text.split())
        tasks = re.split(r"^TASK \[", self.text, flags=re.MULTILINE)[1:]
        self.changed = [task.partition("]")[0].rpartition(" : ")[2] for task in tasks if re.search(r"^changed:", task, re.MULTILINE)]


@pytest.fixture(scope="module")
def host(lab_hosts, tmp_path_factory):  # noqa: F811
    bench = Bench(lab_hosts, tmp_path_factory.mktemp("bench"))
    yield bench
    bench.host.terminate()


@pytest.fixture
def bench(host):
    yield host
    host.clear()


# What is formatted


def test_a_new_volume_is_formatted_and_mounted_and_a_second_run_changes_nothing(bench):
    volume = bench.volume(attached=False)
    told = bench.role("main", "--check", shared_volume_id=volume.id)
    assert told.ok and told.changed == ["Attach the volume to the instance"] and "would be attached" in told.said, told.text
    first = volume.role()
    assert first.ok, first.text
    assert "Make the file system" in first.changed
    assert bench.sh("findmnt --noheadings --output FSTYPE /shared") == "ext4"
    again = volume.role()
    assert again.ok and again.changed == [], again.text


def test_ext4_that_has_lost_its_beginning_is_refused_and_can_still_be_mended(bench):
    volume = bench.volume().prepare()
    bench.sh(f"dd if=/dev/zero of={volume.device} bs=4k count=1 conv=fsync status=none")
    refused = volume.role()
    assert not refused.ok and refused.changed == [], refused.text
    assert "a spare superblock of ext4" in refused.said and "shared_volume_format" in refused.said and volume.id in refused.said
    bench.sh(f"e2fsck -fy -b 32768 -B 4096 {volume.device} >/dev/null; test $? -le 2")
    mended = volume.role()
    assert mended.ok, mended.text
    assert bench.sh("cat /shared/thesis") == "my thesis"


@pytest.mark.parametrize("place", [8 * 2**20, 300 * 2**20])
def test_a_volume_from_a_snapshot_is_mounted_but_never_formatted(bench, place):
    raw = bench.volume()
    bench.sh(f"echo measured once | dd of={raw.device} bs=1 seek={place} conv=fsync status=none")
    raw.detach()
    snapshot_id = raw.snapshot()
    refused = bench.volume(SnapshotId=snapshot_id).role()
    assert not refused.ok and refused.changed == [], refused.text
    assert snapshot_id in refused.said and "shared_volume_format" in refused.said


def test_raw_data_is_refused_until_a_variable_says_that_it_is_worth_nothing(bench):
    volume = bench.volume()
    bench.sh(f"yes data | head -c 3000000 | dd of={volume.device} bs=1M seek=700 conv=fsync status=none")
    refused = volume.role()
    assert not refused.ok and "646174610a" in refused.said, refused.text  # "data"
    allowed = volume.role(shared_volume_format=True)
    assert allowed.ok and "Make the file system" in allowed.changed, allowed.text


def test_the_variable_neither_formats_a_file_system_nor_wipes_another_signature(bench):
    volume, swap = bench.volume().prepare(), bench.volume()
    bench.sh(f"mkswap {swap.device}")
    kept = volume.role(shared_volume_format=True)
    assert kept.ok and bench.sh("cat /shared/thesis") == "my thesis", kept.text
    refused = swap.role(shared_volume_format=True, shared_volume_path="/other")
    assert not refused.ok and "swap" in refused.said, refused.text


def test_a_volume_that_another_program_holds_is_not_formatted(bench):
    volume = bench.volume()
    holder = "import os, sys, time; os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL); time.sleep(600)"
    bench.sh(f"systemd-run --unit=formatter python3 -c '{holder}' {volume.device}")
    try:
        refused = volume.role(shared_volume_format=True)
    finally:
        bench.sh("systemctl stop formatter")
    assert not refused.ok and "holds" in refused.said and "run this again" in refused.said, refused.text
    again = volume.role()
    assert again.ok, again.text


# What is mounted


def test_the_volume_is_mounted_and_not_its_clone(bench):
    volume = bench.volume().prepare()
    clone = bench.volume(SnapshotId=volume.snapshot())
    bench.sh(f"mount {clone.device} /prepare && echo clone > /prepare/thesis && umount /prepare")
    uuid = bench.sh(f"blkid -p -s UUID -o value {volume.device}")
    # As an earlier version of the role wrote it.
    bench.sh(f"echo 'UUID={uuid} /shared ext4 defaults,nofail 0 0' >> /etc/fstab")
    mounted = volume.role(shared_volume_fstab=True)
    assert mounted.ok, mounted.text
    assert bench.sh("cat /shared/thesis") == "my thesis"
    assert bench.sh("grep ' /shared ' /etc/fstab").split() == [volume.device, "/shared", "ext4", "defaults,nofail", "0", "0"]
    again = volume.role(shared_volume_fstab=True)
    assert again.ok and again.changed == [], again.text
    bench.sh("umount /shared && mount /shared")
    assert bench.sh("cat /shared/thesis") == "my thesis"
    bench.sh(f"umount /shared && mount {clone.device} /shared")
    refused = volume.role(shared_volume_fstab=True)
    assert not refused.ok and "already holds" in refused.said, refused.text


def test_what_else_comes_to_be_mounted_is_unmounted_again(bench):
    volume, other = bench.volume().prepare(), bench.volume().prepare()
    # Another program mounts something there in the same moment.
    program = f"#!/bin/sh\\nexec /usr/bin/mount -t ext4 {other.device} /shared\\n"
    bench.sh(f"printf '{program}' > /usr/local/sbin/mount; chmod +x /usr/local/sbin/mount")
    try:
        refused = volume.role(shared_volume_fstab=True)
    finally:
        bench.sh("rm /usr/local/sbin/mount")
    assert not refused.ok and "is not volume" in refused.said and volume.id in refused.said, refused.text
    assert bench.sh("findmnt --noheadings /shared || echo nothing") == "nothing"
    assert bench.sh("grep -c ' /shared ' /etc/fstab || true") == "0"


def test_an_xfs_clone_is_mounted_beside_its_original(bench):
    volume = bench.volume().prepare("xfs")
    clone = bench.volume(SnapshotId=volume.snapshot())
    first, second = volume.role(), clone.role(shared_volume_path="/other")
    assert first.ok and second.ok, first.text + second.text
    assert bench.sh("cat /shared/thesis /other/thesis") == "my thesis\nmy thesis"


# What is asked of a volume that is mounted already


def test_a_mounted_file_system_grows_or_says_why_it_cannot(bench):
    volume = bench.volume().prepare()
    assert volume.role().ok
    bench.ec2.modify_volume(VolumeId=volume.id, Size=2)
    wished = volume.role(shared_volume_grow=True)
    size = "findmnt --noheadings --bytes --output SIZE /shared"
    # A kernel lets ext4 grow while it is mounted for those only who have this capability, which a container seldom has.
    if int(bench.sh("grep CapEff /proc/self/status").split()[1], 16) >> CAP_SYS_RESOURCE & 1:
        assert wished.ok and wished.changed == ["Grow the file system to the volume"], wished.text
    else:
        assert not wished.ok and "cannot be grown while it is mounted" in wished.said and "release" in wished.said, wished.text
        assert volume.role("release").ok
        wished = volume.role(shared_volume_grow=True)
        assert wished.ok, wished.text
    assert int(bench.sh(size)) > 1.8 * 2**30
    again = volume.role(shared_volume_grow=True)
    assert again.ok and again.changed == [], again.text


def test_a_mounted_volume_gets_its_line_in_fstab(bench):
    volume = bench.volume().prepare()
    assert volume.role().ok
    wished = volume.role(shared_volume_fstab=True)
    assert wished.ok and wished.changed == ["Mount it at every boot, by the volume's id"], wished.text
    assert bench.sh("grep ' /shared ' /etc/fstab").split()[0] == volume.device


def test_release_unmounts_without_a_line_in_fstab_and_takes_away_one_of_an_unmounted_volume(bench):
    volume = bench.volume().prepare()
    assert volume.role().ok
    released = volume.role("release", shared_volume_fstab=True)
    assert released.ok, released.text
    assert bench.sh("findmnt --noheadings /shared || echo nothing") == "nothing"
    assert volume.role(shared_volume_fstab=True).ok
    bench.sh("umount /shared")
    released = volume.role("release", shared_volume_fstab=True)
    assert released.ok and bench.sh("grep -c ' /shared ' /etc/fstab || true") == "0", released.text


def test_write_access_to_a_volume_that_is_mounted_read_only_is_refused(bench):
    volume = bench.volume().prepare()
    assert volume.role(shared_volume_read_only=True).ok
    refused = volume.role()
    assert not refused.ok and "mounted read only" in refused.said and "release" in refused.said, refused.text


def test_a_volume_that_is_mounted_elsewhere_is_refused_with_the_place(bench):
    volume = bench.volume().prepare()
    assert volume.role(shared_volume_path="/other").ok
    refused = volume.role()
    assert not refused.ok and "/other" in refused.said and "release" in refused.said, refused.text
