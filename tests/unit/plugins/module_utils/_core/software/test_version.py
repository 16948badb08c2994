"""Versions compare as in Spack, and the nearest one is what a person would take."""

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.version import check_spack, nearest, newest, parse_version, satisfies


def test_versions_sort_as_in_spack():
    ordered = ["1.2alpha1", "1.2rc1", "1.2", "1.2a", "1.2.9", "1.2.10", "1.10", "2023.1", "stable", "main", "develop"]
    assert sorted(sorted(ordered), key=parse_version) == ordered


@pytest.mark.parametrize(
    ("version", "constraint", "expected"),
    [
        ("1.2.5", "1.2", True),
        ("1.20", "1.2", False),
        ("1.2.5", "=1.2", False),
        ("1.2", "=1.2", True),
        ("1.4.9", "1.2:1.4", True),
        ("1.5", "1.2:1.4", False),
        ("1.4rc1", "1.4", False),
        ("3.0", ":1.4,2.0:", True),
        ("1.7", ":1.4,2.0:", False),
        ("2022_09_1", "2022.9.1", True),
        ("develop", "1.2:", True),
        ("main", "main", True),
        ("1.0", "", True),
    ],
)
def test_a_constraint_allows_what_spack_allows(version, constraint, expected):
    assert satisfies(version, constraint) is expected


@pytest.mark.parametrize(
    ("constraint", "versions", "expected"),
    [
        ("11.3.0", ["11.5.0", "12.1.0"], "11.5.0"),
        ("2.40.0", ["2.40.1", "2.40.4", "2.41.0"], "2.40.1"),
        ("2.40", ["2.39.1", "2.41.0", "2.41.3", "3.0"], "2.41.3"),
        ("4.9.1", ["4.2", "4.3.3"], "4.3.3"),
        ("20230422", ["20220522", "20240822"], "20240822"),
        ("=1.2.3", ["1.2", "1.1", "main"], "1.2"),
        (":1.4,1.7:1.9", ["2.0", "1.5"], "1.5"),
        ("1.0", ["main"], "main"),
        ("1.0", [], None),
    ],
)
def test_the_nearest_version_shares_most_and_is_rather_newer(constraint, versions, expected):
    assert nearest(constraint, versions) == expected


def test_a_branch_is_newest_only_where_there_is_no_release():
    assert newest(["develop", "1.9", "1.10"]) == "1.10"
    assert newest(["main", "develop"]) == "develop"


@pytest.mark.parametrize("version", ["0.23", "v0.23.1", "releases/v0.22", "1.1.1"])
def test_a_spack_that_is_too_old_is_refused(version):
    with pytest.raises(ExplainedError, match="cannot be used") as refusal:
        check_spack(version)
    assert "fix_seed" in str(refusal.value)


@pytest.mark.parametrize("version", ["1.2", "v1.2.2", "releases/v1.10", "2.0", "develop", "2932d76ece"])
def test_newer_spacks_branches_and_commits_are_taken(version):
    check_spack(version)
