import pytest

from plugins.module_utils._core.build.lease import Lease, may_take, parse_lease, refuse_lease

MINE = Lease("controller/100", 2000)
OTHER = Lease("elsewhere/7", 2000)


def test_a_lease_survives_its_tag():
    assert parse_lease(MINE.to_tag()) == MINE
    assert (MINE.host, MINE.process) == ("controller", 100)


@pytest.mark.parametrize("value", [None, "", "nonsense", "host/12", "host 99", "host/x 99"])
def test_a_lease_that_nobody_can_read_is_no_lease(value):
    assert parse_lease(value) is None


@pytest.mark.parametrize(
    ("found", "now", "holder_is_dead", "allowed"),
    [
        (None, 1000, False, True),
        (MINE, 1000, False, True),
        (OTHER, 1000, False, False),
        (OTHER, 1000, True, True),
        (OTHER, 2000, False, True),
        (OTHER, 1999, False, False),
    ],
)
def test_a_lease_is_taken_only_when_nobody_alive_holds_it(found, now, holder_is_dead, allowed):
    assert may_take(found, MINE, now, holder_is_dead) is allowed


def test_a_refused_lease_names_the_holder_and_the_ways_on():
    error = refuse_lease("ab12", OTHER, 1400)
    assert "elsewhere/7" in str(error) and "10 more minutes" in str(error) and "take_over" in str(error)
