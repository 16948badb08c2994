"""What a build host that goes on alone may do, and what it is told."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from plugins.module_utils._core.playbook.variables import detached_variables
from scripts.playbook_variables import read_data
from tests.unit.docs.pages import ROOT

POLICY = json.loads((ROOT / "playbooks/files/build_host_policy.json").read_text())


def test_whatever_the_host_may_change_carries_our_tag_or_gets_it():
    changing = [one for one in POLICY["Statement"] if not all(action.startswith("ec2:Describe") for action in one["Action"])]
    limits = [name for one in changing for name in one["Condition"]["StringEquals"]]
    assert len(limits) == len(changing) > 0
    assert set(limits) == {"aws:ResourceTag/CreatedBy", "aws:RequestTag/CreatedBy", "ec2:CreateAction"}


def test_the_host_may_end_nothing_but_volumes():
    actions = [action for one in POLICY["Statement"] for action in one["Action"]]
    assert [action for action in actions if re.search("Delete|Terminate|Stop", action)] == ["ec2:DeleteVolume", "ec2:DeleteTags"]


def test_what_decides_on_the_software_goes_to_the_host_and_what_is_of_the_controller_stays():
    sent = set(detached_variables(read_data()))
    assert {"mount_path", "os", "registry", "spack_version", "recipes_version", "right_size", "search_volume", "volume_size_gib"} <= sent
    assert not {"seed", "build_id", "detach", "signing_key", "build_host_subnet_id", "on_build_host", "take_over"} & sent


def prepare_host(folder, playbook):
    """Lay out a host whose programs only write down how they were called; playbook: what ansible-playbook does. Returns its environment."""
    shutil.copy(ROOT / "playbooks/files/detached_build.sh", folder)
    for name, body in {
        "venv/bin/ansible-playbook": playbook,
        "venv/bin/ansible": f'echo "$*" >> {folder}/told',
        "systemctl": f'echo "$*" >> {folder}/asked',
    }.items():
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    log = folder / "log"
    log.write_text('ok: [localhost]\n[ERROR]: no credentials for "ec2"\nPLAY RECAP\n')
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "AWS_REGION": "us-east-1",
        "PETAL_BUILD_ID": "ab12",
        "PETAL_VOLUME_ID": "vol-1",
        "PETAL_KEEP_HOST": "false",
        "PETAL_LOG": str(log),
        "PETAL_DEADLINE_REASON": str(folder / "reason"),
    }


def told_by(folder):
    told = folder / "told"
    return json.loads(told.read_text().partition(" -a ")[2]) if told.exists() else None


def run_on_its_host(folder, playbook_ends_with):
    """Run the script's last step; return what was told."""
    environment = prepare_host(folder, f"exit {playbook_ends_with}")
    subprocess.run(["sh", folder / "detached_build.sh", "run"], env=environment, check=True)
    assert (folder / "asked").read_text().splitlines() == ["disable petal-detached.service", "poweroff"]
    return told_by(folder)


def test_a_host_that_cannot_even_begin_says_so_before_it_goes(tmp_path):
    assert run_on_its_host(tmp_path, playbook_ends_with=2) == {
        "state": "released",
        "build_id": "ab12",
        "volume_id": "vol-1",
        "region": "us-east-1",
        "failure": "the host gave up:  ERROR : no credentials for  ec2  ",
    }


def test_a_host_that_has_built_tells_no_failure(tmp_path):
    assert run_on_its_host(tmp_path, playbook_ends_with=0) is None


@pytest.mark.parametrize("reason", ["the host ended itself: no build has made progress on it for 12 hours", None])
def test_a_host_that_ends_at_its_deadline_tells_the_reason_and_one_that_is_stopped_otherwise_keeps_the_build(tmp_path, reason):
    environment = prepare_host(tmp_path, f"touch {tmp_path}/runs; exec sleep 60")
    if reason:
        (tmp_path / "reason").write_text(reason)
    # Systemd stops all processes of a unit.
    unit = subprocess.Popen(["sh", tmp_path / "detached_build.sh", "run"], env=environment, start_new_session=True)
    deadline = time.monotonic() + 30
    while not (tmp_path / "runs").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(unit.pid, signal.SIGTERM)
    assert unit.wait(30) == 143
    told = told_by(tmp_path)
    assert (told and (told["state"], told["failure"].strip())) == (reason and ("released", reason))


def test_a_compiler_without_memory_does_not_end_the_whole_run():
    script = (ROOT / "playbooks/files/detached_build.sh").read_text()
    assert "\nOOMPolicy=continue\n" in script.split("[Service]")[1]
