"""Slow states: how long volumes, attachments, snapshots, modifications and instances stay on their way.

Seconds by name in `SLOW`, all 0 at start, set at run time by `POST /lab/slow`. A state is worked out from the age of
the resource whenever it is read: `{"snapshot": 3600}` holds snapshots in pending, `{"snapshot": 0}` lets them complete.

volume        creating, then available
attachment    attaching, then attached
detachment    detaching, then gone
snapshot      pending with a growing progress, then completed
modification  modifying; then as long again optimizing, then completed
instance      pending, then running
termination   shutting-down, then terminated
fast_restore  enabling; then as long again optimizing, then enabled
stack         CREATE_IN_PROGRESS, then what the creation came to
"""

from __future__ import annotations

import datetime

from moto.core.utils import utcnow

SLOW: dict[str, float] = dict.fromkeys(
    ("volume", "attachment", "detachment", "snapshot", "modification", "instance", "termination", "fast_restore", "stack"), 0.0
)


def set_slow(seconds: dict[str, float]) -> dict[str, float]:
    """Change some durations; returns all of them. Raises ValueError for an unknown name."""
    unknown = seconds.keys() - SLOW.keys()
    if unknown:
        raise ValueError(f"No slow state is called {', '.join(sorted(unknown))}; there are {', '.join(SLOW)}.")
    SLOW.update(seconds)
    return SLOW


def age(moment: datetime.datetime) -> float:
    """Seconds since `moment`, a time as moto stores it."""
    return (utcnow() - moment).total_seconds()


def progress(name: str, since: datetime.datetime) -> float:
    """How far a slow state has come: 0.0 just begun, 1.0 and more when its time is over."""
    return age(since) / SLOW[name] if SLOW[name] > 0 else float("inf")
