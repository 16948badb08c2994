"""What a build host that goes on alone may do, and what it is told."""

import json
import re
import shutil
import subprocess

from plugins.module_utils._core.build import DETACHED_VARIABLES
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


def test_the_variables_that_go_to_the_host_are_those_of_the_playbook():
    comment = (ROOT / "playbooks/build_seed.yml").read_text().split("\n- name")[0]
    assert [name for name in DETACHED_VARIABLES if not re.search(rf"\b{name}\b", comment)] == []


def run_on_its_host(folder, playbook_ends_with):
    """Run the script's last step with programs that only write down how they were called; return what was said and what was told."""
    shutil.copy(ROOT / "playbooks/files/detached_build.sh", folder)
    for name, body in {
        "venv/bin/ansible-playbook": f"exit {playbook_ends_with}",
        "venv/bin/ansible": f'echo "$*" >> {folder}/told',
        "systemctl": f'echo "$*" >> {folder}/asked',
    }.items():
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    log = folder / "log"
    log.write_text('ok: [localhost]\n[ERROR]: no credentials for "ec2"\nPLAY RECAP\n')
    environment = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "AWS_REGION": "us-east-1",
        "PETAL_BUILD_ID": "ab12",
        "PETAL_VOLUME_ID": "vol-1",
        "PETAL_KEEP_HOST": "false",
        "PETAL_LOG": str(log),
    }
    subprocess.run(["sh", folder / "detached_build.sh", "run"], env=environment, check=True)
    assert (folder / "asked").read_text().splitlines() == ["disable petal-detached.service", "poweroff"]
    told = folder / "told"
    return json.loads(told.read_text().partition(" -a ")[2]) if told.exists() else None


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
