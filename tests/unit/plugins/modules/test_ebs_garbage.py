# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
import datetime

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.garbage import RegionFacts
from plugins.module_utils._core.registry import RegisteredSnapshot
from plugins.module_utils._core.snapshot import Snapshot
from plugins.module_utils._core.volume import Volume
from plugins.modules.ebs_garbage import ARGUMENT_SPEC, run

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
OLD = "2026-01-01T00:00:00+00:00"
FINGERPRINT = "sha256:" + "0f3a" * 16
TAGS = {"CreatedBy": "petal.hpc", "petal:fingerprint": FINGERPRINT, "petal:build-id": "0f3a"}
REGISTERED = [("/r", RegisteredSnapshot("us-east-1", "snap-1", FINGERPRINT))]


class FakeGateway:
    """A region in memory. asked: whose sharing was asked about. refused: ids that cannot be deleted."""

    def __init__(self, region="us-east-1", shared=(), refused=()):
        snapshots = [Snapshot(f"snap-{number}", "completed", volume_size_gib=8, start_time=OLD, tags=TAGS) for number in (1, 2)]
        volume = Volume("vol-1", "build", "available", 8, "gp3", f"{region}a", create_time=OLD, snapshot_id="snap-2", tags=TAGS)
        self.region, self.shared, self.refused, self.asked = region, dict(shared), refused, []
        self.facts = RegionFacts(region, tuple(snapshots), (volume,))
        self.deleted = []

    def read(self):
        gone = set(self.deleted)
        return dataclasses.replace(
            self.facts,
            snapshots=tuple(one for one in self.facts.snapshots if one.snapshot_id not in gone),
            volumes=tuple(one for one in self.facts.volumes if one.volume_id not in gone),
        )

    def shared_with(self, snapshot_ids):
        self.asked += (ids := list(snapshot_ids))
        return {one: self.shared.get(one, []) for one in ids}

    def delete(self, kind, resource_id):
        if resource_id in self.refused:
            raise ExplainedError(f"Cannot delete the {kind}.", resource=resource_id, next_step="Wait.")
        self.deleted.append(resource_id)


def collect(*gateways, check_mode=False, **given):
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    return run({**params, **given}, {one.region: one for one in gateways}, REGISTERED, check_mode, NOW)


def ids(listed):
    return [one["id"] for one in listed]


def test_garbage_is_listed_and_nothing_is_deleted_unless_asked_for():
    gateway = FakeGateway()
    result = collect(gateway)
    assert (ids(result["garbage"]), ids(result["kept"]), result["changed"]) == (["snap-2", "vol-1"], ["snap-1"], False)
    assert not any(one["deleted"] for one in result["garbage"])
    assert gateway.deleted == []


def test_check_mode_predicts_and_deletes_nothing():
    predicting, doing = FakeGateway(), FakeGateway()
    predicted, done = collect(predicting, check_mode=True, delete=True), collect(doing, delete=True)
    assert predicted == done and done["changed"]
    assert (predicting.deleted, doing.deleted) == ([], ["vol-1", "snap-2"])


def test_a_second_run_finds_nothing():
    gateway = FakeGateway()
    collect(gateway, delete=True)
    assert not collect(gateway, delete=True)["changed"]


def test_who_may_use_a_snapshot_is_asked_only_of_those_that_would_go_and_keeps_them():
    gateway = FakeGateway(shared={"snap-2": ["111122223333"]})
    result = collect(gateway, delete=True)
    assert gateway.asked == ["snap-2"]
    assert gateway.deleted == ["vol-1"]
    assert result["kept"][1]["reasons"] == ["111122223333 may use it, and it is not retired"]


def test_one_failure_does_not_stop_the_others_and_is_named():
    gateway, other = FakeGateway(refused=["vol-1"]), FakeGateway("eu-west-1")
    with pytest.raises(ExplainedError, match="1 of 3 could not be deleted: Cannot delete the volume") as caught:
        collect(gateway, other, delete=True)
    assert (gateway.deleted, other.deleted) == (["snap-2"], ["vol-1"])
    assert [(one["region"], one["id"]) for one in caught.value.details["failed_items"]] == [("us-east-1", "vol-1")]
