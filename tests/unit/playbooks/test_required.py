"""A playbook that lacks a variable says which, and what to add, before anything else."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from plugins.module_utils._core.playbook.variables import names_in, playbook_definition
from scripts.playbook_variables import read_data
from tests.unit.docs.pages import ROOT

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
NEED_NOTHING = {"build_list", "list_clusters", "list_snapshots"}  # but a region, which may come from the environment
DATA = read_data()
INCLUDED = re.compile(r"(?:import_playbook|include_tasks|import_tasks): \"?([\w/]+\.yml)")
ROLE = re.compile(r"name: petal\.hpc\.(\w+)\n(?:\s+tasks_from: (\w+))?")
each_playbook = pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)


def first_task(playbook):
    return yaml.safe_load(playbook.read_text())[0]["tasks"][0]


def asked(playbook):
    """Return the names of all that a playbook requires, at once or later."""
    definition = playbook_definition(DATA, playbook.stem)
    return set(names_in([*definition["required"], *definition["later"]]))


@each_playbook
def test_a_playbook_begins_with_what_it_cannot_do_without(playbook):
    assert first_task(playbook)["petal.hpc.require"] == {"playbook": playbook.stem}
    assert (asked(playbook) == set()) == (playbook.stem in NEED_NOTHING)


def test_what_is_required_later_is_asked_for_later():
    asking = {playbook.stem for playbook in PLAYBOOKS if "later: true" in playbook.read_text()}
    assert asking == {name for name, playbook in DATA["playbooks"].items() if "later" in playbook}


def texts(path):
    text = path.read_text()
    inner = [path.parent / name for name in INCLUDED.findall(text)]
    return "\n".join([text, *(texts(one) for one in inner if one.exists())])


@each_playbook
def test_what_the_roles_of_a_playbook_cannot_do_without_is_required_or_set(playbook):
    imported = re.findall(r"import_playbook: (\w+\.yml)", playbook.read_text())
    told = {name for one in [playbook, *(playbook.parent / name for name in imported)] for name in asked(one)}
    text = texts(playbook) + (ROOT / "playbooks/vars/cluster.yml").read_text()
    for role, entry in set(ROLE.findall(text)):
        specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]
        options = specs.get(entry or "main", {}).get("options") or {}
        needed = {name for name, option in options.items() if option.get("required")}
        assert {name for name in needed if not re.search(rf"^\s*{name}:", text, re.MULTILINE)} <= told, (role, entry)


def ansible_playbook(*arguments, cwd):
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOME": str(cwd / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


def test_each_playbook_without_variables_names_them_all_and_what_to_add(tmp_path):
    """The first task of every playbook, run by Ansible in one process, since each process takes seconds."""
    playbooks = [playbook for playbook in PLAYBOOKS if playbook.stem not in NEED_NOTHING]
    tasks = [{**first_task(playbook), "register": playbook.stem, "ignore_errors": True} for playbook in playbooks]
    said = {playbook.stem: f"{{{{ {playbook.stem}.msg }}}}" for playbook in playbooks}
    tasks.append({"ansible.builtin.copy": {"content": f"{{{{ {said_as_jinja(said)} | to_json }}}}", "dest": str(tmp_path / "said.json")}})
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    (tmp_path / "all.yml").write_text(yaml.safe_dump([play]))
    done = ansible_playbook(str(tmp_path / "all.yml"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "said.json").read_text())
    for playbook in playbooks:
        text = told[playbook.stem]
        for name in asked(playbook):
            assert re.search(rf"-e \S*{name}", text), (playbook.stem, text)
        assert "undefined" not in text and "Traceback" not in text


def said_as_jinja(said):
    return "{" + ", ".join(f"'{name}': {name}.msg" for name in said) + "}"


@pytest.mark.parametrize("name", ["build_seed", "deploy_plan", "verify_cluster"])
def test_a_whole_playbook_without_variables_says_so_and_nothing_of_jinja(name, tmp_path):
    done = ansible_playbook(str(ROOT / f"playbooks/{name}.yml"), "--check", cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "-e seed=FILE.yaml" in said
    assert "undefined" not in said and "Traceback" not in said and "Finalization" not in said
