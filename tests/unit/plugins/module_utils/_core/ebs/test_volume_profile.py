import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils._core.ebs.volume_profile import ACCESSES, PURPOSES, Wish, choose_profile, wish_from
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.volume_limits import check_limits


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        pytest.param(Wish("software", 500), ("gp3", 4000, 250), id="software is read by many"),
        pytest.param(Wish("software", 20), ("gp3", 3000, 125), id="what is free is the least"),
        pytest.param(Wish("checkpoint", 500), ("gp3", 3000, 500), id="checkpoints are large writes"),
        pytest.param(Wish("checkpoint", 2000), ("gp3", 4000, 1000), id="throughput brings the IOPS that it needs"),
        pytest.param(Wish("data", 2000), ("gp3", 12000, 1000), id="data at random"),
        pytest.param(Wish("data", 4000, access="sequential"), ("st1", None, None), id="much data in sequence"),
        pytest.param(Wish("data", 500, access="sequential"), ("gp3", 3000, 250), id="a small st1 is slow"),
        pytest.param(Wish("data", 20000, access="sequential"), ("gp3", 16000, 1000), id="st1 ends at 16 TiB"),
        pytest.param(Wish("data", 1000, shared=True), ("io2", 6000, None), id="several instances read it"),
        pytest.param(Wish("archive", 500), ("sc1", None, None), id="hardly read"),
        pytest.param(Wish("archive", 124), ("gp3", 3000, 125), id="sc1 begins at 125 GiB"),
    ],
)
def test_type_and_speed_follow_the_purpose_and_the_size(wish, expected):
    profile = choose_profile(wish)
    assert (profile.volume_type, profile.iops, profile.throughput) == expected
    assert profile.multi_attach is wish.shared


@given(
    purpose=st.sampled_from(PURPOSES),
    size=st.one_of(st.integers(4, 64), st.integers(4, 65536)),
    access=st.sampled_from(ACCESSES),
    shared=st.booleans(),
)
def test_ec2_and_parallelcluster_take_every_profile(purpose, size, access, shared):
    profile = choose_profile(Wish(purpose, size, access, shared))
    speed = {"iops": profile.iops, "throughput": profile.throughput, "multi_attach": profile.multi_attach}
    check_limits(profile.volume_type, size_gib=size, **speed, resource=None)
    assert (profile.iops or 0) <= 16000
    assert (profile.throughput or 0) <= 1000


def test_a_size_that_no_volume_has_is_refused():
    with pytest.raises(ExplainedError, match="gp3 takes 1 to 65536 GiB"):
        choose_profile(Wish("data", 70000))


def test_an_unknown_purpose_is_refused_with_the_known_ones():
    with pytest.raises(ExplainedError, match="purpose is 'scratch'; give one of data, checkpoint, software, archive"):
        wish_from({"purpose": "scratch", "size": 1})
