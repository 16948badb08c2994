# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses

import pytest

from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import RegisteredSnapshot, Registration, deprecate, register, remove
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.modules.snapshot_publication import ARGUMENT_SPEC, Publication
from tests.unit.fakes import FakeSnapshotGateway

FINGERPRINT = "sha256:" + "0f3a" * 16
HOME, OREGON, EUROPE = "us-east-1", "us-west-2", "eu-west-1"
OWN, PARTNER, OTHER = "123456789012", "999888777666", "111122223333"
SOURCE = RegisteredSnapshot(
    HOME,
    "snap-0123456789abcdef0",
    fingerprint=FINGERPRINT,
    os="alinux2023",
    architecture="x86_64",
    target="x86_64_v3",
    size_gib=8,
    spack="v1.2.2",
)
MANIFEST = "sha256:" + "3" * 64
REPORT = {"format": 1, "passed": True, "public": False, "fingerprint": FINGERPRINT, "manifest": MANIFEST, "blocking": []}
TODAY = "2026-11-22"


class World:
    """A registry with one entry, whose snapshot an account owns, and regions in memory."""

    def __init__(self, folder, owner=OWN, report=REPORT):
        self.store = DirectoryStore(folder / "registry")
        self.store.update("bio", lambda found: register(found, Registration("bio", SOURCE, packages=("bwa",), report=report), TODAY))
        real = Snapshot(
            SOURCE.snapshot_id, "completed", volume_size_gib=8, owner_id=owner, encrypted=False, tags={"CreatedBy": "petal.hpc"}
        )
        self.regions = {region: FakeSnapshotGateway(region=region) for region in (HOME, OREGON, EUROPE)}
        self.regions[HOME].snapshots[real.snapshot_id] = real

    def publish(self, check_mode=False, target=None, **given):
        params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()} | {"name": "bio", **given}
        return Publication(params, HOME, self.regions.__getitem__, self.store, target or self.store, TODAY, check_mode).run()

    def calls(self):
        return {region: gateway.calls for region, gateway in self.regions.items() if gateway.calls}

    def registered(self):
        return {one.region: one for one in self.store.read_entry("bio").snapshots}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_one_run_copies_tags_shares_and_registers(world):
    result = world.publish(regions=[OREGON, EUROPE], share_with=[OTHER])
    assert [(one["region"], one["shared_with"], one["failed"]) for one in result["results"]] == [
        (region, [OTHER], False) for region in (EUROPE, HOME, OREGON)
    ]
    assert world.registered().keys() == {HOME, OREGON, EUROPE}
    (copy,) = world.regions[EUROPE].snapshots.values()
    assert (copy.fingerprint, copy.tags["petal:target"], copy.tags["petal:copied-from"]) == (
        FINGERPRINT, "x86_64_v3", f"{HOME}/{SOURCE.snapshot_id}",
    )  # fmt: skip
    assert world.registered()[EUROPE].snapshot_id == copy.snapshot_id
    assert world.registered()[EUROPE].spack == "v1.2.2"


def test_a_second_run_changes_nothing(world):
    world.publish(regions=[OREGON], share_with=[OTHER])
    before = (world.store.path / "snapshots/bio.json").read_text()
    calls = {region: list(made) for region, made in world.calls().items()}
    assert not world.publish(regions=[OREGON], share_with=[OTHER])["changed"]
    assert world.calls() == calls
    assert (world.store.path / "snapshots/bio.json").read_text() == before


def test_check_mode_changes_nothing_and_says_what_would(world):
    result = world.publish(check_mode=True, regions=[OREGON], share_with=[OTHER])
    assert result["changed"] and world.calls() == {} and world.registered().keys() == {HOME}


def test_a_region_that_fails_does_not_stop_the_others_and_a_second_run_mends_it(world):
    world.regions[EUROPE].refuse_copies = True
    with pytest.raises(ExplainedError, match="1 of 3 failed: alinux2023 x86_64 in eu-west-1: eu-west-1 takes no copies") as caught:
        world.publish(regions=[EUROPE, OREGON])
    assert [one["failed"] for one in caught.value.details["results"]] == [True, False, False]
    assert world.registered().keys() == {HOME, OREGON}
    world.regions[EUROPE].refuse_copies = False
    world.publish(regions=[EUROPE, OREGON])
    assert world.registered().keys() == {HOME, OREGON, EUROPE}
    assert world.regions[OREGON].calls.count("copy_snapshot") == 1


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (None, "it has not been searched yet"),
        ({**REPORT, "passed": False, "blocking": [{"rule": "private-key", "path": "home/key"}]}, "home/key"),
    ],
)
def test_what_has_not_passed_the_gate_is_not_shared_but_may_be_copied(tmp_path, report, reason):
    world = World(tmp_path, report=report)
    with pytest.raises(ExplainedError, match=f"(?s)bio cannot be shared.*{reason}"):
        world.publish(share_with=[OTHER])
    assert world.calls() == {}
    assert world.publish(regions=[OREGON])["changed"]
    assert world.publish(share_with=[OTHER], require_report=False)["changed"]


def test_the_report_of_one_content_is_none_of_another_with_the_same_fingerprint(world):
    other = dataclasses.replace(SOURCE, region=OREGON, snapshot_id="snap-0fedcba9876543210", manifest="sha256:" + "4" * 64)
    world.store.update("bio", lambda found: register(found, Registration("bio", other), TODAY))
    world.regions[OREGON].snapshots[other.snapshot_id] = dataclasses.replace(
        world.regions[HOME].snapshots[SOURCE.snapshot_id], snapshot_id=other.snapshot_id
    )
    with pytest.raises(ExplainedError, match=f"{other.snapshot_id} in {OREGON}: it has not been searched yet: no report is about"):
        world.publish(share_with=[OTHER])
    world.store.update("bio", lambda found: remove(found, SOURCE, TODAY))
    with pytest.raises(ExplainedError, match="no report is about its content"):
        world.publish(share_with=[OTHER])


def test_a_report_of_another_content_is_not_registered(world):
    with pytest.raises(ExplainedError, match=f"The report is about sha256:4+, but the content of {SOURCE.snapshot_id} is sha256:3+"):
        report = {**REPORT, "manifest": "sha256:" + "4" * 64}
        world.store.update("bio", lambda found: register(found, Registration("bio", SOURCE, report=report), TODAY))


def test_what_passed_for_accounts_does_not_do_for_everybody(world):
    with pytest.raises(ExplainedError, match="not with everybody"):
        world.publish(public=True, confirm_public=True)


def test_taking_access_away_needs_no_report(tmp_path):
    world = World(tmp_path, report=None)
    world.regions[HOME].sharing[SOURCE.snapshot_id] = [OTHER]
    world.publish(unshare_from=[OTHER])
    assert world.regions[HOME].sharing[SOURCE.snapshot_id] == []


def test_a_strangers_snapshot_is_not_copied_and_a_partners_is_into_the_own_registry(tmp_path):
    world, own = World(tmp_path, owner=PARTNER), DirectoryStore(tmp_path / "own")
    world.regions[HOME].sharing[SOURCE.snapshot_id] = [OWN]
    with pytest.raises(ExplainedError, match=f"belong to account {PARTNER}, which is not in trusted_accounts"):
        world.publish(target=own, regions=[HOME])
    world.publish(target=own, regions=[HOME], trusted_accounts=[PARTNER])
    (kept,) = own.read_entry("bio").snapshots
    assert (kept.region, kept.aws_account) == (HOME, OWN) and kept.snapshot_id != SOURCE.snapshot_id
    assert world.registered()[HOME].snapshot_id == SOURCE.snapshot_id


def test_copies_of_what_is_deprecated_are_deprecated(world):
    world.store.update("bio", lambda found: deprecate(found, RegisteredSnapshot("", ""), "2026-10-01", "bio-v2"))
    world.publish(regions=[OREGON])
    assert {(one.deprecated, one.superseded_by) for one in world.registered().values()} == {("2026-10-01", "bio-v2")}
    assert not world.publish(regions=[OREGON])["changed"]


def test_an_entry_that_does_not_exist_or_is_not_visible_is_explained(world):
    with pytest.raises(ExplainedError, match="no entry other"):
        world.publish(name="other")
    world.regions[HOME].snapshots.clear()
    with pytest.raises(ExplainedError, match="sees no snapshot of bio"):
        world.publish(regions=[OREGON])
