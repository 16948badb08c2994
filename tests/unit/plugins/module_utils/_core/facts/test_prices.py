import re

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts import prices
from plugins.module_utils._core.facts.volume_limits import LIMITS


def test_a_price_given_replaces_ours_and_leaves_the_others():
    assert prices.prices_with({"gp3_gib_month": "0.0952"}) == {**prices.PRICES, "gp3_gib_month": 0.0952}


def test_without_overrides_the_prices_are_ours():
    assert prices.prices_with(None) == prices.PRICES


def test_an_unknown_price_is_refused_with_the_known_ones():
    with pytest.raises(ExplainedError, match=r"There is no price gp3\. Choose from gp3_gib_month, gp3_iops_month"):
        prices.prices_with({"gp3": 0.08})


@pytest.mark.parametrize("value", [-1, "cheap", None, True, float("nan"), float("inf")])
def test_what_is_no_price_is_refused(value):
    with pytest.raises(ExplainedError, match="a number of USD, 0 or more:\n  - gp3_gib_month is"):
        prices.prices_with({"gp3_gib_month": value})


def test_every_volume_type_has_a_price():
    assert {f"{volume_type}_gib_month" for volume_type in LIMITS} <= set(prices.PRICES)


def test_prices_say_their_day_their_region_and_their_source():
    origin = prices.origin({"st1_gib_month": 0.05})
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", origin["date"])
    assert (origin["region"], origin["currency"], origin["overridden"]) == ("us-east-1", "USD", ["st1_gib_month"])
    assert [source.split(",")[0] for source in origin["sources"]] == ["Amazon EBS pricing", "Amazon S3 pricing"]
