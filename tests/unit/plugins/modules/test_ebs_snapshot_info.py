import dataclasses
import weakref

import pytest

from plugins.module_utils._core.ebs.lock import Lock
from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.modules.ebs_snapshot_info import ARGUMENT_SPEC, SNAPSHOTS_AT_ONCE, query_from, run
from tests.unit.fakes import FakeSnapshotGateway

FINGERPRINT = "sha256:" + "0f3a" * 16
ACCOUNT = "123456789012"
BUILT = Snapshot(
    "snap-2", "completed", "vol-1", 8, owner_id=ACCOUNT, start_time="2026-11-22T10:00:00+00:00",
    tags={"CreatedBy": "petal.hpc", "Name": "bio", "petal:fingerprint": FINGERPRINT},
)  # fmt: skip
FOREIGN_TOOL = Snapshot("snap-1", "completed", "vol-2", 8, owner_id=ACCOUNT, start_time="2026-11-21T10:00:00+00:00", tags={"Team": "x"})
SHARED = Snapshot("snap-3", "completed", "vol-3", 8, owner_id="999888777666", start_time="2026-11-23T10:00:00+00:00")


@pytest.fixture
def gateway():
    return FakeSnapshotGateway([BUILT, FOREIGN_TOOL, SHARED])


def listed(gateway, **given):
    params = {**{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}, **given}
    return run(params, gateway)["snapshots"]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({}, ["snap-1", "snap-2"]),
        ({"managed_only": True}, ["snap-2"]),
        ({"fingerprint": FINGERPRINT}, ["snap-2"]),
        ({"fingerprint": FINGERPRINT.removeprefix("sha256:")}, ["snap-2"]),
        ({"volume_id": "vol-2"}, ["snap-1"]),
        ({"tags": {"Team": "x"}}, ["snap-1"]),
        ({"snapshot_ids": ["snap-1", "snap-404"]}, ["snap-1"]),
        ({"owners": []}, ["snap-1", "snap-2", "snap-3"]),
    ],
)
def test_every_option_narrows_the_list(gateway, given, ids):
    assert [snapshot["snapshot_id"] for snapshot in listed(gateway, **given)] == ids


def test_details_tell_whom_an_own_snapshot_is_shared_with_and_nothing_about_others(gateway):
    gateway.sharing = {"snap-2": ["210987654321"], "snap-3": ["all"]}
    sharing = {snapshot["snapshot_id"]: snapshot["shared_with"] for snapshot in listed(gateway, owners=[], details=True)}
    assert sharing == {"snap-1": [], "snap-2": ["210987654321"], "snap-3": None}


def test_filters_take_single_values_lists_and_yaml_booleans():
    params = {
        **{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()},
        "filters": {"encrypted": True, "status": ["pending"]},
    }
    assert query_from(params).filters == {"encrypted": ["true"], "status": ["pending"]}


def test_snapshots_that_others_may_use_are_told_with_these_others(gateway):
    gateway.sharing = {"snap-2": ["210987654321"], "snap-3": ["all"]}
    assert [(found["snapshot_id"], found["shared_with"]) for found in listed(gateway, shared="by_me")] == [("snap-2", ["210987654321"])]


def test_snapshots_of_others_are_listed_where_they_name_this_account(gateway):
    gateway.snapshots["snap-4"] = dataclasses.replace(SHARED, snapshot_id="snap-4")
    gateway.sharing = {"snap-3": [ACCOUNT], "snap-4": ["all"]}
    assert [found["snapshot_id"] for found in listed(gateway, shared="with_me")] == ["snap-3"]


def test_details_tell_lock_and_fast_restore(gateway):
    gateway.features.locks = {"snap-2": Lock("governance", 30)}
    gateway.features.zones = {"snap-1": {"us-east-1a": "enabled"}}
    first, second = listed(gateway, details=True)
    assert (first["lock"], first["fast_restore_zones"]) == (None, {"us-east-1a": "enabled"})
    assert (second["lock"]["state"], second["fast_restore_zones"]) == ("governance", {})


@pytest.mark.parametrize("shared", ["by_me", "with_me"])
def test_a_short_list_of_a_huge_account_needs_little_memory(gateway, shared):
    alive, most = [], 0

    def pages(_query):
        nonlocal most
        for number in range(5000):
            snapshot = Snapshot(f"snap-{number}", "completed", owner_id=ACCOUNT)
            alive.append(weakref.ref(snapshot))
            yield snapshot
            if number % 500 == 0:
                del snapshot
                most = max(most, sum(reference() is not None for reference in alive))

    gateway.list_snapshots = pages
    assert listed(gateway, shared=shared) == []
    assert most <= 2 * SNAPSHOTS_AT_ONCE
