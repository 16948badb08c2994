"""Run the collection's playbooks as a user does, against a lab."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import yaml

from tests.lab.data_plane import image_of
from tests.spack import toy

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAGE_MARK = "petal |"


def program(name: str) -> str:
    """Return the path of a program of Ansible: in this environment, or in that which PETAL_ANSIBLE names, as `make test-floors` does."""
    return str(pathlib.Path(os.environ.get("PETAL_ANSIBLE") or sys.prefix).absolute() / "bin" / name)


class Playbook:
    """One run of ansible-playbook. `stages` yields the name of each stage as it is reached."""

    def __init__(self, name: str, lab: Any, *arguments: str, **variables: Any) -> None:
        state_dir = pathlib.Path(lab.variables["lab_state_dir"])
        command = [program("ansible-playbook"), str(ROOT / "playbooks" / name), *arguments]
        for extra in (f"@{state_dir / 'vars.json'}", json.dumps(toy.variables()), json.dumps(variables)):
            command += ["-e", extra]
        ours = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        environment = {**os.environ, **lab.environment(), **ours}
        self.output: list[str] = []
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

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
        """End the run and all that it has started, as the end of a container does, with no chance to clean up."""
        # One after the other would leave the first one's children time to notice; ansible-core's workers have sessions of their own.
        for signal_number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in [self.process.pid, *descendants(self.process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
        self.process.wait()

    @property
    def ok(self) -> bool:
        return self.process.returncode == 0

    @property
    def text(self) -> str:
        return "".join(self.output)


def descendants(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started, and those that these have."""
    listing = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    children: dict[int, list[int]] = {}
    for child, parent in (map(int, line.split()) for line in listing.splitlines()):
        children.setdefault(parent, []).append(child)
    found, left = [], [pid]
    while left:
        found += (started := children.get(left.pop(), []))
        left += started
    return found


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


def write_seed(folder: pathlib.Path, name: str, packages: list[int]) -> str:
    """Write a seed of some of the toy packages that take a while, and return its path."""
    seed = yaml.safe_load((ROOT / "tests/data/seeds/interrupted.yaml").read_text())
    seed["cluster"]["name"] = name
    seed["software"]["spack_packages"] = [f"sleeper{number:02d}@1.0 +slow" for number in packages]
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(seed))
    return str(path)


def file_of_snapshot(lab: Any, snapshot_id: str, path: str) -> str:
    """Return a file's text from a snapshot's file system; path: from its root."""
    image = image_of(pathlib.Path(lab.variables["lab_state_dir"]), snapshot_id)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-o", "loop,ro,noload", str(image), folder], check=True)
        try:
            return (pathlib.Path(folder) / path).read_text()
        finally:
            subprocess.run(["umount", folder], check=True)


def installs(log: str) -> list[tuple[set[str], set[str]]]:
    """Return, for each run of Spack in a build's log, the packages that it began to compile and those that were there at its end.

    What came from a cache, or was installed already, is not compiled.
    """
    return [
        (
            set(re.findall(r"^\[ \] \w+ (\S+) install\b", run, re.MULTILINE)),
            set(re.findall(r"^\[[+e]\] \w+ (\S+) ", run, re.MULTILINE)),
        )
        for run in log.split("==> petal: spack install")[1:]
    ]
