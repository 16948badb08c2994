import pytest

from plugins.module_utils._core.ebs.hydration import choose, question_from
from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.facts.prices import PRICES


def chosen(**values):
    return choose(question_from({"size_gib": 200, **values}), PRICES)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "lazy"),
        ({"first_read_gib": 50}, "initialized_volume"),
        ({"first_read_gib": 15, "hot_list": True}, "hot_list"),
        ({"first_read_gib": 50, "hot_list": True}, "initialized_volume"),
        ({"first_read_gib": 50, "clusters_per_hour": 4}, "fast_restore"),
        ({"first_read_gib": 50, "clusters_per_hour": 40}, "lazy"),
        ({"first_read_gib": 50, "lazy_mib_per_second": 1000}, "lazy"),
        ({"first_read_gib": 50, "stored_gib": 1}, "lazy"),
    ],
)
def test_the_way_follows_from_the_use(values, name):
    assert chosen(**values)[0] == name


def test_the_slowest_sufficient_rate_is_taken():
    _name, ways = chosen(first_read_gib=50, stored_gib=50, patience_minutes=5)
    assert "initialization_rate 200" in next(way.how for way in ways if way.name == "initialized_volume")


def test_every_other_way_says_why_it_is_not_taken():
    name, ways = chosen()
    assert [way.name for way in ways if not way.why_not] == [name]


def test_fast_restore_costs_the_time_it_takes_to_become_fast_and_an_hour():
    _name, ways = choose(question_from({"size_gib": 1024}), PRICES)
    assert ways[-1].usd == pytest.approx(2 * 0.75)


def test_wrong_values_are_told():
    with pytest.raises(ManyProblems, match="first_read_gib is 'much'"):
        question_from({"size_gib": 10, "first_read_gib": "much"})
