import pytest

from plugins.module_utils._core import cluster_cpu
from plugins.module_utils._core.cluster_cpu import runs_target
from plugins.module_utils._core.errors import ExplainedError


@pytest.mark.parametrize(
    ("cpu", "target", "runs"),
    [
        ("zen3", "x86_64_v3", True),
        ("zen3", "zen3", True),
        ("zen2", "zen3", False),
        ("skylake_avx512", "zen2", False),
        ("neoverse_v1", "x86_64", False),
    ],
)
def test_a_cpu_runs_what_was_built_for_its_ancestors(cpu, target, runs):
    assert runs_target(cpu, target) is runs


def test_an_unknown_target_is_explained():
    with pytest.raises(ExplainedError, match="no CPU target 'x86_65'"):
        runs_target("zen3", "x86_65")


def test_a_missing_archspec_is_explained(monkeypatch):
    monkeypatch.setattr(cluster_cpu, "TARGETS", None)
    with pytest.raises(ExplainedError, match="pip install archspec"):
        runs_target("zen3", "zen3")
