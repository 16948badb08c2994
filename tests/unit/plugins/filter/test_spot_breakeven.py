import dataclasses

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from plugins.filter import spot_breakeven as plugin
from plugins.module_utils._core.cost.storage_advice import Workload

spot_breakeven = plugin.FilterModule().filters()["spot_breakeven"]
RESTARTS = {"restarts_per_month": 10, "download_mib_per_second": 284, "instance_usd_per_hour": 0.10}


def test_the_samples_of_the_documentation_are_what_the_example_returns():
    documented = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    result = spot_breakeven(500, **RESTARTS)
    assert set(documented) == set(result)
    assert {name: result[name] for name in documented if name != "prices"} == {
        name: field["sample"] for name, field in documented.items() if name != "prices"
    }


def test_the_documented_options_and_defaults_are_those_of_the_core():
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    fields = {field.name: field for field in dataclasses.fields(Workload)}
    assert set(options) - {"_input", "prices"} == set(fields) - {"dataset_gib"}
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert documented == {name: field.default for name, field in fields.items() if field.default not in (dataclasses.MISSING, None)}


def test_sizes_are_read_as_people_write_them():
    assert spot_breakeven("1Ti", **RESTARTS) == spot_breakeven(1024, **RESTARTS)


def test_prices_can_be_given():
    assert spot_breakeven(500, prices={"gp3_gib_month": 0}, **RESTARTS)["ebs_usd"] < spot_breakeven(500, **RESTARTS)["ebs_usd"] - 39


def test_what_is_missing_or_unknown_is_named():
    with pytest.raises(AnsibleFilterError, match="instance_price is not known; choose from dataset_gib, restarts_per_month"):
        spot_breakeven(500, instance_price=1)
