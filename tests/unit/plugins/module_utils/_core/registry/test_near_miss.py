import pytest

from plugins.module_utils._core.registry.index import IndexLine
from plugins.module_utils._core.registry.near_miss import nearest

WANTED = ("samtools@1.17 +plugins", "bwa@0.7.17%gcc@14", "htslib")
PLATFORM = {"os": "al2023", "architecture": "x86_64", "target": "x86_64_v3"}


def line(name, *packages, **platform):
    return "registry a", IndexLine(name, f"sha256:{name}", **{**PLATFORM, "os": "alinux2023", **platform}, packages=packages)


def near(*lines):
    return nearest(lines, WANTED, PLATFORM)


def test_it_says_what_is_added_removed_and_changed():
    miss = near(line("bio", "samtools@1.16", "htslib@1.19", "gatk@4.3.0"))
    assert miss.to_result() == {
        "name": "bio",
        "source": "registry a",
        "fingerprint": "sha256:bio",
        "missing": ["bwa@0.7.17"],
        "additional": ["gatk@4.3.0"],
        "changed": [{"name": "samtools", "wanted": "1.17", "there": "1.16"}],
        "platform": [],
    }
    assert str(miss) == (
        "The nearest is bio (registry a): it lacks bwa@0.7.17; has gatk@4.3.0 in addition; has samtools@1.16 instead of 1.17."
    )


def test_the_fewest_differences_win_then_the_platform_then_the_name():
    exact = ("samtools@1.17", "bwa@0.7.17", "htslib@1.19")
    assert near(line("far", "bwa@0.7.17"), line("near", *exact[:2])).name == "near"
    assert near(line("arm", *exact, architecture="arm64"), line("wanted", *exact)).name == "wanted"
    assert near(line("b", *exact), line("a", *exact)).name == "a"


def test_another_platform_is_named():
    miss = near(line("bio", "samtools@1.17", "bwa@0.7.17", "htslib", os="ubuntu2404"))
    assert str(miss) == "The nearest is bio (registry a): it is for ubuntu2404 instead of alinux2023."


def test_equal_packages_on_an_equal_platform_differ_in_what_the_fingerprint_covers_beyond_them():
    assert "built with other variants" in str(near(line("bio", "samtools@1.17", "bwa@0.7.17", "htslib@1.19")))


@pytest.mark.parametrize("lines", [[], [line("chem", "gromacs@2024")], [("registry a", IndexLine("petal", "sha256:1"))]])
def test_what_has_nothing_in_common_is_not_near(lines):
    assert near(*lines) is None


@pytest.mark.parametrize(
    ("wanted", "there", "changed"),
    [
        ("a@1.17", "a@1.17.2", False),
        ("a@=1.17", "a@1.17", False),
        ("a@1.1", "a@1.17", True),
        ("a@1:2", "a@1.5", False),
        ("a", "a@9", False),
    ],
)
def test_versions_are_compared_as_spack_does(wanted, there, changed):
    assert bool(nearest([line("bio", there)], [wanted], PLATFORM).changed) == changed
