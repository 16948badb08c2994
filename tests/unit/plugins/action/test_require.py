"""What a playbook requires is held against the variables of the run, templates and all."""

from unittest import mock

import pytest
from ansible.errors import AnsibleUndefinedVariable

from plugins.action import require


@pytest.fixture
def warnings(monkeypatch):
    texts = []
    monkeypatch.setattr(require.Display, "warning", lambda self, text, **_: texts.append(text))
    return texts


def ask(given, **arguments):
    """Run the action; given: variables by name, of which "{{ now }}" has a value and "{{ later }}" has none yet."""
    task = mock.Mock(args={"playbook": "build_seed", **arguments}, async_val=0, check_mode=False, environment=None)
    action = require.ActionModule(task, mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock())
    action._templar = mock.Mock(template=filled_in)
    return action.run(task_vars=given)


def filled_in(value):
    if value == "{{ later }}":
        raise AnsibleUndefinedVariable("later is undefined")
    return "a value" if value == "{{ now }}" else value


def test_what_fits_is_no_problem():
    assert ask({"seed": "{{ now }}", "volume_size_gib": "500"}) == {"changed": False, "problems": []}


def test_a_value_that_a_template_gives_counts_as_the_value():
    refused = ask({"seed": "x.yaml", "volume_size_gib": "{{ now }}"})
    assert refused["failed"] is True
    assert refused["problems"] == ["volume_size_gib is 'a value', not a whole number: give it as -e volume_size_gib=500"]
    assert "build_seed begins with a list of its variables" in refused["msg"]


def test_a_template_that_has_no_value_yet_counts_as_not_given():
    assert ask({"seed": "x.yaml", "volume_size_gib": "{{ later }}"})["problems"] == []
    assert ask({"seed": "{{ later }}"})["problems"][0].startswith("seed is missing: add -e seed=FILE.yaml")


def test_a_missing_variable_brings_those_that_are_needed_later():
    assert [problem.split()[0] for problem in ask({})["problems"]] == ["seed", "build_host_subnet_id"]


def test_what_is_needed_later_is_required_when_it_is_known_to_be_needed():
    assert [problem.split()[0] for problem in ask({"seed": "x.yaml"}, later=True)["problems"]] == ["build_host_subnet_id"]
    assert ask({"seed": "x.yaml", "build_host_subnet_id": "subnet-1"}, later=True)["problems"] == []


def test_a_warning_says_the_same_where_the_run_is_not_to_fail(warnings):
    went_on = ask({"seed": "x.yaml"}, later=True, fail=False)
    assert "failed" not in went_on
    assert "build_host_subnet_id is missing: add -e build_host_subnet_id=subnet-…" in warnings[0]


def test_what_is_wrong_with_the_value_is_told_for_the_playbook_that_is_asked_for():
    assert ask({"seed": ["one.yaml", "two.yaml"]}, playbook="lint_seed")["problems"] == []
    assert "not a path" in ask({"seed": ["one.yaml", "two.yaml"]}, playbook="registry_check")["problems"][0]
