"""Whatever is asked in whatever order: check mode predicts, a second run changes nothing, nothing is given away or destroyed unasked."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.module_utils._core.ebs.snapshot import Snapshot, SnapshottedVolume
from plugins.modules.ebs_snapshot import ARGUMENT_SPEC, SNAPSHOT_OPTIONS, run
from tests.unit.fakes import FakeSnapshotGateway

FINGERPRINT = "sha256:" + "0f3a" * 16
ACCOUNTS = ["111111111111", "222222222222"]
FOREIGN = Snapshot("snap-foreign", "completed", "vol-1", 8, owner_id="123456789012", start_time="2026-11-22T08:00:00+00:00",
                   tags={"Name": "two"})  # fmt: skip
IDENTITIES = [
    {"name": "one", "volume_id": "vol-1"},
    {"name": "one", "volume_id": "vol-1", "generation": 1},
    {"name": "bio", "volume_id": "vol-2", "fingerprint": FINGERPRINT},
    {"name": "two"},
    {"name": "three", "volume_id": "vol-404"},
]
LOCKS = st.fixed_dictionaries(
    {"mode": st.sampled_from(["none", "governance", "compliance"]), "days": st.sampled_from([7, 30])},
    optional={"confirm": st.just(True)},
)
# Few at a time: most sets of many contradict themselves, and a request that is refused shows little.
FEATURES = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"force": st.booleans()}),
    st.fixed_dictionaries({"lock": LOCKS}),
    st.fixed_dictionaries({"tags": st.sampled_from([{"Team": "x"}, {"petal:protected": "true"}])}),
    st.fixed_dictionaries({"share_with": st.lists(st.sampled_from(ACCOUNTS), unique=True)}),
    st.fixed_dictionaries({"unshare_from": st.lists(st.sampled_from(ACCOUNTS), unique=True)}),
    st.fixed_dictionaries({"public": st.booleans()}, optional={"confirm_public": st.booleans()}),
    st.fixed_dictionaries({"storage_tier": st.sampled_from(["standard", "archive"])}),
    st.fixed_dictionaries({"fast_restore_zones": st.lists(st.sampled_from(["us-east-1a", "us-east-1b"]), unique=True)}),
)
REQUESTS = st.builds(
    lambda identity, state, one, other: {**identity, "state": state, **one, **other},
    st.sampled_from([*IDENTITIES[:1] * 6, *IDENTITIES]),
    st.sampled_from(["present", "absent"]),
    FEATURES,
    FEATURES,
)


def bring(gateway, request, check_mode=False):
    """Bring one snapshot to its state; as a list, whose result tells a failure instead of raising it."""
    lock = request.get("lock")
    one = {**request, "lock": {"cool_off_hours": None, "confirm": None, **lock}} if lock else request
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    return run({**params, "snapshots": [{**dict.fromkeys(SNAPSHOT_OPTIONS), **one}]}, gateway, check_mode)


@settings(max_examples=75, deadline=None)
@given(st.lists(REQUESTS, min_size=4, max_size=10))
def test_any_sequence_of_requests_is_predicted_repeatable_and_harmless(requests):
    volumes = [SnapshottedVolume("vol-1", 8, attached=False), SnapshottedVolume("vol-2", 16, attached=True)]
    gateway = FakeSnapshotGateway([FOREIGN], volumes)
    for request in requests:
        rehearsal = copy.deepcopy(gateway)
        rehearsal.calls.clear()
        predicted = bring(rehearsal, request, check_mode=True)
        assert rehearsal.calls == []
        before = copy.deepcopy(gateway)
        gateway.calls.clear()
        done = bring(gateway, request)
        assert (predicted.get("failed"), predicted["changed"]) == (done.get("failed"), done["changed"])
        assert done["changed"] == bool(gateway.calls)
        _check_nothing_is_given_away_or_destroyed_unasked(request, before, gateway)
        if not done.get("failed"):
            assert not bring(gateway, request)["changed"]


def _check_nothing_is_given_away_or_destroyed_unasked(request, before, after):
    for snapshot_id in before.snapshots.keys() - after.snapshots.keys():
        tags = before.snapshots[snapshot_id].tags
        assert request["state"] == "absent"
        assert tags.get("CreatedBy") == "petal.hpc" or request.get("force")
        assert tags.get("petal:protected") != "true"
        assert before.features.lock_of(snapshot_id) is None
        assert "enabled" not in before.features.fast_restores_of(snapshot_id).values()
    for snapshot_id, snapshot in after.snapshots.items():
        gained = set(after.shared_with(snapshot_id)) - set(before.shared_with(snapshot_id))
        assert gained <= {*request.get("share_with", ()), *(["all"] if request.get("confirm_public") else [])}
        was, lock = before.features.lock_of(snapshot_id), after.features.lock_of(snapshot_id)
        if lock != was and lock is not None and lock.state == "compliance":
            assert request["lock"].get("confirm")
        if was is not None and was.state == "compliance":
            assert lock.state == "compliance"
            assert lock.days >= was.days
        former = before.snapshots.get(snapshot_id)
        assert former is None or former.tags.keys() <= snapshot.tags.keys()
