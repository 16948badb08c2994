# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
import datetime

import pytest

from plugins.module_utils._core.build.garbage import RegionFacts
from plugins.module_utils._core.build.lease import Lease
from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.ebs.volume import Volume
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import RegisteredSnapshot
from plugins.modules.ebs_garbage import ARGUMENT_SPEC, run, warn_of_unlisted

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
OLD = "2026-01-01T00:00:00+00:00"
FINGERPRINT = "sha256:" + "0f3a" * 16
TAGS = build_tags("0f3a", {"fingerprint": FINGERPRINT})
REGISTERED = [("/r", RegisteredSnapshot("us-east-1", "snap-1", fingerprint=FINGERPRINT))]


class FakeGateway:
    """A region in memory. asked: whose sharing was asked about. refused: ids that cannot be deleted.

    meanwhile: what somebody else does after the first look, a function of this gateway.
    """

    def __init__(self, region="us-east-1", shared=(), refused=(), meanwhile=None):
        snapshots = [Snapshot(f"snap-{number}", "completed", volume_size_gib=8, start_time=OLD, tags=TAGS) for number in (1, 2)]
        volume = Volume("vol-1", "build", "available", 8, "gp3", f"{region}a", create_time=OLD, snapshot_id="snap-2", tags=TAGS)
        self.region, self.shared, self.refused, self.asked, self.meanwhile = region, dict(shared), refused, [], meanwhile
        self.facts = RegionFacts(region, tuple(snapshots), (volume,))
        self.deleted = []

    def read(self):
        gone = set(self.deleted)
        return dataclasses.replace(
            self.facts,
            snapshots=tuple(one for one in self.facts.snapshots if one.snapshot_id not in gone),
            volumes=tuple(one for one in self.facts.volumes if one.volume_id not in gone),
        )

    def read_again(self, kind, resource_id):
        if self.meanwhile:
            self.meanwhile, act = None, self.meanwhile
            act(self)
        facts = self.read()
        known = {one.snapshot_id for one in facts.snapshots} | {one.volume_id for one in facts.volumes}
        return dataclasses.replace(facts, shared_with=self.shared) if resource_id in known else None

    def copies_in_progress(self, region, snapshot_id):
        return RegionFacts(self.region)

    def shared_with(self, snapshot_ids):
        self.asked += (ids := list(snapshot_ids))
        return {one: self.shared.get(one, []) for one in ids}

    def delete(self, kind, resource_id):
        if resource_id in self.refused:
            raise ExplainedError(f"Cannot delete the {kind}.", resource=resource_id, next_step="Wait.")
        self.deleted.append(resource_id)

    def change(self, resource_id, **changes):
        """Change a snapshot or volume; tags are added."""

        def changed(one):
            return dataclasses.replace(one, **{**changes, "tags": {**one.tags, **changes.get("tags", {})}})

        self.facts = dataclasses.replace(
            self.facts,
            snapshots=tuple(changed(one) if one.snapshot_id == resource_id else one for one in self.facts.snapshots),
            volumes=tuple(changed(one) if one.volume_id == resource_id else one for one in self.facts.volumes),
        )


def collect(*gateways, check_mode=False, registered_now=None, **given):
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    return run({**params, **given}, {one.region: one for one in gateways}, REGISTERED, check_mode, NOW, registered_now)


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


def test_one_failure_does_not_stop_the_others_and_is_named_and_what_it_needs_stays():
    gateway, other = FakeGateway(refused=["vol-1"]), FakeGateway("eu-west-1")
    with pytest.raises(ExplainedError, match="1 of 2 could not be deleted: Cannot delete the volume") as caught:
        collect(gateway, other, delete=True)
    assert (gateway.deleted, other.deleted) == ([], ["vol-1"])
    assert [(one["region"], one["id"]) for one in caught.value.details["failed_items"]] == [("us-east-1", "vol-1")]
    assert caught.value.details["kept"][-1]["reasons"] == ["volume vol-1 was made from it"]


@pytest.mark.parametrize(
    ("resource_id", "act", "reason"),
    [
        ("snap-2", lambda gateway: gateway.change("snap-2", tags={"petal:protected": "true"}), "the tag petal:protected"),
        ("snap-2", lambda gateway: gateway.shared.update({"snap-2": ["111122223333"]}), "111122223333 may use it, and it is not retired"),
        ("vol-1", lambda gateway: gateway.change("vol-1", tags={"petal:protected": "true"}), "the tag petal:protected"),
        (
            "vol-1",
            lambda gateway: gateway.change("vol-1", tags={"petal:lease": Lease("host/1", int(NOW.timestamp()) + 60).to_tag()}),
            "host/1 is building on it",
        ),
        ("snap-2", lambda gateway: gateway.change("snap-2", tags={"CreatedBy": "me"}), "do not say any more that a build of ours made it"),
    ],
)
def test_what_is_needed_since_the_first_look_stays_with_the_new_reason(resource_id, act, reason):
    gateway = FakeGateway(meanwhile=act)
    result = collect(gateway, delete=True)
    assert resource_id not in gateway.deleted
    assert resource_id not in ids(result["garbage"])
    assert reason in {one["id"]: one["reasons"] for one in result["kept"]}[resource_id][0]


def test_what_is_registered_since_the_first_look_stays():
    gateway = FakeGateway()
    now = [*REGISTERED, ("/r", RegisteredSnapshot("us-east-1", "snap-2", fingerprint=FINGERPRINT))]
    assert ids(collect(gateway, delete=True, registered_now=lambda: now)["kept"]) == ["snap-1", "snap-2"]
    assert gateway.deleted == ["vol-1"]


def test_what_somebody_else_has_deleted_meanwhile_is_no_error():
    gateway = FakeGateway(meanwhile=lambda gateway: gateway.deleted.append("snap-2"))
    result = collect(gateway, delete=True)
    assert all(one["deleted"] for one in result["garbage"])
    assert gateway.deleted == ["snap-2", "vol-1"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_too_much_is_listed_and_not_deleted(check_mode):
    gateway = FakeGateway()
    with pytest.raises(ExplainedError, match="2 of 3 snapshots and volumes would be deleted; at most 1") as caught:
        collect(gateway, check_mode=check_mode, delete=True, max_delete=1)
    assert ids(caught.value.details["garbage"]) == ["snap-2", "vol-1"]
    assert gateway.deleted == []
    assert collect(gateway, delete=True, max_delete=2)["changed"]


class FakeModule:
    def __init__(self, *registries):
        self.params, self.warnings = {"registries": registries}, []

    def warn(self, text):
        self.warnings.append(text)


def test_a_web_server_is_never_the_only_evidence():
    module = FakeModule("https://example.com", "/r")
    warn_of_unlisted(module, {"https://example.com"})
    assert "https://example.com cannot be listed" in module.warnings[0]
    with pytest.raises(ExplainedError, match="that it is published from"):
        warn_of_unlisted(FakeModule("https://example.com"), {"https://example.com"})
