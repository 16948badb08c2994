import pytest
import yaml
from ansible.errors import AnsibleFilterError

from plugins.filter import monthly_cost as plugin
from plugins.module_utils._core.facts.prices import PRICES

monthly_cost = plugin.FilterModule().filters()["monthly_cost"]
VOLUME = {"volume_id": "vol-1", "name": "data", "project": "genomics", "volume_type": "gp3", "size_gib": 500, "iops": 6000}
SNAPSHOT = {"snapshot_id": "snap-1", "volume_size_gib": 500, "stored_gib": 20}


def test_one_volume_and_a_list_of_it_cost_the_same():
    assert monthly_cost(VOLUME) == monthly_cost([VOLUME])
    assert monthly_cost(VOLUME)["usd"] == 55


def test_the_sum_is_that_of_its_parts():
    result = monthly_cost([VOLUME, SNAPSHOT])
    assert result["usd"] == 56
    assert [(one["resource"], one["project"], one["usd"]) for one in result["resources"]] == [("vol-1", "genomics", 55), ("snap-1", "", 1)]


def test_nothing_costs_nothing():
    assert monthly_cost([])["usd"] == 0


def test_given_prices_are_used_and_named():
    result = monthly_cost(SNAPSHOT, prices={"snapshot_gib_month": 0.1})
    assert (result["usd"], result["prices"]["overridden"]) == (2, ["snapshot_gib_month"])


@pytest.mark.parametrize(
    ("resources", "prices", "expected"),
    [
        ("gp3", None, "a dictionary, or a list of them"),
        (["gp3"], None, "a dictionary, or a list of them"),
        ({"size_gib": 3}, None, "Give volume_type and size_gib"),
        (VOLUME, {"gp3": 1}, "There is no price gp3"),
    ],
)
def test_what_cannot_be_priced_is_refused(resources, prices, expected):
    with pytest.raises(AnsibleFilterError, match=expected):
        monthly_cost(resources, prices)


def test_the_documentation_names_every_price():
    description = " ".join(yaml.safe_load(plugin.DOCUMENTATION)["options"]["prices"]["description"])
    assert [name for name in PRICES if f"C({name})" not in description] == []


def test_the_documentation_describes_what_is_returned():
    documented = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    result = monthly_cost(VOLUME)
    assert set(documented) == set(result)
    assert set(documented["resources"]["contains"]) == set(result["resources"][0])
