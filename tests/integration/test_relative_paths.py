"""Relative paths count from the directory of the caller: the collection lies elsewhere, as installed, and gets no new file."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from plugins.module_utils._core.build.bundle import BUNDLED_FOLDERS
from tests.integration.targets_runner import ROOT

pytestmark = pytest.mark.lab

SNAPSHOT = {
    "region": "us-east-1",
    "snapshot_id": "snap-0123456789abcdef0",
    "fingerprint": "sha256:" + "0f3a" * 16,
    "os": "alinux2023",
    "architecture": "x86_64",
    "aws_account": "111122223333",  # not ours, so that it need not exist
}
SUBNET = {"cluster_config_subnet_id": "subnet-0123456789abcdef0", "build_host_subnet_id": "subnet-0123456789abcdef0"}


class Caller:
    """Somebody with the collection installed, in a directory of their own with a seed, a key and a registry."""

    def __init__(self, lab, folder: pathlib.Path):
        self.lab, self.folder = lab, folder / "work"
        self.collection = folder / "installed/ansible_collections/petal/hpc"
        for name in BUNDLED_FOLDERS:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            if (ROOT / name).exists():
                (self.collection / name).parent.mkdir(parents=True, exist_ok=True)
                skip = {"ignore": shutil.ignore_patterns("collections", "__pycache__")} if copy is shutil.copytree else {}
                copy(ROOT / name, self.collection / name, **skip)
        self.folder.mkdir()
        (self.folder / "ansible.cfg").touch()
        shutil.copy(ROOT / "tests/data/seeds/minimal.yaml", self.folder)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "key"], check=True)
        (self.folder / "signers").write_text(f"ada@example.com {(self.folder / 'key.pub').read_text()}")

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of Ansible in the caller's directory, and return what it printed."""
        environment = {
            **os.environ,
            **self.lab.environment(),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collection.parents[2]),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [str(pathlib.Path(sys.executable).parent / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def play(self, playbook: str, *arguments: str, **variables) -> str:
        return self.run("ansible-playbook", f"petal.hpc.{playbook}", *arguments, "-e", json.dumps(variables))

    def installed(self) -> list[str]:
        return sorted(str(path) for path in self.collection.rglob("*") if "__pycache__" not in path.parts)


@pytest.fixture(scope="module")
def caller(lab, tmp_path_factory):
    caller = Caller(lab, tmp_path_factory.mktemp("caller"))
    before = caller.installed()
    register = {**SNAPSHOT, "registry": "registry", "name": "bio", "signing_key": "key", "signer": "ada@example.com"}
    caller.run("ansible", "localhost", "-m", "petal.hpc.snapshot_registry", "-a", json.dumps(register))
    yield caller
    assert caller.installed() == before


def test_a_module_writes_to_the_registry_of_the_caller(caller):
    assert (caller.folder / "registry/snapshots/bio.json").is_file()


@pytest.mark.parametrize(
    "where",
    [
        {"registry": "registry"},
        {"registry": "./registry"},
        {"registry": "~/registry"},
        {"snapshot_sources": [{"type": "community", "enabled": True, "registry": "registry", "allowed_signers": "signers"}]},
    ],
    ids=str,
)
def test_a_registry_is_read_where_the_caller_means_it(caller, where):
    said = caller.play("registry_list", **where)
    assert "| bio " in said
    assert ("signed by ada@example.com" in said) == ("snapshot_sources" in where)


def test_an_entry_is_changed_and_signed_with_the_key_of_the_caller(caller):
    caller.play("retire_snapshot", registry="registry", entry="bio", state="deprecated", signing_key="key", signer="ada@example.com")
    entry = json.loads((caller.folder / "registry/snapshots/bio.json").read_text())
    assert entry["snapshots"][0]["deprecated"]
    assert [one["signer"] for one in entry["signatures"]] == ["ada@example.com"]


def test_a_build_reads_the_registry_of_the_caller(caller):
    said = caller.play("build_seed", "--check", seed="minimal.yaml", registry="registry", lint_seed=False, **SUBNET)
    assert "There is no registry" not in said
    assert "to be built" in said


def test_a_plan_is_written_where_the_caller_is(caller):
    caller.play("deploy_plan", seed="minimal.yaml", registry="registry", plan_path=".", **SUBNET)
    assert json.loads((caller.folder / "plan.json").read_text())["action"]
    assert (caller.folder / "plan.txt").is_file()
