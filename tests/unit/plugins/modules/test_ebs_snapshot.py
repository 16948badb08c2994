import dataclasses

import pytest

from plugins.module_utils._core.ebs.snapshot import Snapshot, SnapshottedVolume
from plugins.module_utils._core.ebs.snapshot_group import InstanceVolumes
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import RegisteredSnapshot
from plugins.modules.ebs_snapshot import ARGUMENT_SPEC, SNAPSHOT_OPTIONS, run, run_group
from tests.unit.fakes import FakeSnapshotGateway

FINGERPRINT = "sha256:" + "0f3a" * 16
OURS = {"CreatedBy": "petal.hpc"}


def params(**given):
    return {**{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}, **given}


def software(**given):
    return params(volume_id="vol-1", name="bio", fingerprint=FINGERPRINT, **given)


@pytest.fixture
def gateway():
    return FakeSnapshotGateway(volumes=[SnapshottedVolume("vol-1", 200, attached=False)])


def test_a_snapshot_is_created_tagged_and_complete(gateway):
    result = run(software(), gateway, check_mode=False)
    assert result["changed"]
    assert result["snapshot"]["state"] == "completed"
    assert result["snapshot"]["fingerprint"] == FINGERPRINT
    assert result["snapshot"]["tags"]["CreatedBy"] == "petal.hpc"


def test_a_second_run_takes_no_second_snapshot(gateway):
    first = run(software(), gateway, check_mode=False)
    second = run(software(), gateway, check_mode=False)
    assert not second["changed"]
    assert second["snapshot"] == first["snapshot"]
    assert gateway.calls == ["create_snapshot"]


def test_a_second_run_needs_no_volume_any_more(gateway):
    run(software(), gateway, check_mode=False)
    gateway.volumes.clear()
    assert not run(software(), gateway, check_mode=False)["changed"]


def test_check_mode_says_the_same_and_touches_nothing(gateway):
    predicted = run(software(), gateway, check_mode=True)
    assert gateway.calls == []
    done = run(software(), gateway, check_mode=False)
    assert predicted["changed"] == done["changed"]
    assert predicted["snapshot"]["tags"] == done["snapshot"]["tags"]
    assert predicted["snapshot"]["snapshot_id"] is None


def test_without_wait_the_snapshot_may_be_pending(gateway):
    assert run(software(wait=False), gateway, check_mode=False)["snapshot"]["state"] == "pending"


def test_a_pending_snapshot_is_waited_for_and_not_taken_again(gateway):
    run(software(wait=False), gateway, check_mode=False)
    result = run(software(), gateway, check_mode=False)
    assert (result["changed"], result["snapshot"]["state"]) == (False, "completed")


def test_a_run_that_has_proven_its_volume_takes_no_other_volume_for_it(gateway):
    gateway.volumes["vol-2"] = SnapshottedVolume("vol-2", 200, attached=False)
    planted = run({**software(), "volume_id": "vol-2"}, gateway, check_mode=False)["snapshot"]
    assert run(software(), gateway, check_mode=False)["snapshot"]["snapshot_id"] == planted["snapshot_id"]
    proven = run(software(same_volume=True), gateway, check_mode=False)
    assert (proven["changed"], proven["snapshot"]["volume_id"]) == (True, "vol-1")
    assert not run(software(same_volume=True), gateway, check_mode=False)["changed"]
    with pytest.raises(ExplainedError, match="same_volume needs fingerprint and volume_id"):
        run(params(name="bio", volume_id="vol-1", same_volume=True), gateway, check_mode=False)


def test_when_another_run_was_faster_its_snapshot_is_used(gateway):
    rival = Snapshot("snap-a", "pending", "vol-1", 200, owner_id=gateway.account, start_time="2026-11-22T09:00:00+00:00",
                     tags={**OURS, "petal:fingerprint": FINGERPRINT})  # fmt: skip
    create = gateway.create_snapshot

    def create_beside_a_rival(*arguments):
        gateway.snapshots["snap-a"] = rival
        return create(*arguments)

    gateway.create_snapshot = create_beside_a_rival
    result = run(software(), gateway, check_mode=False)
    assert result["snapshot"]["snapshot_id"] == "snap-a"
    assert "can be deleted" in result["warnings"][0]


def test_tags_are_added_to_a_snapshot_that_exists(gateway):
    run(software(), gateway, check_mode=False)
    result = run(software(tags={"Project": "genomes"}), gateway, check_mode=False)
    assert result["changed"]
    assert result["snapshot"]["tags"]["Project"] == "genomes"
    assert not run(software(tags={"Project": "genomes"}), gateway, check_mode=False)["changed"]


def test_a_fingerprint_may_be_written_without_its_prefix(gateway):
    run(software(), gateway, check_mode=False)
    assert not run({**software(), "fingerprint": FINGERPRINT.removeprefix("sha256:")}, gateway, check_mode=False)["changed"]


def test_absent_deletes_once(gateway):
    run(software(), gateway, check_mode=False)
    gone = params(state="absent", fingerprint=FINGERPRINT)
    assert run(gone, gateway, check_mode=True)["changed"]
    assert run(gone, gateway, check_mode=False)["changed"]
    assert not run(gone, gateway, check_mode=False)["changed"]
    assert gateway.calls == ["create_snapshot", "delete_snapshot"]


def test_absent_leaves_a_snapshot_that_an_image_needs(gateway):
    made = run(software(), gateway, check_mode=False)["snapshot"]["snapshot_id"]
    gateway.images = {made: ["ami-1"]}
    with pytest.raises(ExplainedError, match="ami-1"):
        run(params(state="absent", snapshot_id=made), gateway, check_mode=False)
    assert made in gateway.snapshots


def test_absent_leaves_a_snapshot_that_a_launch_template_names_force_or_not(gateway):
    made = run(software(), gateway, check_mode=False)["snapshot"]["snapshot_id"]
    gateway.templates.named = {made: ["lt-1"]}
    with pytest.raises(ExplainedError, match="is named by lt-1"):
        run(params(state="absent", snapshot_id=made, force=True), gateway, check_mode=False)
    assert made in gateway.snapshots


def test_absent_leaves_a_snapshot_that_others_may_use_unless_it_is_retired_or_forced(gateway):
    made = run(software(share_with=["111122223333"]), gateway, check_mode=False)["snapshot"]["snapshot_id"]
    gone = params(state="absent", snapshot_id=made)
    with pytest.raises(ExplainedError, match="may be used by 111122223333"):
        run(gone, gateway, check_mode=False)
    assert run({**gone, "force": True}, gateway, check_mode=True)["changed"]
    run(params(snapshot_id=made, tags={"petal:retired": "2026-11-22"}), gateway, check_mode=False)
    assert run(gone, gateway, check_mode=False)["changed"]


def test_absent_leaves_what_others_made(gateway):
    foreign = Snapshot("snap-f", "completed", owner_id=gateway.account)
    gateway.snapshots["snap-f"] = foreign
    with pytest.raises(ExplainedError, match="was not made by"):
        run(params(state="absent", snapshot_id="snap-f"), gateway, check_mode=False)
    assert gateway.snapshots["snap-f"] == dataclasses.replace(foreign)


def test_a_new_snapshot_is_shared_and_a_second_run_changes_nothing(gateway):
    first = run(software(share_with=["111122223333"]), gateway, check_mode=False)
    assert first["snapshot"]["shared_with"] == ["111122223333"]
    assert gateway.sharing == {first["snapshot"]["snapshot_id"]: ["111122223333"]}
    assert not run(software(share_with=["111122223333"]), gateway, check_mode=False)["changed"]


def test_sharing_is_predicted_without_touching_anything(gateway):
    predicted = run(software(share_with=["111122223333"]), gateway, check_mode=True)
    assert predicted["diff"]["after"]["shared_with"] == ["111122223333"]
    assert gateway.calls == []


def test_accounts_lose_what_is_taken_away_and_others_keep_theirs(gateway):
    run(software(share_with=["111122223333", "444455556666"]), gateway, check_mode=False)
    result = run(software(unshare_from=["111122223333"]), gateway, check_mode=False)
    assert (result["changed"], result["snapshot"]["shared_with"]) == (True, ["444455556666"])


def test_what_can_never_be_shared_is_not_even_taken(gateway):
    gateway.volumes["vol-1"] = SnapshottedVolume("vol-1", 200, attached=False, encrypted=True, kms_key_id="arn:default")
    gateway.key_is_aws_managed = True
    with pytest.raises(ExplainedError, match="default key"):
        run(software(share_with=["111122223333"]), gateway, check_mode=False)
    assert gateway.calls == []


def test_without_a_word_about_sharing_nobody_is_asked(gateway):
    assert "shared_with" not in run(software(), gateway, check_mode=False)["snapshot"]


@pytest.fixture
def regions(gateway):
    return {
        "us-east-1": gateway,
        "us-west-2": FakeSnapshotGateway(region="us-west-2"),
        "eu-west-1": FakeSnapshotGateway(region="eu-west-1"),
    }


def copy(regions, *targets, check_mode=False, **given):
    copy_to = [{"region": target, "kms_key_id": None, "share": False} for target in targets]
    return run(software(copy_to=copy_to, **given), regions["us-east-1"], check_mode, regions.__getitem__)


def test_copies_carry_the_tags_and_name_their_source(regions):
    result = copy(regions, "us-west-2", "eu-west-1")
    assert [(made["region"], made["changed"], made["snapshot"]["state"]) for made in result["copies"]] == [
        ("us-west-2", True, "completed"),
        ("eu-west-1", True, "completed"),
    ]
    tags = result["copies"][0]["snapshot"]["tags"]
    assert tags == {**result["snapshot"]["tags"], "petal:copied-from": f"us-east-1/{result['snapshot']['snapshot_id']}"}


def test_a_second_run_copies_nothing(regions):
    copy(regions, "us-west-2")
    again = copy(regions, "us-west-2")
    assert not again["changed"]
    assert regions["us-west-2"].calls == ["copy_snapshot"]


def test_a_region_that_has_the_same_build_needs_no_copy(regions):
    built_there = Snapshot("snap-w", "completed", "vol-w", 200, owner_id="123456789012", tags={**OURS, "petal:fingerprint": FINGERPRINT})
    regions["us-west-2"].snapshots["snap-w"] = built_there
    assert copy(regions, "us-west-2")["copies"][0]["snapshot"]["snapshot_id"] == "snap-w"
    assert regions["us-west-2"].calls == []


def test_a_region_that_fails_does_not_stop_the_others(regions):
    regions["us-west-2"].refuse_copies = True
    with pytest.raises(ExplainedError, match="1 of 2 copies failed: us-west-2: us-west-2 takes no copies") as refused:
        copy(regions, "us-west-2", "eu-west-1")
    result = refused.value.to_result()
    assert [made["failed"] for made in result["copies"]] == [True, False]
    assert result["changed"]
    regions["us-west-2"].refuse_copies = False
    assert [made["changed"] for made in copy(regions, "us-west-2", "eu-west-1")["copies"]] == [True, False]


def test_copies_are_predicted_without_touching_anything(regions):
    assert copy(regions, "us-west-2", check_mode=True)["copies"][0]["changed"]
    assert regions["us-east-1"].calls + regions["us-west-2"].calls == []


@pytest.mark.parametrize(
    ("targets", "given", "complaint"),
    [
        (["us-east-1"], {}, "the snapshot is in us-east-1"),
        (["us-west-2", "us-west-2"], {}, "Name each other region once"),
        (["us-west-2"], {"wait": False}, "copies complete snapshots only"),
    ],
)
def test_copies_that_cannot_be_made_are_refused_before_a_snapshot_is_taken(regions, targets, given, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        copy(regions, *targets, **given)
    assert regions["us-east-1"].calls == []


def many(gateway, *snapshots, check_mode=False, **given):
    items = [{**dict.fromkeys(SNAPSHOT_OPTIONS), **snapshot} for snapshot in snapshots]
    return run(params(snapshots=items, **given), gateway, check_mode)


@pytest.fixture
def three(gateway):
    gateway.volumes |= {f"vol-{number}": SnapshottedVolume(f"vol-{number}", 8, attached=False) for number in range(1, 4)}
    return [{"name": f"data-{number}", "volume_id": f"vol-{number}"} for number in range(1, 4)]


def test_a_list_is_converged_with_one_wait_and_few_searches(gateway, three):
    result = many(gateway, *three, tags={"Project": "vision"})
    assert [(one["item"], one["changed"], one["snapshot"]["state"]) for one in result["results"]] == [
        (f"data-{number}", True, "completed") for number in range(1, 4)
    ]
    assert all(one["snapshot"]["tags"]["Project"] == "vision" for one in result["results"])
    # One search before, and one after, for snapshots that other runs made in the same moment.
    assert (gateway.reads, [len(ids) for ids in gateway.waits]) == (2, [3])


def test_a_second_run_of_a_list_changes_nothing(gateway, three):
    many(gateway, *three)
    again = many(gateway, *three)
    assert (again["changed"], again["diff"]) == (False, [])
    assert gateway.calls == ["create_snapshot"] * 3


def test_one_failure_does_not_stop_the_others(gateway, three):
    three[1]["volume_id"] = "vol-missing"
    result = many(gateway, *three)
    assert [one["failed"] for one in result["results"]] == [False, True, False]
    assert (result["failed"], result["failed_items"]) == (True, ["data-2"])
    assert "1 of 3 snapshots failed:\n  - data-2: Volume vol-missing does not exist." in result["msg"]


def test_a_snapshot_that_fails_in_aws_fails_alone(gateway, three):
    gateway.failing = {"snap-00000000000000001": ExplainedError("Snapshot failed in AWS.")}
    result = many(gateway, *three)
    assert sum(one["failed"] for one in result["results"]) == 1
    assert all(one["changed"] for one in result["results"])


def test_a_list_is_predicted_item_by_item(gateway, three):
    many(gateway, three[0])
    gateway.calls.clear()
    result = many(gateway, *three, check_mode=True)
    assert [one["changed"] for one in result["results"]] == [False, True, True]
    assert [change["after"]["name"] for change in result["diff"]] == ["data-2", "data-3"]
    assert gateway.calls == []


def test_items_may_have_different_states(gateway, three):
    many(gateway, three[0])
    result = many(gateway, {"name": "data-1", "state": "absent"}, three[1])
    assert [one["changed"] for one in result["results"]] == [True, True]
    assert [snapshot.name for snapshot in gateway.snapshots.values()] == ["data-2"]


def test_a_snapshot_is_named_once_in_a_list(gateway, three):
    result = many(gateway, three[0], three[0])
    assert [one["failed"] for one in result["results"]] == [False, True]
    assert "in the list twice" in result["msg"]


def test_an_id_and_a_name_of_one_snapshot_are_noticed(gateway, three):
    made = many(gateway, three[0])["results"][0]["snapshot"]["snapshot_id"]
    result = many(gateway, {"snapshot_id": made, "tags": {"A": "1"}}, {"name": "data-1", "state": "absent"})
    assert [one["failed"] for one in result["results"]] == [False, True]
    assert made in gateway.snapshots


def test_an_item_without_identity_says_so(gateway):
    assert "neither snapshot_id nor fingerprint nor name" in many(gateway, {"volume_id": "vol-1"})["msg"]


def test_another_generation_is_another_snapshot(gateway):
    def take(generation):
        return run(params(volume_id="vol-1", name="data", generation=generation), gateway, check_mode=False)

    ids = {generation: take(generation)["snapshot"]["snapshot_id"] for generation in (None, 1, 2)}
    assert len(set(ids.values())) == 3
    assert take(2)["snapshot"]["snapshot_id"] == ids[2]
    assert not take(None)["changed"]
    assert gateway.calls == ["create_snapshot"] * 3


def test_a_generation_needs_a_name(gateway):
    with pytest.raises(ExplainedError, match="generation counts the snapshots of one name"):
        run(software(generation=2), gateway, check_mode=False)


@pytest.fixture
def instance(gateway):
    volumes = tuple(SnapshottedVolume(f"vol-{number}", 8, attached=True, tags={"petal:os": "rocky9"}) for number in range(1, 4))
    gateway.instances["i-1"] = InstanceVolumes("i-1", running=True, boot_volume_id="vol-1", volumes=volumes)
    return params(instance_id="i-1", name="nightly", exclude_boot_volume=True, copy_volume_tags=True, consistency="crash")


def test_an_instance_gets_its_snapshots_in_one_call_and_once(gateway, instance):
    first = run_group(instance, gateway, False, "0f3a")
    assert [made["volume_id"] for made in first["snapshots"]] == ["vol-2", "vol-3"]
    assert all(made["state"] == "completed" and made["tags"]["petal:os"] == "rocky9" for made in first["snapshots"])
    again = run_group(instance, gateway, False, "beef")
    assert (again["changed"], again["snapshots"]) == (False, first["snapshots"])
    assert gateway.calls == ["create_snapshots", "tag_snapshot", "tag_snapshot"]


def test_snapshots_of_an_instance_are_predicted(gateway, instance):
    result = run_group(instance, gateway, True, "0f3a")
    assert (result["changed"], len(result["diff"]["after"]["snapshots"]), gateway.calls) == (True, 2, [])


def test_a_run_that_comes_second_uses_the_group_of_the_first(gateway, instance):
    create = gateway.create_snapshots

    def create_beside_a_rival(request, tags):
        create(request, {**tags, "petal:group": "beef-2"})
        return create(request, tags)

    gateway.create_snapshots = create_beside_a_rival
    result = run_group(instance, gateway, False, "0f3a")
    assert {made["tags"]["petal:group"] for made in result["snapshots"]} == {"beef-2"}
    assert "at the same time" in result["warnings"][0]


@pytest.mark.parametrize("said", [{"share_with": ["111122223333"]}, {"state": "absent"}, {"name": None}, {"snapshots": []}])
def test_what_cannot_be_said_about_a_group_is_refused(gateway, instance, said):
    with pytest.raises(ExplainedError, match="instance_id needs name and goes with"):
        run_group({**instance, **said}, gateway, False, "0f3a")


LOCK = {"mode": "governance", "days": 30, "cool_off_hours": None, "confirm": None}


@pytest.mark.parametrize(
    ("wanted", "undone", "calls"),
    [
        ({"lock": LOCK}, {"lock": {**LOCK, "mode": "none"}}, ["lock", "unlock"]),
        ({"storage_tier": "archive"}, {"storage_tier": "standard"}, ["archive", "restore for None"]),
        ({"fast_restore_zones": ["a"]}, {"fast_restore_zones": []}, ["fast in ['a']", "slow in ['a']"]),
    ],
    ids=["lock", "storage_tier", "fast_restore_zones"],
)
def test_a_part_is_predicted_applied_once_and_undone(gateway, wanted, undone, calls):
    predicted = run(software(**wanted), gateway, check_mode=True)
    assert gateway.calls == []
    done = run(software(**wanted), gateway, check_mode=False)
    assert predicted["diff"]["after"].keys() == done["diff"]["after"].keys()
    again = run(software(**wanted), gateway, check_mode=False)
    assert (done["changed"], again["changed"]) == (True, False)
    assert run(software(**undone), gateway, check_mode=False)["changed"]
    assert not run(software(**undone), gateway, check_mode=False)["changed"]
    assert gateway.calls == ["create_snapshot", *calls]


def test_what_is_not_said_about_parts_is_not_read(gateway):
    gateway.features = None
    assert run(software(), gateway, check_mode=False)["changed"]


def test_a_compliance_lock_is_refused_before_a_snapshot_is_taken(gateway):
    with pytest.raises(ExplainedError, match="cannot be taken back"):
        run(software(lock={**LOCK, "mode": "compliance"}), gateway, check_mode=False)
    assert gateway.calls == []


def test_the_archive_goes_with_nothing_that_needs_the_data(gateway):
    with pytest.raises(ExplainedError, match="neither restored fast nor shared nor copied"):
        run(software(storage_tier="archive", fast_restore_zones=["a"]), gateway, check_mode=False)
    assert gateway.calls == []


def test_credits_and_cost_of_fast_restore_are_told(gateway):
    told = run(software(fast_restore_zones=["a", "b"]), gateway, check_mode=False)["snapshot"]["fast_restore"]
    assert (told["credits"], told["credits_per_hour"], told["usd_per_hour"]) == (5, 5.12, 1.5)


REGISTRY = [
    ("/srv/registry", RegisteredSnapshot("us-east-1", "snap-00000000000000001", fingerprint=FINGERPRINT)),
    ("/srv/registry", RegisteredSnapshot("us-west-2", "snap-w", fingerprint=FINGERPRINT)),
]


def delete(regions, registered=REGISTRY, **given):
    gone = params(state="absent", fingerprint=FINGERPRINT, **given)
    return run(gone, regions["us-east-1"], False, regions.__getitem__, registered)


def test_the_last_copy_behind_a_registry_entry_stays(regions):
    run(software(), regions["us-east-1"], check_mode=False)
    with pytest.raises(ExplainedError, match="last copy behind an entry of /srv/registry"):
        delete(regions)
    assert regions["us-east-1"].calls == ["create_snapshot"]
    assert delete(regions, force=True)["changed"]


def test_a_copy_in_another_region_makes_a_registered_snapshot_dispensable(regions):
    run(software(), regions["us-east-1"], check_mode=False)
    regions["us-west-2"].snapshots["snap-w"] = Snapshot("snap-w", "completed")
    result = delete(regions)
    assert result["changed"]
    assert "still names" in result["warnings"][0]


def test_a_copy_that_is_not_complete_is_none(regions):
    run(software(), regions["us-east-1"], check_mode=False)
    regions["us-west-2"].snapshots["snap-w"] = Snapshot("snap-w", "error")
    with pytest.raises(ExplainedError, match="last copy"):
        delete(regions)


def test_a_retired_snapshot_may_go(regions):
    run(software(), regions["us-east-1"], check_mode=False)
    retired = [(path, dataclasses.replace(one, retired="2026-11-01")) for path, one in REGISTRY]
    assert delete(regions, registered=retired)["changed"]


def test_a_locked_snapshot_is_not_deleted(gateway):
    run(software(lock=LOCK), gateway, check_mode=False)
    with pytest.raises(ExplainedError, match="is locked until"):
        run(params(state="absent", fingerprint=FINGERPRINT), gateway, check_mode=False)


KEY = "arn:aws:kms:us-east-1:123456789012:key/own"
OTHER_KEY = "arn:aws:kms:us-west-2:123456789012:key/own"


@pytest.fixture
def encrypted(regions):
    regions["us-east-1"].volumes["vol-1"] = SnapshottedVolume("vol-1", 200, attached=False, encrypted=True, kms_key_id=KEY)
    regions["us-east-1"].key_is_aws_managed = regions["us-west-2"].key_is_aws_managed = False
    return regions


def spread(regions, share=True, key=OTHER_KEY, check_mode=False, **given):
    copy_to = [{"region": "us-west-2", "kms_key_id": key, "share": share}]
    asked = software(copy_to=copy_to, share_with=["111122223333"], grant_key=True, **given)
    return run(asked, regions["us-east-1"], check_mode, regions.__getitem__)


def test_the_key_goes_with_the_snapshot_and_comes_back_with_it(encrypted):
    gateway = encrypted["us-east-1"]
    first = run(software(share_with=["111122223333"], grant_key=True), gateway, check_mode=False)
    assert first["snapshot"]["key_granted_to"] == ["111122223333"]
    assert not run(software(share_with=["111122223333"], grant_key=True), gateway, check_mode=False)["changed"]
    assert run(software(unshare_from=["111122223333"], grant_key=True), gateway, check_mode=False)["snapshot"]["key_granted_to"] == []
    assert gateway.calls == ["create_snapshot", *["change_sharing", "change_key_grants"] * 2]


def test_a_copy_is_shared_with_its_key_on_request_and_once(encrypted):
    (copied,) = spread(encrypted)["copies"]
    assert (copied["snapshot"]["shared_with"], copied["snapshot"]["key_granted_to"]) == (["111122223333"], ["111122223333"])
    assert not spread(encrypted)["changed"]
    assert encrypted["us-west-2"].calls == ["copy_snapshot", "change_sharing", "change_key_grants"]


def test_a_copy_is_shared_with_nobody_unless_asked(encrypted):
    spread(encrypted, share=False)
    assert encrypted["us-west-2"].calls == ["copy_snapshot"]


def test_sharing_of_copies_is_predicted(encrypted):
    (copied,) = spread(encrypted, check_mode=True)["copies"]
    assert copied["snapshot"]["shared_with"] == ["111122223333"]
    assert encrypted["us-west-2"].calls == []


def test_everybody_is_not_taken_over_to_a_copy(regions):
    gateway = regions["us-east-1"]
    run(software(public=True, confirm_public=True), gateway, check_mode=False)
    result = run(software(copy_to=[{"region": "us-west-2", "kms_key_id": None, "share": True}]), gateway, False, regions.__getitem__)
    assert "change_sharing" not in regions["us-west-2"].calls
    assert result["copies"][0]["changed"]


def test_a_copy_that_could_not_be_shared_is_refused_before_anything_is_made(encrypted):
    with pytest.raises(ExplainedError, match="would be encrypted with the default key"):
        spread(encrypted, key=None)
    assert encrypted["us-east-1"].calls == []
