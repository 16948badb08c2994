import pytest

from plugins.module_utils._core.ebs.lock import Lock, LockRequest, plan_lock
from plugins.module_utils._core.errors import ExplainedError

GOVERNED = Lock("governance", 30, "2026-12-22")
COMPLIANT = Lock("compliance", 30, "2026-12-22")
COOLING = Lock("compliance-cooloff", 30, "2026-12-22")


@pytest.mark.parametrize(
    ("request_", "found", "actions"),
    [
        (LockRequest("none"), None, ()),
        (LockRequest("none"), GOVERNED, ("unlock",)),
        (LockRequest("none"), COOLING, ("unlock",)),
        (LockRequest("governance", 30), None, ("lock",)),
        (LockRequest("governance", 30), GOVERNED, ()),
        (LockRequest("governance", 7), GOVERNED, ("lock",)),
        (LockRequest("governance", 30), COOLING, ("lock",)),
        (LockRequest("compliance", 30, confirm=True), GOVERNED, ("lock",)),
        (LockRequest("compliance", 30), COMPLIANT, ()),
        (LockRequest("compliance", 60, confirm=True), COMPLIANT, ("lock",)),
    ],
)
def test_the_plan_follows_mode_and_days(request_, found, actions):
    assert plan_lock(request_, found, "snap-1").actions == actions


@pytest.mark.parametrize(
    ("request_", "found", "complaint"),
    [
        (LockRequest("none"), COMPLIANT, "under a compliance lock until 2026-12-22 and cannot be unlocked"),
        (LockRequest("governance", 60), COMPLIANT, "can only be made longer"),
        (LockRequest("compliance", 7, confirm=True), COMPLIANT, "can only be made longer"),
        (LockRequest("compliance", 30), None, "lock.confirm: true"),
        (LockRequest("compliance", 60), COMPLIANT, "lock.confirm: true"),
        (LockRequest("governance"), None, "needs days"),
        (LockRequest("governance", 36501), None, "1 to 36500"),
        (LockRequest("governance", 30, cool_off_hours=1), None, "goes with lock.mode: compliance only"),
        (LockRequest("compliance", 30, cool_off_hours=73, confirm=True), None, "1 to 72"),
    ],
)
def test_what_ec2_would_refuse_or_nobody_could_take_back_is_refused(request_, found, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        plan_lock(request_, found, "snap-1")


def test_a_compliance_lock_with_a_cool_off_begins_with_it():
    plan = plan_lock(LockRequest("compliance", 30, cool_off_hours=4, confirm=True), None, "snap-1")
    assert plan.after["lock"]["state"] == "compliance-cooloff"


def test_a_compliance_lock_is_made_longer_without_a_new_cool_off():
    plan = plan_lock(LockRequest("compliance", 60, cool_off_hours=4, confirm=True), COMPLIANT, "snap-1")
    assert (plan.actions, plan.after["lock"]["state"]) == (("lock",), "compliance")
