# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A software snapshot for machines that are no ParallelCluster: launch templates, AWS PCS node groups, single hosts.

Each machine gets a volume of its own, made from the snapshot and mounted read-only; nothing is exported over NFS.
"""

from __future__ import annotations

import dataclasses
import email.mime.multipart
import email.mime.text
import re
import shlex
from typing import Any

from ..ebs.volume import device_path
from ..errors import ExplainedError, ManyProblems
from .storage import LEAST_GP3_GIB, mount_dir_problems

# EC2 User Guide, "Device names for volumes": recommended for EBS volumes beside the root volume.
DEVICE = "/dev/sdf"
# Read-only from the first moment; a machine whose volume is missing starts all the same.
MOUNT_OPTIONS = "ro,noatime,nofail,x-systemd.device-timeout=90"


@dataclasses.dataclass(frozen=True)
class Software:
    """What is mounted. snapshot_id or volume_id; size_gib: of the snapshot; file_system: ext4 or xfs; label: of the file system."""

    mount_path: str
    snapshot_id: str = ""
    volume_id: str = ""
    size_gib: int = 0
    volume_type: str = "gp3"
    file_system: str = "ext4"
    label: str = "petal-sw"
    kms_key_id: str = ""

    def check(self, *, by: str) -> Software:
        """Return itself; raises ManyProblems where it cannot be mounted. by: the field that this consumer needs."""
        problems = mount_dir_problems(self.mount_path)
        if not getattr(self, by):
            problems.append(f"{by} is missing: this consumer needs it.")
        if by == "snapshot_id" and not self.size_gib:
            problems.append("size_gib is missing: the size of the snapshot's volume.")
        if self.file_system not in ("ext4", "xfs"):
            problems.append(f"file_system is {self.file_system!r}; choose from ext4, xfs.")
        if not re.fullmatch(r"[\w-]{1,12}", self.label):
            problems.append(f"label is {self.label!r}; it has 1 to 12 letters, digits, hyphens and underscores.")
        if problems:
            raise ManyProblems("The software cannot be mounted:", problems, resource=self.snapshot_id or self.volume_id)
        return self


def block_device(software: Software, device: str = DEVICE) -> dict[str, Any]:
    """Return one of the BlockDeviceMappings of a launch template, RunInstances or an image; the volume goes with the instance."""
    software.check(by="snapshot_id")
    size = max(software.size_gib, LEAST_GP3_GIB) if software.volume_type == "gp3" else software.size_gib
    ebs = {"SnapshotId": software.snapshot_id, "VolumeSize": size, "VolumeType": software.volume_type, "DeleteOnTermination": True}
    if software.kms_key_id:
        ebs |= {"Encrypted": True, "KmsKeyId": software.kms_key_id}
    return {"DeviceName": device, "Ebs": ebs}


def mount_script(software: Software) -> str:
    """Return the shell script that mounts the volume and lets every shell find its modules.

    The instance's volume has an id that nobody knows beforehand; its file system has the label that the build gave it.
    """
    path, profile = shlex.quote(software.mount_path), shlex.quote(f"{software.mount_path}/etc/profile.d/petal.sh")
    return f"""\
#!/bin/bash
set -eu
device=/dev/disk/by-label/{software.label}
for _second in $(seq 90); do [ ! -e "$device" ] || break; sleep 1; done
found=$(blkid --match-token LABEL={software.label} --output device | wc -l)
if [ "$found" != 1 ]; then echo "petal: $found volumes have the label {software.label}, not one" >&2; exit 1; fi
mkdir -p {path}
mountpoint -q {path} || mount -t {software.file_system} -o ro,noatime "$device" {path}
ln -sfn {profile} /etc/profile.d/petal.sh
"""


def launch_template(software: Software, device: str = DEVICE) -> dict[str, Any]:
    """Return the LaunchTemplateData of CreateLaunchTemplate, as the AWS command line takes it; UserData is not yet in base64."""
    return {"BlockDeviceMappings": [block_device(software, device)], "UserData": mount_script(software)}


def pcs_launch_template(software: Software, device: str = DEVICE) -> dict[str, Any]:
    """Return the same for a node group of AWS PCS, which adds its own user data and hence takes MIME multipart only.

    Source: AWS PCS User Guide, "Working with Amazon EC2 user data": MIME multi-part format.
    """
    parts = email.mime.multipart.MIMEMultipart(boundary="==PETAL==")
    script = email.mime.text.MIMEText(mount_script(software), "x-shellscript", "us-ascii")
    parts.attach(script)
    return {"BlockDeviceMappings": [block_device(software, device)], "UserData": parts.as_string()}


def fstab_line(software: Software) -> str:
    """Return the line of /etc/fstab for a host that has the volume attached; the volume is found by its id, whatever its name."""
    software.check(by="volume_id")
    return f"{device_path(software.volume_id)} {software.mount_path} {software.file_system} {MOUNT_OPTIONS} 0 0"


CONSUMERS = {
    "block_device": block_device,
    "launch_template": launch_template,
    "pcs_launch_template": pcs_launch_template,
    "fstab": fstab_line,
}


def render_for(consumer: str, software: Software) -> Any:
    """Return what a consumer takes. Raises ExplainedError for one that is not known."""
    if consumer not in CONSUMERS:
        raise ExplainedError(f"There is no consumer {consumer!r}.", next_step=f"Choose from {', '.join(CONSUMERS)}.")
    return CONSUMERS[consumer](software)
