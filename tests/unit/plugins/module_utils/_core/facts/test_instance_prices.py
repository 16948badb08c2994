import pytest

from plugins.module_utils._core.facts.instance_prices import PRICES, usd_per_hour
from plugins.module_utils._core.facts.instance_types import find_instance_type


@pytest.mark.parametrize(("name", "usd"), [("c5.xlarge", 0.17), ("m6a.large", 0.0864), ("g5.xlarge", 1.006), ("c7i.metal-24xl", 4.7124)])
def test_prices_are_those_of_the_list(name, usd):
    assert usd_per_hour(find_instance_type(name)) == pytest.approx(usd, rel=0.001)


def test_a_given_price_wins_and_an_unknown_one_is_none():
    assert usd_per_hour(find_instance_type("c5.xlarge"), {"c5.xlarge": "0.5"}) == 0.5
    assert usd_per_hour(find_instance_type("hpc6a.48xlarge")) is None


def test_every_priced_size_exists():
    odd = [f"{family}.{size}" for family, (_per_vcpu, sizes) in PRICES.items() for size in sizes]
    assert [name for name in odd if find_instance_type(name) is None] == []
