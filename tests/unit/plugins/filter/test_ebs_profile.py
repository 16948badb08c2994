import pytest
import yaml
from ansible.errors import AnsibleFilterError

from plugins.filter import ebs_profile as plugin
from plugins.filter.monthly_cost import monthly_cost

ebs_profile = plugin.FilterModule().filters()["ebs_profile"]


def test_the_samples_of_the_documentation_are_what_the_example_returns():
    documented = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    assert ebs_profile("checkpoint", size="200Gi") == {name: field["sample"] for name, field in documented.items()}


def test_a_profile_has_a_cost():
    assert monthly_cost(ebs_profile("software", size=500))["usd"] == 40 + 5 + 5


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"purpose": "scratch", "size": 1}, "purpose is 'scratch'; give one of data, checkpoint, software, archive"),
        ({"purpose": "data"}, "size is missing"),
        ({"purpose": "data", "size": 5, "acess": "random"}, "acess is not known; choose from purpose, size, access, shared"),
        ({"purpose": "data", "size": "70Ti"}, "gp3 takes 1 to 65536 GiB"),
    ],
)
def test_what_has_no_profile_is_refused(given, expected):
    with pytest.raises(AnsibleFilterError, match=expected):
        ebs_profile(**given)
