import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.spack_environment import FilterModule
from plugins.module_utils._core.software.layout import layout

spack_environment = FilterModule().filters()["spack_environment"]


def test_a_generator_of_packages_is_taken_too():
    assert spack_environment((name for name in ["zlib"]), layout())["spack"]["specs"] == ["zlib"]


def test_an_empty_compiler_means_the_hosts_own():
    assert spack_environment(["zlib"], layout(), compiler="")["spack"]["specs"] == ["zlib"]


def test_no_packages_are_an_error_of_the_filter():
    with pytest.raises(AnsibleFilterError, match="at least one package"):
        spack_environment([], layout())
