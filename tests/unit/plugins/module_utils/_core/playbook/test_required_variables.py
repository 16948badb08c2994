import pytest

from plugins.module_utils._core.playbook.required_variables import EXAMPLES, missing_variables


def missing(required, *given):
    return missing_variables(required, lambda name: name in given)


def test_what_is_given_is_not_missing():
    assert missing(["seed", "registry or snapshot_sources"], "seed", "snapshot_sources") == []


def test_every_missing_variable_is_told_at_once_with_what_to_add():
    assert missing(["seed", "region"]) == ["seed is missing: add -e seed=FILE.yaml", "region is missing: add -e region=us-east-1"]


@pytest.mark.parametrize(("given", "met"), [(["seed"], True), (["build_id"], False), (["build_id", "region"], True), ([], False)])
def test_one_complete_alternative_is_enough(given, met):
    assert (missing(["seed or build_id and region"], *given) == []) == met


def test_alternatives_are_all_named():
    (problem,) = missing(["seed or build_id and region"])
    assert "-e seed=FILE.yaml, or -e build_id=… " in problem
    assert problem.endswith("-e region=us-east-1")


def test_every_example_gives_the_variable_that_it_is_of():
    assert [name for name, example in EXAMPLES.items() if f"{name}=" not in example and f'"{name}":' not in example] == []
