import pytest

from plugins.module_utils._core.ebs.holds import Uses
from plugins.module_utils._core.ebs.snapshot import Snapshot, SnapshotRequest, SnapshottedVolume
from plugins.module_utils._core.ebs.snapshot_plan import keep_one, plan_absent, plan_copy, plan_snapshot
from plugins.module_utils._core.errors import ExplainedError

FINGERPRINT = "sha256:" + "0f3a" * 16
VOLUME = SnapshottedVolume("vol-1", 200, attached=False, tags={"Name": "scratch", "petal:os": "alinux2023", "petal:lease": "me"})
OURS = {"CreatedBy": "petal.hpc"}


def snapshot(snapshot_id="snap-1", state="completed", start_time="2026-11-22T10:00:00+00:00", **options):
    options.setdefault("tags", {**OURS, "Name": "bio", "petal:fingerprint": FINGERPRINT})
    return Snapshot(snapshot_id, state, volume_id=options.pop("volume_id", "vol-1"), start_time=start_time, **options)


def request(**options):
    return SnapshotRequest(**{"name": "bio", "volume_id": "vol-1", "fingerprint": FINGERPRINT, **options})


def test_a_missing_snapshot_is_created_with_every_tag_in_the_call():
    plan = plan_snapshot(request(tags={"Project": "genomes"}), [], VOLUME)
    assert plan.actions == ("create",)
    assert plan.after["tags"] == {
        "CreatedBy": "petal.hpc",
        "Name": "bio",
        "Project": "genomes",
        "petal:fingerprint": FINGERPRINT,
        "petal:consistency": "clean",
    }


@pytest.mark.parametrize("state", ["pending", "completed"])
def test_a_usable_snapshot_is_reused(state):
    plan = plan_snapshot(request(), [snapshot(state=state)], None)
    assert (plan.changed, plan.after["snapshot_id"]) == (False, "snap-1")


@pytest.mark.parametrize("state", ["error", "recoverable", "recovering"])
def test_a_snapshot_that_cannot_be_restored_does_not_count_and_is_reported(state):
    plan = plan_snapshot(request(), [snapshot(state=state, state_message="key disabled")], VOLUME)
    assert plan.actions == ("create",)
    assert "snap-1" in plan.warnings[0]
    assert "key disabled" in plan.warnings[0]


def test_of_several_alike_the_oldest_is_kept_and_the_others_are_reported():
    later = snapshot("snap-2", start_time="2026-11-22T10:00:01+00:00")
    kept, warnings = keep_one([later, snapshot()])
    assert kept.snapshot_id == "snap-1"
    assert "snap-2 can be deleted" in warnings[0]


def test_a_name_that_belongs_to_another_volume_is_a_conflict():
    with pytest.raises(ExplainedError, match="belongs to snap-1, a snapshot of vol-9"):
        plan_snapshot(request(fingerprint=None), [snapshot(volume_id="vol-9")], VOLUME)


def test_equal_fingerprints_are_interchangeable_whatever_volume_they_come_from():
    assert not plan_snapshot(request(volume_id="vol-9"), [snapshot()], None).changed


def test_nothing_found_and_no_volume_says_what_is_missing():
    with pytest.raises(ExplainedError, match="Give volume_id"):
        plan_snapshot(request(volume_id=None), [], None)


def test_an_unknown_snapshot_id_never_becomes_a_new_snapshot():
    with pytest.raises(ExplainedError, match="snap-404 does not exist"):
        plan_snapshot(request(snapshot_id="snap-404"), [], VOLUME)


@pytest.mark.parametrize(
    ("attached", "said", "recorded", "warned"),
    [(False, None, "clean", False), (True, None, "crash", True), (True, "clean", "clean", False), (False, "crash", "crash", False)],
)
def test_consistency_is_recorded(attached, said, recorded, warned):
    volume = SnapshottedVolume("vol-1", 200, attached=attached)
    plan = plan_snapshot(request(consistency=said), [], volume)
    assert plan.after["tags"]["petal:consistency"] == recorded
    assert bool(plan.warnings) is warned


def test_volume_tags_are_inherited_only_on_request_and_only_those_that_stay_true():
    assert "petal:os" not in plan_snapshot(request(), [], VOLUME).after["tags"]
    tags = plan_snapshot(request(copy_volume_tags=True), [], VOLUME).after["tags"]
    assert tags["petal:os"] == "alinux2023"
    assert "petal:lease" not in tags
    assert tags["Name"] == "bio"


def test_given_tags_that_differ_are_set_on_a_snapshot_that_exists():
    plan = plan_snapshot(request(tags={"Project": "genomes"}), [snapshot()], None)
    assert plan.actions == ("tag",)
    assert plan.before["tags"].get("Project") is None
    assert plan.after["tags"]["Project"] == "genomes"


def test_a_tag_that_contradicts_the_fingerprint_is_refused():
    with pytest.raises(ExplainedError, match="contradicts"):
        plan_snapshot(request(tags={"petal:fingerprint": "sha256:other"}), [], VOLUME)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"tags": {f"key{number}": "" for number in range(50)}}, "EC2 takes 50"),
        ({"tags": {"aws:mine": ""}}, "belong to AWS: aws:mine"),
        ({"description": "x" * 256}, "256 characters"),
    ],
)
def test_limits_of_ec2_are_explained_before_the_call(options, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        plan_snapshot(request(**options), [], VOLUME)


def test_a_snapshot_of_ours_is_deleted():
    plan = plan_absent(request(), [snapshot()])
    assert (plan.actions, plan.before["snapshot_id"], plan.after) == (("delete",), "snap-1", None)


def test_deleting_what_is_not_there_changes_nothing():
    assert not plan_absent(request(), []).changed


@pytest.mark.parametrize(
    ("tags", "uses", "complaint"),
    [
        ({**OURS, "petal:protected": "true"}, Uses(), "is protected"),
        (OURS, Uses(images={"snap-1": ("ami-1", "ami-2")}), "holds the data of ami-1, ami-2"),
        (OURS, Uses(templates={"snap-1": ("lt-1",)}), "is named by lt-1"),
        (OURS, Uses(locked={"snap-1": "2026-12-22"}), "is locked until 2026-12-22"),
        (OURS, Uses(fast_restored={"snap-1": ("us-east-1a",)}), "enabled for fast restore in us-east-1a"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_what_must_not_be_deleted_is_refused_with_the_reason_force_or_not(tags, uses, complaint, force):
    with pytest.raises(ExplainedError, match=complaint):
        plan_absent(request(), [snapshot(tags=tags)], uses, force=force)


@pytest.mark.parametrize(
    ("tags", "uses", "complaint"),
    [
        ({"Name": "bio"}, Uses(), "was not made by petal.hpc"),
        (OURS, Uses(shared_with={"snap-1": ("111122223333",)}), "may be used by 111122223333"),
        (OURS, Uses(registered={"snap-1": ("/srv/registry",)}), "is the last copy behind an entry of /srv/registry"),
    ],
)
def test_force_overrides_exactly_two_refusals(tags, uses, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        plan_absent(request(), [snapshot(tags=tags)], uses)
    assert plan_absent(request(), [snapshot(tags=tags)], uses, force=True).changed


def test_a_registered_snapshot_with_another_copy_may_go_with_a_reminder():
    plan = plan_absent(request(), [snapshot()], named_by=["/srv/registry"])
    assert plan.changed
    assert "/srv/registry still names snap-1" in plan.warnings[0]


def test_several_snapshots_are_never_deleted_at_once():
    with pytest.raises(ExplainedError, match="snap-1, snap-2") as refusal:
        plan_absent(request(), [snapshot(), snapshot("snap-2")])
    assert refusal.value.details["snapshot_ids"] == ["snap-1", "snap-2"]


@pytest.mark.parametrize("key", ["arn:aws:kms:eu-west-1:1:key/abc", "abc", "alias/any"])
def test_a_copy_under_the_key_that_is_asked_for_is_used(key):
    found = [snapshot("snap-2", kms_key_id="arn:aws:kms:eu-west-1:1:key/abc")]
    assert not plan_copy(snapshot(), "us-east-1", key, found).changed


def test_a_copy_under_another_key_is_a_conflict():
    with pytest.raises(ExplainedError, match="snap-2 holds the same but is encrypted with no key, not with abc"):
        plan_copy(snapshot(), "us-east-1", "abc", [snapshot("snap-2")])


def test_a_copy_that_failed_does_not_count():
    plan = plan_copy(snapshot(), "us-east-1", None, [snapshot("snap-2", state="error")])
    assert plan.actions == ("copy",)
    assert "snap-2 is in state error" in plan.warnings[0]


def test_a_new_generation_is_written_into_the_tags():
    volume = SnapshottedVolume("vol-1", 8, attached=False)
    plan = plan_snapshot(SnapshotRequest(volume_id="vol-1", name="data", generation=3), [], volume)
    assert plan.after["tags"]["petal:generation"] == "3"
