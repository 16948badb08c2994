import threading

import pytest

from plugins.module_utils._aws.fleet import Item, at_once, in_order, options_of, refuse_repetitions, summary, together
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.plan import Plan


def items(**plans):
    return [Item(label=label, plan=Plan(tuple(actions.split()))) for label, actions in plans.items()]


def steps_taken(fleet, failing=()):
    """Carry out the plans; return each step as its action and whom it served. failing: (action, label) of those that fail."""
    taken = []

    def step(action):
        def act(served):
            taken.append(f"{action} {' '.join(item.label for item in served)}")
            for item in served:
                if (action, item.label) in failing:
                    item.error = ExplainedError("It broke.")

        return act

    in_order(fleet, {action: step(action) for action in ("attach", "create", "delete", "detach", "snapshot", "tag")})
    return taken


@pytest.mark.parametrize(
    ("plans", "taken"),
    [
        ({}, []),
        ({"a": ""}, []),
        ({"a": "detach snapshot delete"}, ["detach a", "snapshot a", "delete a"]),
        ({"a": "snapshot detach delete"}, ["snapshot a", "detach a", "delete a"]),
        # One step for all that come to the action, whoever comes first.
        ({"a": "attach", "b": "create attach", "c": "create"}, ["create b c", "attach a b"]),
        ({"a": "delete", "b": "detach delete", "c": "detach snapshot delete"}, ["detach b c", "snapshot c", "delete a b c"]),
        # Plans that contradict each other keep each their own order.
        ({"a": "tag attach", "b": "attach tag"}, ["tag a", "attach a b", "tag b"]),
    ],
)
def test_every_plan_is_carried_out_in_its_own_order_and_together_where_that_allows(plans, taken):
    assert steps_taken(items(**plans)) == taken


def test_an_item_that_has_failed_takes_no_further_step():
    assert steps_taken(items(a="create attach", b="create attach"), failing={("create", "a")}) == ["create a b", "attach b"]


def test_many_are_served_at_once_and_answer_in_their_order():
    meeting = threading.Barrier(3, timeout=10)

    def answer(value):
        meeting.wait()
        return value * 2

    assert at_once(answer, [1, 2, 3]) == [2, 4, 6]
    assert at_once(answer, []) == []


def test_one_failure_stays_with_its_item():
    fleet = items(a="", b="", c="")
    fleet[2].error = before = ExplainedError("Failed before.")
    served = []

    def act(item):
        served.append(item.label)
        if item.label == "a":
            raise ExplainedError("It broke.")

    together(fleet, act)
    assert sorted(served) == ["a", "b"]
    assert [str(item.error) for item in fleet] == ["It broke.", "None", str(before)]


def test_what_is_said_beside_a_list_holds_where_an_item_says_nothing():
    params = {"size": "1", "zone": None, "wait": True, "many": [{"size": None, "zone": "a", "alias": "a"}, {"size": "2", "zone": None}]}
    assert options_of(params, ("size", "zone"), "many") == [{"size": "1", "zone": "a"}, {"size": "2", "zone": None}]
    assert options_of({**params, "many": None}, ("size", "zone"), "many") == [{"size": "1", "zone": None}]


def test_what_is_named_twice_is_refused_once_and_what_has_no_key_never():
    fleet = [Item(label=label) for label in "aabcc"]
    refuse_repetitions(fleet, "volume", lambda item: None if item.label == "c" else item.label)
    assert [item.error is None for item in fleet] == [True, False, True, True, True]
    assert str(fleet[1].error) == "Volume a is in the list twice. Name each volume once, with all its options."


def test_a_summary_names_what_failed_and_why():
    fleet = items(a="create", b="create")
    assert summary(fleet, [{"changed": True}, {"changed": False}], "volume").keys() == {"changed", "results"}
    fleet[1].error = ExplainedError("It broke.")
    whole = summary(fleet, [{"changed": True, "diff": {"before": {}}}, {"changed": False}], "volume")
    assert whole == {
        "changed": True,
        "results": [
            {"failed": False, "item": "a", "changed": True, "diff": {"before": {}}},
            {"failed": True, "item": "b", "changed": False, "msg": "It broke."},
        ],
        "diff": [{"before": {}}],
        "failed": True,
        "failed_items": ["b"],
        "msg": "1 of 2 volumes failed:\n  - b: It broke.",
    }
