import pytest

from plugins.module_utils._core.ebs.fast_restore import changes, credits_of, plan_fast_restore
from plugins.module_utils._core.errors import ExplainedError


@pytest.mark.parametrize(
    ("size_gib", "credits", "per_hour"),
    [(1, 10, 10), (100, 10, 10), (128, 8, 8), (200, 5, 5.12), (1024, 1, 1), (4096, 1, 0.25)],
)
def test_credits_are_those_of_the_user_guide(size_gib, credits, per_hour):
    assert credits_of(size_gib) == {"credits": credits, "credits_per_hour": per_hour}


@pytest.mark.parametrize(
    ("zones", "found", "gained", "lost"),
    [
        (["a", "b"], {}, ["a", "b"], []),
        (["a"], {"a": "optimizing"}, [], []),
        (["a"], {"a": "disabling"}, ["a"], []),
        (["b"], {"a": "enabled"}, ["b"], ["a"]),
        ([], {"a": "enabled", "b": "enabling"}, [], ["a", "b"]),
        ([], {"a": "disabled"}, [], []),
    ],
)
def test_the_zones_that_change_are_those_that_differ(zones, found, gained, lost):
    plan = plan_fast_restore(zones, found, 200, 0.75, "snap-1")
    assert changes(plan) == (gained, lost)
    assert plan.changed == bool(gained or lost)


def test_the_result_says_what_it_costs_and_how_long_it_takes():
    told = plan_fast_restore(["a", "b"], {}, 512, 0.75, "snap-1").after["fast_restore"]
    assert (told["usd_per_hour"], told["usd_per_month"], told["optimizing_minutes"]) == (1.5, 1095.0, 30)


def test_a_snapshot_that_is_too_large_is_refused():
    with pytest.raises(ExplainedError, match="takes up to 16384"):
        plan_fast_restore(["a"], {}, 16385, 0.75, "snap-1")
