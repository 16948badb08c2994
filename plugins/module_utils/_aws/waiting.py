# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for AWS: often at first, then less often, never for ever, and never taking an error for success."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from .._core.errors import ExplainedError
from .errors import NOT_YET_VISIBLE_CODES, TRANSIENT_CODES, aws_code

T = TypeVar("T")

# A snapshot may take hours and is not worth a request every second.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
GROWTH = 1.4
# How long EC2 may answer "not found" about what it has just made.
VISIBLE_WITHIN = 15.0


class TimeIsUp(ExplainedError):
    """What was waited for did not happen in time; it may still happen."""

    def __init__(self, resource: str, what: str, *, time_limit: float, last_seen: str, next_step: str) -> None:
        sentence = f"{resource} is not {what} after {time_limit:g} s; last seen: {last_seen}."
        super().__init__(sentence, resource=resource, next_step=next_step, last_seen=last_seen)


def wait_until(
    read: Callable[[], T],
    done: Callable[[T], bool],
    *,
    what: str,
    resource: str,
    time_limit: float,
    next_step: str,
    seen: Callable[[T], str] = str,
    not_yet: frozenset[str] = frozenset(),
    pauses: Iterator[float] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Read until `done` accepts what was read; return that.

    read: returns the resource as it is now; throttling and server errors in it mean "ask again".
    done: says whether the wait is over; raises ExplainedError when it can never be (a volume in state error).
    what: the state waited for, as in "volume vol-1 is not {what} after 300 s".
    time_limit: seconds. next_step: what to do when they are over. seen: how to print what was read last.
    Raises TimeIsUp, and what read or done raise otherwise.
    not_yet: further AWS codes that mean "ask again", such as NOT_YET_VISIBLE_CODES right after a create.
    pauses: seconds between two reads, without end; None: growing_pauses().
    """
    deadline = clock() + time_limit
    last_seen = "nothing yet"
    for pause in pauses or growing_pauses():
        try:
            value = read()
        except ExplainedError as error:
            if aws_code(error) not in TRANSIENT_CODES | not_yet:
                raise
            last_seen = str(aws_code(error))
        else:
            if done(value):
                return value
            last_seen = seen(value)
        remaining = deadline - clock()
        if remaining <= 0:
            raise TimeIsUp(resource, what, time_limit=time_limit, last_seen=last_seen, next_step=next_step)
        sleep(min(pause, remaining))
    raise AssertionError("pauses must not end")


def until_visible(
    call: Callable[[], T],
    *,
    codes: frozenset[str] = NOT_YET_VISIBLE_CODES,
    time_limit: float = VISIBLE_WITHIN,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call again while AWS says that a resource it has just made does not exist; the last refusal is raised."""
    deadline = clock() + time_limit
    for pause in growing_pauses():
        try:
            return call()
        except ExplainedError as error:
            remaining = deadline - clock()
            if aws_code(error) not in codes or remaining <= 0:
                raise
            sleep(min(pause, remaining))
    raise AssertionError("growing_pauses never ends")


def growing_pauses(first: float = FIRST_PAUSE, growth: float = GROWTH, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Yield seconds to pause, for ever: `first`, then each `growth` times as long as the one before, up to `longest`."""
    pause = first
    while True:
        yield min(pause, longest)
        pause *= growth
