# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Locking a snapshot, so that nobody deletes it before a time."""

from __future__ import annotations

import dataclasses

from ..errors import ExplainedError
from ..plan import Plan

UNLOCKED, GOVERNANCE, COMPLIANCE, COOLING_OFF = "none", "governance", "compliance", "compliance-cooloff"
# EC2 API reference, LockSnapshot.
LONGEST_DAYS = 36500
LONGEST_COOL_OFF_HOURS = 72


@dataclasses.dataclass(frozen=True)
class Lock:
    """A lock in force. state: as EC2 gives it: governance, compliance-cooloff or compliance. expires: ISO 8601."""

    state: str
    days: int
    expires: str | None = None

    @property
    def mode(self) -> str:
        return self.state.removesuffix("-cooloff")


@dataclasses.dataclass(frozen=True)
class LockRequest:
    """The lock asked for.

    mode: "none" for no lock. days: counted from the moment of locking.
    cool_off_hours: how long a new compliance lock can still be taken back; 0 for not at all.
    confirm: the user has said that a compliance lock is meant.
    """

    mode: str
    days: int | None = None
    cool_off_hours: int = 0
    confirm: bool = False


def plan_lock(request: LockRequest, found: Lock | None, resource: str | None) -> Plan:
    """Decide whether a snapshot has to be locked or unlocked.

    Returns a Plan whose actions are (), ("lock",) or ("unlock",); its before and after hold lock.
    Raises ExplainedError for what EC2 would refuse, and for a compliance lock that is not confirmed.
    Source: EC2 API reference, LockSnapshot and UnlockSnapshot.
    """
    before = {"lock": dataclasses.asdict(found) if found else None}
    if request.mode == UNLOCKED:
        if found is None:
            return Plan((), before, before)
        _refuse_weaker(found, "unlocked", resource)
        return Plan(("unlock",), before, {"lock": None})
    _check(request, resource)
    if found and (found.mode, found.days) == (request.mode, request.days):
        return Plan((), before, before)
    if found and (request.mode != COMPLIANCE or request.days < found.days):
        _refuse_weaker(found, "locked for less", resource)
    if request.mode == COMPLIANCE and not request.confirm:
        raise ExplainedError(
            f"A compliance lock cannot be taken back: nobody, AWS included, could delete the snapshot for {request.days} days.",
            resource=resource,
            next_step="Say lock.confirm: true when that is meant, or lock.mode: governance.",
        )
    # A lock that can no longer be taken back is made longer without a new cool-off; EC2 refuses one.
    cools_off = request.mode == COMPLIANCE and request.cool_off_hours and (found is None or found.state != COMPLIANCE)
    state = COOLING_OFF if cools_off else request.mode
    return Plan(("lock",), before, {"lock": dataclasses.asdict(Lock(state, request.days))})


def _check(request: LockRequest, resource: str | None) -> None:
    if request.days is None or not 1 <= request.days <= LONGEST_DAYS:
        raise ExplainedError("A lock needs days.", resource=resource, next_step=f"Set lock.days to 1 to {LONGEST_DAYS}.")
    if not 0 <= request.cool_off_hours <= LONGEST_COOL_OFF_HOURS or (request.cool_off_hours and request.mode != COMPLIANCE):
        raise ExplainedError(
            f"A cool-off of {request.cool_off_hours} hours does not go with a {request.mode} lock.",
            resource=resource,
            next_step=f"cool_off_hours takes 1 to {LONGEST_COOL_OFF_HOURS}, and goes with lock.mode: compliance only.",
        )


def _refuse_weaker(found: Lock, wanted: str, resource: str | None) -> None:
    if found.state == COMPLIANCE:
        raise ExplainedError(
            f"Snapshot {resource} is under a compliance lock until {found.expires} and cannot be {wanted}.",
            resource=resource,
            next_step="Such a lock can only be made longer.",
        )
