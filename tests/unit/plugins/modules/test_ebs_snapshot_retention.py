import datetime

import pytest

from plugins.module_utils._core.ebs.lock import Lock
from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import RegisteredSnapshot
from plugins.modules.ebs_snapshot_retention import ARGUMENT_SPEC, run
from tests.unit.fakes import FakeSnapshotGateway, aws_error

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
FINGERPRINT = "sha256:" + "0f3a" * 16


def taken(number, **tags):
    moment = (NOW - datetime.timedelta(days=number)).isoformat()
    own = {"CreatedBy": "petal.hpc", "Purpose": "checkpoints", **tags}
    return Snapshot(f"snap-{number}", "completed", "vol-1", 8, owner_id="123456789012", start_time=moment, tags=own)


@pytest.fixture
def gateway():
    return FakeSnapshotGateway([taken(number) for number in range(1, 6)])


def params(**given):
    return {**{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}, "tags": {"Purpose": "checkpoints"}, **given}


def retain(gateway, check_mode=False, registered=(), **given):
    return run(params(**given), gateway, registered, check_mode, NOW)


def ids(results):
    return [result["snapshot_id"] for result in results]


def test_what_no_rule_keeps_goes_once(gateway):
    first = retain(gateway, keep_last=2)
    assert (ids(first["kept"]), ids(first["deleted"])) == (["snap-1", "snap-2"], ["snap-3", "snap-4", "snap-5"])
    assert sorted(gateway.snapshots) == ["snap-1", "snap-2"]
    assert not retain(gateway, keep_last=2)["changed"]


def test_check_mode_says_the_same_and_deletes_nothing(gateway):
    predicted = retain(gateway, check_mode=True, keep_last=2)
    assert gateway.calls == []
    assert predicted == retain(gateway, keep_last=2)


def test_every_kind_of_reference_keeps_a_snapshot(gateway):
    gateway.images = {"snap-2": ["ami-1"]}
    gateway.features.locks = {"snap-3": Lock("governance", 30)}
    gateway.features.zones = {"snap-4": {"us-east-1a": "enabled"}}
    gateway.being_restored = frozenset({"snap-5"})
    gateway.snapshots |= {one.snapshot_id: one for one in (taken(10), taken(11))}
    gateway.templates.named = {"snap-10": ["lt-1"]}
    gateway.sharing = {"snap-11": ["111122223333"]}
    gateway.snapshots["snap-6"] = taken(6)
    gateway.snapshots["snap-7"] = taken(7, **{"petal:fingerprint": FINGERPRINT})
    gateway.snapshots["snap-8"] = taken(8)
    registered = [
        ("/srv/registry", RegisteredSnapshot("us-east-1", "snap-6")),
        ("/srv/registry", RegisteredSnapshot("eu-west-1", "snap-0", fingerprint=FINGERPRINT)),
        # The same id in another region is another snapshot.
        ("/srv/registry", RegisteredSnapshot("eu-west-1", "snap-8")),
    ]
    assert ids(retain(gateway, registered=registered, keep_last=1)["deleted"]) == ["snap-8"]


def test_what_others_made_is_not_even_looked_at(gateway):
    gateway.snapshots["snap-9"] = taken(9, CreatedBy="somebody")
    assert "snap-9" not in ids(retain(gateway, keep_last=1)["kept"])
    assert "snap-9" in gateway.snapshots


def test_a_snapshot_that_is_in_use_after_all_is_kept(gateway):
    gateway.failing = {"snap-4": aws_error("InvalidSnapshot.InUse")}
    result = retain(gateway, keep_last=2)
    assert ids(result["deleted"]) == ["snap-3", "snap-5"]
    assert result["kept"][-1]["reasons"] == ["AWS refused: InvalidSnapshot.InUse."]


def test_one_failure_does_not_stop_the_others(gateway):
    gateway.failing = {"snap-4": aws_error("UnauthorizedOperation")}
    with pytest.raises(ExplainedError, match="1 of 3 snapshots could not be deleted") as refused:
        retain(gateway, keep_last=2)
    assert ids(refused.value.details["deleted"]) == ["snap-3", "snap-5"]
    assert ids(refused.value.details["failed_items"]) == ["snap-4"]


@pytest.mark.parametrize(("given", "complaint"), [({"tags": {}}, "which snapshots are meant"), ({"keep_last": None}, "No rule")])
def test_a_task_that_says_too_little_deletes_nothing(gateway, given, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        retain(gateway, **{"keep_last": 1, **given})
    assert gateway.calls == []


def test_a_shared_snapshot_that_is_retired_goes(gateway):
    gateway.snapshots["snap-6"] = taken(6, **{"petal:retired": "2026-11-22"})
    gateway.sharing = {"snap-6": ["111122223333"]}
    assert "snap-6" in ids(retain(gateway, keep_last=5)["deleted"])


def moved(gateway, act):
    """Let somebody act after the first look, which ends with the question who may use the snapshots."""
    ask = gateway.shared_with

    def shared_with(snapshot_id):
        gateway.shared_with = ask
        found = ask(snapshot_id)
        act()
        return found

    gateway.shared_with = shared_with


def test_what_is_referred_to_since_the_first_look_stays_with_the_new_reason(gateway):
    moved(gateway, lambda: gateway.tag_snapshot("snap-5", {"petal:protected": "true"}))
    result = retain(gateway, keep_last=2)
    assert (ids(result["deleted"]), ids(result["kept"])) == (["snap-3", "snap-4"], ["snap-1", "snap-2", "snap-5"])
    assert result["kept"][-1]["reasons"] == ["the tag petal:protected"]


def test_what_is_registered_since_the_first_look_stays(gateway):
    now = [("/srv/registry", RegisteredSnapshot("us-east-1", "snap-4"))]
    result = run(params(keep_last=2), gateway, [], False, NOW, lambda: now)
    assert ids(result["deleted"]) == ["snap-3", "snap-5"]


def test_what_somebody_else_has_deleted_meanwhile_is_no_error(gateway):
    moved(gateway, lambda: gateway.snapshots.pop("snap-4"))
    assert ids(retain(gateway, keep_last=2)["deleted"]) == ["snap-3", "snap-4", "snap-5"]
