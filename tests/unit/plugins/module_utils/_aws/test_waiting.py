import itertools

import pytest

from plugins.module_utils._aws.waiting import growing_pauses, until_visible, wait_until
from plugins.module_utils._core.errors import ExplainedError


class Clock:
    """A clock that only moves when someone sleeps."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def aws_error(code):
    return ExplainedError("AWS refused.", aws_code=code)


def answers(*values):
    """Return a read that gives these values in turn, the last one for ever; exceptions are raised."""
    stream = itertools.chain(values, itertools.repeat(values[-1]))

    def read():
        value = next(stream)
        if isinstance(value, Exception):
            raise value
        return value

    return read


def wait(read, time_limit=60, done=lambda state: state == "available", **options):
    clock = Clock()
    value = wait_until(
        read,
        done,
        what="available",
        resource="Volume vol-1",
        time_limit=time_limit,
        next_step="Look at its status.",
        clock=clock,
        sleep=clock.sleep,
        **options,
    )
    return value, clock


def test_what_is_ready_is_not_waited_for():
    value, clock = wait(answers("available"))
    assert value == "available"
    assert clock.slept == []


def test_the_first_pause_is_one_second_and_later_ones_grow():
    _, clock = wait(answers("creating", "creating", "creating", "available"))
    assert clock.slept == pytest.approx([1.0, 1.4, 1.96])


def test_pauses_stop_growing():
    assert list(itertools.islice(growing_pauses(longest=2), 5)) == pytest.approx([1, 1.4, 1.96, 2, 2])


def test_throttling_means_ask_again_and_is_never_success():
    value, clock = wait(answers(aws_error("RequestLimitExceeded"), aws_error("Throttling"), "available"))
    assert value == "available"
    assert len(clock.slept) == 2


def test_endless_throttling_ends_in_a_failure():
    with pytest.raises(ExplainedError, match="last seen: RequestLimitExceeded"):
        wait(answers(aws_error("RequestLimitExceeded")), time_limit=5)


def test_an_error_that_is_not_transient_ends_the_wait_at_once():
    with pytest.raises(ExplainedError, match="AWS refused"):
        wait(answers(aws_error("UnauthorizedOperation"), "available"))


def test_not_found_is_retried_only_where_it_is_expected():
    fresh = answers(aws_error("InvalidVolume.NotFound"), "available")
    assert wait(fresh, not_yet=frozenset({"InvalidVolume.NotFound"}))[0] == "available"
    with pytest.raises(ExplainedError):
        wait(answers(aws_error("InvalidVolume.NotFound"), "available"))


def test_the_time_limit_says_what_was_seen_and_what_to_do():
    with pytest.raises(ExplainedError) as caught:
        wait(answers("creating"), time_limit=10)
    assert str(caught.value) == "Volume vol-1 is not available after 10 s; last seen: creating. Look at its status."
    assert caught.value.details["last_seen"] == "creating"


def test_one_last_look_is_taken_when_the_time_is_up():
    value, clock = wait(answers("creating", "creating", "available"), time_limit=1.5)
    assert value == "available"
    assert clock.slept == pytest.approx([1.0, 0.5])


def test_a_state_that_can_never_become_right_ends_the_wait():
    def done(state):
        if state == "error":
            raise ExplainedError("The volume failed.")
        return False

    with pytest.raises(ExplainedError, match="The volume failed"):
        wait(answers("creating", "error"), done=done)


def test_a_call_is_repeated_until_the_new_resource_is_visible():
    clock = Clock()
    read = answers(aws_error("InvalidVolume.NotFound"), "attached")
    assert until_visible(read, clock=clock, sleep=clock.sleep) == "attached"
    assert clock.slept == [1.0]


def test_a_resource_that_stays_invisible_is_reported_as_missing():
    clock = Clock()
    with pytest.raises(ExplainedError):
        until_visible(answers(aws_error("InvalidVolume.NotFound")), time_limit=3, clock=clock, sleep=clock.sleep)
    assert clock.now == pytest.approx(3)


def test_other_refusals_are_not_repeated():
    clock = Clock()
    with pytest.raises(ExplainedError):
        until_visible(answers(aws_error("VolumeInUse"), "attached"), clock=clock, sleep=clock.sleep)
    assert clock.slept == []
