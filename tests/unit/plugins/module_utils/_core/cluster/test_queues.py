import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils._core.cluster.queues import (
    NAME_LENGTH,
    group_types,
    plan_groups,
    resource_name,
    share,
    share_counts,
    unique_names,
)
from plugins.module_utils._core.facts.instance_types import find_instance_type, instance_type_names

WEIGHTS = st.lists(st.integers(1, 20), min_size=1, max_size=12)


def kinds(*names):
    return [find_instance_type(name) for name in names]


def names_of(groups):
    return [[kind.name for kind in types] for types in groups]


def test_types_with_equal_vcpus_share_a_group():
    assert names_of(group_types(kinds("c5.xlarge", "c5.2xlarge", "c5a.xlarge"))) == [["c5.xlarge", "c5a.xlarge"], ["c5.2xlarge"]]


def test_types_written_twice_count_once():
    assert names_of(group_types(kinds("c5.xlarge", "c5.xlarge"))) == [["c5.xlarge"]]


@pytest.mark.parametrize(
    ("one", "other", "differ_in"),
    [
        ("g4dn.xlarge", "c5.xlarge", "GPU"),
        ("g4dn.xlarge", "g5.xlarge", "GPU model"),
        ("c5n.18xlarge", "c5.18xlarge", "EFA"),
        ("c6a.xlarge", "c6g.xlarge", "architecture"),
    ],
)
def test_types_that_differ_are_kept_apart(one, other, differ_in):
    assert len(group_types(kinds(one, other))) == 2, differ_in


def test_without_multithreading_the_cores_count():
    hyperthreaded, single = kinds("c6a.2xlarge", "c7a.xlarge")
    assert hyperthreaded.cores == single.cores != hyperthreaded.vcpus
    assert len(group_types([hyperthreaded, single])) == 2
    assert len(group_types([hyperthreaded, single], smt=False)) == 1


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [(20, [1, 1, 1], [7, 7, 6]), (100, [5, 5, 2], [42, 42, 16]), (0, [1, 2], [0, 0]), (3, [0, 0], [2, 1])],
)
def test_shares_are_proportional_and_the_sum_is_exact(total, weights, shares):
    assert share(total, weights) == shares
    assert sum(shares) == total


@given(st.integers(0, 5000), WEIGHTS)
def test_no_share_is_a_whole_node_off_its_quota(total, weights):
    for got, weight in zip(share(total, weights), weights, strict=True):
        assert abs(got - total * weight / sum(weights)) < 1


@given(WEIGHTS, st.data())
def test_counts_are_kept_and_within_parallelclusters_bounds(weights, data):
    max_count = data.draw(st.integers(len(weights), 3000))
    min_count = data.draw(st.integers(0, max_count))
    counts = share_counts(min_count, max_count, weights)
    assert (sum(low for low, _ in counts), sum(high for _, high in counts)) == (min_count, max_count)
    assert all(0 <= low <= high and high >= 1 for low, high in counts)


@given(st.lists(st.sampled_from(sorted(instance_type_names())), min_size=1, max_size=20), st.integers(1, 60), st.integers(0, 60))
def test_any_queue_is_planned_without_loss(names, max_count, min_count):
    min_count = min(min_count, max_count)
    groups, dropped = plan_groups(kinds(*names), min_count, max_count)
    assert sum(group.max_count for group in groups) == max_count
    assert sum(group.min_count for group in groups) == min_count
    assert {kind.name for group in groups for kind in group.types} | {kind.name for kind in dropped} == set(names)
    assert len({group.name for group in groups}) == len(groups)
    assert all(len(group.name) <= NAME_LENGTH for group in groups)
    for group in groups:
        assert len({(kind.vcpus, kind.gpus, kind.architecture, kind.efa) for kind in group.types}) == 1


def test_with_too_few_nodes_the_sizes_written_last_are_left_out():
    groups, dropped = plan_groups(kinds("c5.xlarge", "c5.2xlarge", "c5.4xlarge"), 0, 2)
    assert [group.name for group in groups] == ["v4", "v8"]
    assert [kind.name for kind in dropped] == ["c5.4xlarge"]


@pytest.mark.parametrize(("name", "expected"), [("c5.4xlarge", "v16"), ("g4dn.xlarge", "v4-1t4"), ("p4d.24xlarge", "v96-8a100")])
def test_a_compute_resource_is_named_by_its_size(name, expected):
    assert resource_name(find_instance_type(name)) == expected


def test_equal_names_are_numbered_within_the_limit():
    assert unique_names(["v4", "v4", "v8", "v4"]) == ["v4", "v4-2", "v8", "v4-3"]
    assert unique_names(["v" * NAME_LENGTH] * 2)[1] == "v" * (NAME_LENGTH - 2) + "-2"
