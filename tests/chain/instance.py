"""An instance of a lab with hosts, as a test uses it: launch it, run commands on it by ssh, end it."""

from __future__ import annotations

import shlex
import subprocess
import time
from typing import Any

from plugins.module_utils._core.build.ssh import host_key_arguments

SSH_TIMEOUT = 30  # seconds until a host must answer; it takes one on a quiet machine


class Instance:
    """A running instance that answers ssh."""

    def __init__(self, lab: Any, private_key: str | None = None, **parameters: Any) -> None:
        """Launch an instance; parameters as of RunInstances. private_key: the file to log in with; None: the lab's own."""
        self._lab = lab
        self.private_key = private_key or lab.variables["build_host_private_key_file"]
        self.id = lab.run_instance(**{"KeyName": "petal-lab", **parameters})
        self.address = self.description["PrivateIpAddress"]
        self.wait()

    @property
    def description(self) -> dict[str, Any]:
        """What DescribeInstances says now."""
        return self._lab.client("ec2").describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"][0]

    @property
    def state(self) -> str:
        return self.description["State"]["Name"]

    @property
    def ssh_arguments(self) -> str:
        """What ssh needs to get there, and to know the host again."""
        given = self._lab.variables["build_host_ssh_common_args"]
        return host_key_arguments(self.id, self._lab.variables["lab_state_dir"], given)

    def ssh(self, command: str, user: str = "ec2-user") -> subprocess.CompletedProcess[str]:
        """Run a shell command as a user, who may use sudo."""
        ours = shlex.split(self.ssh_arguments)
        options = ["IdentitiesOnly=yes", "BatchMode=yes", "ConnectTimeout=5", "LogLevel=ERROR"]
        program = ["ssh", *ours, "-i", self.private_key, *(f"-o{option}" for option in options), "-l", user, self.address, command]
        return subprocess.run(program, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def run(self, command: str, user: str = "ec2-user") -> str:
        """Return what the command prints; fails the test when the command fails."""
        result = self.ssh(command, user)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        return result.stdout.strip()

    def wait(self) -> None:
        """Wait until ssh answers."""
        deadline = time.monotonic() + SSH_TIMEOUT
        while self.ssh("true").returncode != 0:
            assert time.monotonic() < deadline, f"{self.id} does not answer ssh"
            time.sleep(0.1)

    def wait_for_state(self, state: str) -> None:
        """Wait until the API reports a state."""
        deadline = time.monotonic() + SSH_TIMEOUT
        while self.state != state:
            assert time.monotonic() < deadline, f"{self.id} is {self.state}, not {state}"
            time.sleep(0.1)

    def attach_new_volume(self, size_gib: int = 1) -> tuple[str, str]:
        """Create and attach a volume; returns its id and the path of its device on the host."""
        ec2 = self._lab.client("ec2")
        volume = ec2.create_volume(Size=size_gib, AvailabilityZone=self.description["Placement"]["AvailabilityZone"])["VolumeId"]
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
        ec2.attach_volume(VolumeId=volume, InstanceId=self.id, Device="/dev/sdf")
        return volume, f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"

    def terminate(self) -> None:
        self._lab.client("ec2").terminate_instances(InstanceIds=[self.id])
