import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.volume_limits import LIMITS, check_limits


def check(volume_type="gp3", size_gib=100, iops=None, throughput=None, multi_attach=False):
    check_limits(volume_type, size_gib=size_gib, iops=iops, throughput=throughput, multi_attach=multi_attach, resource="scratch")


@pytest.mark.parametrize(
    "volume",
    [
        {},
        {"size_gib": 65536},
        {"size_gib": 1, "iops": 3000},
        {"size_gib": 200, "iops": 80000, "throughput": 2000},
        {"throughput": 750},
        {"volume_type": "gp2", "size_gib": 16384},
        {"volume_type": "io2", "size_gib": 4, "iops": 4000, "multi_attach": True},
        {"volume_type": "io1", "size_gib": 4, "iops": 200, "multi_attach": True},
        {"volume_type": "st1", "size_gib": 125},
        {"size_gib": None},
    ],
)
def test_what_ec2_allows_is_allowed(volume):
    check(**volume)


@pytest.mark.parametrize(
    ("volume", "problem"),
    [
        ({"size_gib": 65537}, "takes 1 to 65536 GiB"),
        ({"volume_type": "st1", "size_gib": 124}, "takes 125 to 16384 GiB"),
        ({"volume_type": "standard", "size_gib": 1025}, "takes 1 to 1024 GiB"),
        ({"iops": 2999}, "takes 3000 to 80000"),
        ({"size_gib": 10, "iops": 5001}, "needs at least 11 GiB"),
        ({"volume_type": "io1", "size_gib": 10, "iops": 501}, "50 IOPS per GiB"),
        ({"volume_type": "io2"}, "iops is required for io2"),
        ({"volume_type": "gp2", "iops": 3000}, "iops cannot be chosen for gp2; leave it out, or use gp3, io1, io2"),
        ({"throughput": 2001}, "takes 125 to 2000"),
        ({"throughput": 751}, "needs iops 3004 or more"),
        ({"volume_type": "io2", "iops": 100, "throughput": 500}, "for gp3 only"),
        ({"multi_attach": True}, "multi_attach is possible with io1 and io2 only"),
    ],
)
def test_what_ec2_refuses_is_refused_with_the_limit(volume, problem):
    with pytest.raises(ExplainedError, match=problem):
        check(**volume)


def test_every_problem_is_reported_at_once():
    with pytest.raises(ExplainedError) as caught:
        check(size_gib=0, iops=1, throughput=1)
    assert len(caught.value.details["problems"]) == 3


def test_an_unknown_type_is_refused_with_the_choices():
    with pytest.raises(ExplainedError, match=f"Choose from {', '.join(LIMITS)}"):
        check(volume_type="gp4")
