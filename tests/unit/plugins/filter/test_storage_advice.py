import inspect
import re

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from plugins.filter import storage_advice as plugin
from plugins.module_utils._core.cost import storage_advice as core

storage_advice = plugin.FilterModule().filters()["storage_advice"]


def test_the_rule_that_decides_stands_beside_all_that_fired():
    result = storage_advice("500Gi", run_hours="6", restarts_per_month=1)
    assert (result["storage"], result["rule"]) == ("ebs", "long_run")
    assert [advice["rule"] for advice in result["fired"]] == ["long_run", "large_dataset"]


def test_prices_can_be_given():
    facts = {"restarts_per_month": 10, "download_mib_per_second": 284, "instance_usd_per_hour": 0.1}
    assert storage_advice(500, prices={"gp3_gib_month": 0}, **facts)["storage"] == "ebs"


def test_a_size_below_one_gib_stays_below_it():
    assert storage_advice("200Mi")["rule"] == "small_dataset"


def test_the_documentation_names_every_rule():
    description = " ".join(yaml.safe_load(plugin.DOCUMENTATION)["description"])
    rules = re.findall(r'Advice\([\w.]+, "(\w+)"', inspect.getsource(core))
    assert len(rules) == 9
    assert [rule for rule in rules if f"C({rule})" not in description] == []


def test_what_is_unknown_is_refused_with_the_known_names():
    with pytest.raises(AnsibleFilterError, match="hours is not known; choose from dataset_gib, run_hours"):
        storage_advice(500, hours=3)
