"""A software snapshot in a launch template and on a host: EC2's own API takes the one, a real file system is mounted by the other."""

from __future__ import annotations

import base64
import subprocess

import pytest

from plugins.module_utils._core.cluster.consumers import Software, launch_template, mount_script

pytestmark = pytest.mark.lab


def test_ec2_takes_the_launch_template(lab):
    ec2 = lab.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, VolumeType="gp3")["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    data = launch_template(Software("/shared", snapshot, size_gib=8))
    data["UserData"] = base64.b64encode(data["UserData"].encode()).decode()
    made = ec2.create_launch_template(LaunchTemplateName="with-software", LaunchTemplateData=data)["LaunchTemplate"]
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=made["LaunchTemplateId"])["LaunchTemplateVersions"]
    (device,) = version["LaunchTemplateData"]["BlockDeviceMappings"]
    assert device["Ebs"]["SnapshotId"] == snapshot


@pytest.mark.hosts
def test_the_script_mounts_the_volume_with_the_label_read_only(tmp_path):
    disk, folder = tmp_path / "disk", tmp_path / "shared"
    label = "petal-test"
    subprocess.run(["truncate", "-s", "16M", disk], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-L", label, disk], check=True)
    device = subprocess.run(["losetup", "--find", "--show", disk], capture_output=True, text=True, check=True).stdout.strip()
    # Without udev no link is made by label, and this machine's /etc/profile.d stays as it is.
    script = mount_script(Software(str(folder), "snap-0123456789abcdef0", size_gib=8, label=label))
    script = script.replace(f"/dev/disk/by-label/{label}", device)
    inside = f"mount -t tmpfs none /etc/profile.d && bash -s <<'END' && findmnt -n -o OPTIONS {folder}\n{script}END\n"
    try:
        done = subprocess.run(["unshare", "--mount", "sh", "-c", inside], capture_output=True, text=True, check=False)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ro,")
