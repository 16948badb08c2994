"""One table says what holds a snapshot or a volume, whoever asks: a person, retention, or the collector."""

import datetime

import pytest

from plugins.module_utils._core.build.garbage import SNAPSHOT, RegionFacts, key_of, software_graph
from plugins.module_utils._core.ebs import snapshot_plan, volume_plan
from plugins.module_utils._core.ebs.holds import FORCE, HOLDS, NAMING_IT, NOTHING, VOLUME_HOLDS, Uses, holds_of, reasons
from plugins.module_utils._core.ebs.retention import reasons_to_stay
from plugins.module_utils._core.ebs.snapshot import Snapshot, SnapshotRequest
from plugins.module_utils._core.ebs.snapshot_plan import plan_absent
from plugins.module_utils._core.errors import ExplainedError

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
OURS = {"CreatedBy": "petal.hpc"}
FINGERPRINT = "sha256:" + "0f3a" * 16
# What holds a snapshot, with what it takes to delete it all the same: its tags, its state, and who uses it.
CASES = {
    "foreign": (FORCE, {}, "completed", {}),
    "restored": (NAMING_IT, OURS, "completed", {"being_restored": frozenset({"snap-1"})}),
    "registered": (FORCE, OURS, "completed", {"registered": {"snap-1": ["/srv/registry"]}}),
    "named": (NAMING_IT, {**OURS, "petal:fingerprint": FINGERPRINT}, "completed", {"fingerprints": {FINGERPRINT: "/srv/registry"}}),
    "protected": (NOTHING, {**OURS, "petal:protected": "true"}, "completed", {}),
    "images": (NOTHING, OURS, "completed", {"images": {"snap-1": ["ami-1"]}}),
    "templates": (NOTHING, OURS, "completed", {"templates": {"snap-1": ["lt-1"]}}),
    "locked": (NOTHING, OURS, "completed", {"locked": {"snap-1": "2026-12-22"}}),
    "fast": (NOTHING, OURS, "completed", {"fast_restored": {"snap-1": ["us-east-1a"]}}),
    "unfinished": (NAMING_IT, OURS, "pending", {}),
    "shared": (FORCE, OURS, "completed", {"shared_with": {"snap-1": ["111122223333"]}}),
}


def test_every_hold_has_a_case():
    assert list(CASES) == [hold.name for hold in HOLDS]


def may_be_deleted(snapshot, uses, force):
    try:
        return plan_absent(SnapshotRequest(snapshot_id="snap-1"), [snapshot], uses, force=force).changed
    except ExplainedError:
        return False


@pytest.mark.parametrize("name", CASES)
def test_each_asker_knows_each_hold(name):
    overridden_by, tags, state, used = CASES[name]
    snapshot, uses = Snapshot("snap-1", state, start_time="2026-01-01T00:00:00+00:00", tags=tags), Uses(**used)
    assert list(holds_of(snapshot, uses, retired=False)) == [name]
    (reason,) = reasons_to_stay(snapshot, uses, NOW)
    (thing,), _needs = software_graph([RegionFacts("us-east-1", (snapshot,), **used)], [], 30, NOW)
    assert (thing.key, thing.alive) == (key_of(SNAPSHOT, "us-east-1", "snap-1"), (reason,))
    assert may_be_deleted(snapshot, uses, force=False) == (overridden_by == NAMING_IT)
    assert may_be_deleted(snapshot, uses, force=True) == (overridden_by != NOTHING)


def test_what_a_retired_snapshot_is_shared_with_does_not_hold_it():
    snapshot, uses = Snapshot("snap-1", "completed", tags=OURS), Uses(shared_with={"snap-1": ["111122223333"]})
    assert reasons(holds_of(snapshot, uses, retired=False)) == ["111122223333 may use it, and it is not retired"]
    assert holds_of(snapshot, uses, retired=True) == {}


@pytest.mark.parametrize(("table", "plan"), [(HOLDS, snapshot_plan), (VOLUME_HOLDS, volume_plan)])
def test_whoever_names_a_thing_is_told_of_each_hold_that_naming_it_does_not_override(table, plan):
    assert {hold.name for hold in table if hold.overridden_by != NAMING_IT} == set(plan._REFUSALS)
