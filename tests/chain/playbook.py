"""Run the collection's playbooks as a user does, against a lab."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.spack import toy

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAGE_MARK = "petal |"


class Playbook:
    """One run of ansible-playbook. `stages` yields the name of each stage as it is reached."""

    def __init__(self, name: str, lab: Any, *arguments: str, **variables: Any) -> None:
        state_dir = pathlib.Path(lab.variables["lab_state_dir"])
        command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(ROOT / "playbooks" / name), *arguments]
        for extra in (f"@{state_dir / 'vars.json'}", json.dumps(toy.variables()), json.dumps(variables)):
            command += ["-e", extra]
        ours = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        environment = {**os.environ, **lab.environment(), **ours}
        self.output: list[str] = []
        # A session of its own, so that a kill reaches the run's children too, as the end of a container does.
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def stages(self) -> Iterator[str]:
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith(STAGE_MARK):
                yield line.split("|")[2].strip()

    def finish(self) -> Playbook:
        """Wait for the end and return the run; `ok` says how it ended."""
        for _stage in self.stages():
            pass
        self.process.wait()
        return self

    def kill(self) -> None:
        """End the run and its children with no chance to clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def ok(self) -> bool:
        return self.process.returncode == 0

    @property
    def text(self) -> str:
        return "".join(self.output)


def run(name: str, lab: Any, *arguments: str, **variables: Any) -> Playbook:
    return Playbook(name, lab, *arguments, **variables).finish()


def left_over(lab: Any) -> list[str]:
    """Return the ids of volumes and running instances in the lab; empty when nothing is left."""
    ec2 = lab.client("ec2")
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    instances = [i["InstanceId"] for r in ec2.describe_instances(Filters=alive)["Reservations"] for i in r["Instances"]]
    return instances + [volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]]


def snapshots(lab: Any, seed: str) -> list[dict[str, Any]]:
    """Return the snapshots made from a seed, by the name of its cluster; other tests leave theirs in the same lab."""
    tags = [{"Name": "tag:CreatedBy", "Values": ["petal.hpc"]}, {"Name": "tag:petal:seed", "Values": [seed]}]
    return lab.client("ec2").describe_snapshots(OwnerIds=["self"], Filters=tags)["Snapshots"]
