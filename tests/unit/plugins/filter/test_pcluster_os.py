import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.pcluster_os import FilterModule

pcluster_os = FilterModule().filters()["pcluster_os"]


@pytest.mark.parametrize(("written", "name"), [("al2023", "alinux2023"), ("Ubuntu 22.04", "ubuntu2204"), ("rhel9", "rhel9")])
def test_names_become_parallelclusters(written, name):
    assert pcluster_os(written) == name


def test_and_back_again():
    assert pcluster_os("alinux2023", reverse=True) == "al2023"


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(AnsibleFilterError, match="alinux2023, ubuntu2204"):
        pcluster_os("alinux2")
