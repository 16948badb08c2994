import dataclasses

import pytest

from plugins.module_utils._core.plan import Plan


def test_a_plan_without_actions_changes_nothing():
    assert not Plan(before={"size": 1}, after={"size": 2}).changed
    assert Plan(actions=("create",)).changed


def test_the_diff_shows_nothing_for_what_does_not_exist():
    assert Plan(actions=("create",), after={"name": "scratch"}).diff() == {"before": {}, "after": {"name": "scratch"}}
    assert Plan(actions=("delete",), before={"name": "scratch"}).diff() == {"before": {"name": "scratch"}, "after": {}}


def test_a_plan_cannot_be_altered():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Plan().actions = ("delete",)
