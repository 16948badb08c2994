"""The example playbooks use modules and options that exist, and say what they need. tests/integration/test_examples.py runs them."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.unit.docs.module_options import options_of, unknown_options
from tests.unit.docs.pages import ROOT

EXAMPLES = sorted((ROOT / "playbooks" / "examples").glob("*.yml"))
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)


def tasks(example):
    return [task for play in yaml.safe_load(example.read_text()) for task in play.get("tasks", [])]


@each_example
def test_its_tasks_use_options_that_exist(example):
    ours = [(key, value) for task in tasks(example) for key, value in task.items() if key.startswith("petal.hpc.")]
    unknown = [unknown_options(options, options_of(module)) for module, options in ours]
    assert unknown == [[]] * len(ours)


@each_example
def test_its_roles_get_variables_that_exist(example):
    given = set(re.findall(r"^\s+(shared_volume_\w+):", example.read_text(), re.MULTILINE))
    arguments = yaml.safe_load((ROOT / "roles" / "shared_volume" / "meta" / "argument_specs.yml").read_text())
    assert given <= set(arguments["argument_specs"]["main"]["options"])


@each_example
def test_it_opens_with_its_purpose_its_command_and_its_variables(example):
    comment = re.match(r"---\n((?:#.*\n)+)", example.read_text())[1]
    assert f"ansible-playbook -i inventory.yml petal.hpc.examples.{example.stem} " in comment.replace(
        "ansible-playbook petal", "ansible-playbook -i inventory.yml petal"
    )
    assert "# Variables: " in comment


@each_example
def test_every_variable_that_must_be_given_is_named_in_the_comment(example):
    text = example.read_text()
    comment = re.search(r"# Variables: ([^;\n]+)", text)[1]
    used = set(re.findall(r"\{\{ (\w+) \}\}", text)) - {"instance_id", "item"}
    assert {name for name in used if not re.search(rf"^\s+{name}:|register: {name}", text, re.MULTILINE)} <= set(comment.split(", "))


@each_example
def test_a_guide_leads_to_it(example):
    guides = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    assert f"(../playbooks/examples/{example.name})" in guides
