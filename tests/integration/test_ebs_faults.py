"""What ebs_volume does when AWS misbehaves, and when its own process is killed: the next run always gets there."""

from __future__ import annotations

import dataclasses
import signal
from typing import Any

import pytest

from tests.integration.kills import killed_at
from tests.lab.client import Lab

pytestmark = pytest.mark.lab

REQUEST_LOST = {"code": "InternalError", "status": 500, "times": 1}
ANSWER_LOST = {**REQUEST_LOST, "drop": True}
THROTTLED = {"code": "RequestLimitExceeded", "status": 503, "times": 2}


@dataclasses.dataclass(frozen=True)
class Step:
    """One task in the life of a volume. calls: what it asks of AWS, in order; outcome: (GiB, Team, holders), None when deleted."""

    name: str
    asked: dict[str, Any]
    calls: tuple[str, ...]
    outcome: tuple[int, str | None, int] | None


LIFE = (
    Step(
        "create and attach",
        {"state": "attached", "device": "auto", "delete_on_termination": True, "tags": {"Old": "1"}},
        (
            *("DescribeVolumes", "DescribeInstances", "CreateVolume", "DescribeVolumes"),
            *("AttachVolume", "DescribeVolumes", "ModifyInstanceAttribute", "DescribeVolumes"),
        ),
        (1, None, 1),
    ),
    Step(
        "tag and grow",
        {"size": "2", "tags": {"Team": "x"}, "purge_tags": True},
        ("DescribeVolumes", "CreateTags", "DeleteTags", "ModifyVolume", "DescribeVolumesModifications", "DescribeVolumes"),
        (2, "x", 1),
    ),
    Step("detach", {"state": "detached"}, ("DescribeVolumes", "DetachVolume", "DescribeVolumes"), (2, "x", 0)),
    Step("delete", {"state": "absent"}, ("DescribeVolumes", "DeleteVolume", "DescribeVolumes"), None),
)
WRITES = tuple(dict.fromkeys(call for step in LIFE for call in step.calls if not call.startswith("Describe")))
KILLS = [
    pytest.param(number, call, moment, id=f"{step.name}, {moment} call {call + 1} {step.calls[call]}")
    for number, step in enumerate(LIFE)
    for call in range(len(step.calls))
    for moment in ("before", "after")
]


@pytest.fixture
def live(account, instances):
    """Return a function that does one step of the life of the test's volume."""

    def do(step: Step, **given: Any) -> dict[str, Any]:
        needs = {"instance_id": instances[0]} if step.asked.get("state") == "attached" else {}
        return account.volume(**{**step.asked, **needs, **given})

    return do


@pytest.fixture
def outcome(account):
    """Return a function that reads in AWS what LIFE says as `outcome`."""

    def read() -> tuple[int, str | None, int] | None:
        volumes = account.in_aws()
        assert len(volumes) <= 1, "the volume was made twice"
        if not volumes:
            return None
        tags = {tag["Key"]: tag["Value"] for tag in volumes[0]["Tags"]}
        return volumes[0]["Size"], tags.get("Team"), len(volumes[0].get("Attachments", ()))

    return read


@pytest.fixture(scope="module")
def unconnected(lab):
    """A client that this process never uses, so that a forked one can: connections must not be shared."""
    return lab.client("ec2", retries=0)


@pytest.fixture
def unretried(lab):
    return lab.client("ec2", retries=0)


def all_volumes(lab: Lab) -> set[str]:
    return {volume["VolumeId"] for page in lab.client("ec2").get_paginator("describe_volumes").paginate() for volume in page["Volumes"]}


def converge(live, outcome, steps: tuple[Step, ...]) -> None:
    """Do the steps; each must reach its outcome, and find nothing to do when it is done again."""
    for step in steps:
        result = live(step)
        assert not result.get("failed"), f"{step.name}: {result}"
        assert outcome() == step.outcome, step.name
        assert not live(step)["changed"], f"{step.name}, again"


# A process that is killed


@pytest.mark.parametrize("step", LIFE, ids=lambda step: step.name)
def test_the_kills_below_are_at_every_call_of_a_life(account, live, step):
    for earlier in LIFE[: LIFE.index(step)]:
        live(earlier)
    seen = []
    watched = account.lab.client("ec2", retries=1)
    watched.meta.events.register("before-call.ec2", watch := lambda model, **_: seen.append(model.name))
    live(step, client=watched)
    watched.meta.events.unregister("before-call.ec2", watch)
    assert seen == list(step.calls)
    account.volume(state="absent", force=True)


@pytest.mark.parametrize(("number", "call", "moment"), KILLS)
def test_the_next_run_completes_what_a_killed_one_began(account, unconnected, live, outcome, number, call, moment):
    before = all_volumes(account.lab)
    for earlier in LIFE[:number]:
        live(earlier)
    assert killed_at(call, moment, [unconnected], lambda: live(LIFE[number], client=unconnected)) == signal.SIGKILL
    converge(live, outcome, LIFE[number:])
    assert all_volumes(account.lab) == before


@pytest.mark.parametrize("call", [0, 5, 11])
def test_a_fleet_whose_run_is_killed_is_completed_and_no_volume_made_twice(account, unconnected, call):
    before = all_volumes(account.lab)
    fleet = {"volumes": [{"name": f"{account.name}-{number}"} for number in range(10)]}
    assert killed_at(call, "after", [unconnected], lambda: account.volume(client=unconnected, **fleet)) == signal.SIGKILL
    assert not account.volume(**fleet).get("failed")
    assert len(all_volumes(account.lab) - before) == 10
    assert not account.volume(**fleet)["changed"]
    assert account.volume(state="absent", **fleet)["changed"]
    assert all_volumes(account.lab) == before


# Faults that pass


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(REQUEST_LOST, id="a request lost"),
        pytest.param(ANSWER_LOST, id="an answer lost"),
        pytest.param(THROTTLED, id="throttled"),
    ],
)
def test_a_fault_that_passes_is_overcome_in_the_same_run(account, live, outcome, action, fault):
    before = all_volumes(account.lab)
    account.lab.faults([{"action": action, **fault}])
    for step in LIFE:
        result = live(step)
        assert not result.get("failed"), f"{step.name}: {result}"
        assert outcome() == step.outcome, step.name
    assert all_volumes(account.lab) == before


@pytest.mark.parametrize("action", ["DescribeVolumes", *WRITES])
def test_a_run_that_is_refused_on_its_way_is_completed_by_the_next_one(account, unretried, live, outcome, action):
    number = next(number for number, step in enumerate(LIFE) if action in step.calls)
    for earlier in LIFE[:number]:
        live(earlier)
    # One describe passes, so that the run breaks in the middle.
    account.lab.faults([{"action": action, "code": "UnauthorizedOperation", "status": 403, "after": int(action == "DescribeVolumes")}])
    assert live(LIFE[number], client=unretried)["failed"]
    account.lab.faults([])
    converge(live, outcome, LIFE[number:])


def test_a_volume_that_is_not_visible_at_once_is_waited_for(account, live, outcome):
    account.lab.faults(
        [{"action": action, "code": "InvalidVolume.NotFound", "fresh": 0.5} for action in ("AttachVolume", "CreateTags", "ModifyVolume")]
    )
    converge(live, outcome, LIFE)


def test_a_volume_that_stays_in_creating_is_reported_and_taken_up_again(account):
    account.lab.slow({"volume": 3600})
    stuck = account.volume(wait_timeout=5)
    assert "is not available after 5 s; last seen: creating" in stuck["msg"]
    account.lab.slow({"volume": 0})
    resumed = account.volume()
    assert resumed["volume"]["volume_id"] == stuck["volume"]["volume_id"]
    assert not resumed["changed"]


# Errors are no success


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError", "UnauthorizedOperation"])
@pytest.mark.parametrize("number", range(len(LIFE)), ids=[step.name for step in LIFE])
def test_an_error_that_lasts_while_waiting_is_a_failure(account, live, unretried, number, code):
    for earlier in LIFE[:number]:
        live(earlier)
    # The first describe is for the plan, the later ones wait.
    modifies = "ModifyVolume" in LIFE[number].calls
    waiting = {"action": "DescribeVolumesModifications"} if modifies else {"action": "DescribeVolumes", "after": 1}
    account.lab.faults([{**waiting, "code": code}])
    assert live(LIFE[number], client=unretried, wait_timeout=3)["failed"]
    account.lab.faults([])
    account.volume(state="absent", force=True)


def volume_failed(parsed: dict[str, Any], **_: Any) -> None:
    for volume in parsed["Volumes"]:
        volume["State"] = "error"


def attachment_busy(parsed: dict[str, Any], **_: Any) -> None:
    for attachment in (attachment for volume in parsed["Volumes"] for attachment in volume.get("Attachments", ())):
        attachment["State"] = "busy"


def volume_vanished(parsed: dict[str, Any], **_: Any) -> None:
    parsed["Volumes"] = [volume for volume in parsed["Volumes"] if not volume.get("Attachments")]


def modification_failed(parsed: dict[str, Any], **_: Any) -> None:
    for modification in parsed["VolumesModifications"]:
        modification["ModificationState"] = "failed"


@pytest.mark.parametrize(
    ("number", "action", "answer", "message"),
    [
        (0, "DescribeVolumes", volume_failed, "is in state error"),
        (0, "DescribeVolumes", attachment_busy, "last seen: in-use, busy to"),
        (0, "DescribeVolumes", volume_vanished, "is not attached after 3 s"),
        (1, "DescribeVolumesModifications", modification_failed, "could not modify volume"),
    ],
)
def test_an_answer_that_tells_of_a_failure_is_never_taken_for_success(account, live, number, action, answer, message):
    for earlier in LIFE[:number]:
        live(earlier)
    lied_to = account.lab.client("ec2", retries=2)
    lied_to.meta.events.register(f"after-call.ec2.{action}", answer)
    result = live(LIFE[number], client=lied_to, wait_timeout=3)
    lied_to.meta.events.unregister(f"after-call.ec2.{action}", answer)
    assert result["failed"]
    assert message in result["msg"]
    account.volume(state="absent", force=True)


@pytest.mark.parametrize(("number", "slow", "last_seen"), [(0, "attachment", "attaching"), (2, "detachment", "detaching")])
def test_a_volume_that_stays_on_its_way_is_a_failure_that_says_where_it_is(account, live, number, slow, last_seen):
    for earlier in LIFE[:number]:
        live(earlier)
    account.lab.slow({slow: 3600})
    result = live(LIFE[number], wait_timeout=3)
    assert result["failed"]
    assert f"last seen: in-use, {last_seen} to i-" in result["msg"]
    account.lab.slow({slow: 0})
    account.volume(state="absent", force=True)
