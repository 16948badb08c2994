"""The filter cpu_features: what code for a target may use."""

import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.cpu_features import FilterModule

cpu_features = FilterModule().filters()["cpu_features"]


def test_a_newer_target_has_more():
    assert {"avx2", "fma"} <= set(cpu_features("x86_64_v3"))
    assert "avx512f" not in cpu_features("x86_64_v3")
    assert "avx512f" in cpu_features("x86_64_v4")


def test_an_unknown_target_is_refused():
    with pytest.raises(AnsibleFilterError, match="no CPU target"):
        cpu_features("x86_64_v9")
