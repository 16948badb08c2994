import dataclasses
import datetime

import pytest

from plugins.module_utils._core.ebs.volume import Attachment, Instance, SourceSnapshot, Volume, VolumeRequest
from plugins.module_utils._core.ebs.volume_plan import FREE_DEVICES, plan_volume
from plugins.module_utils._core.errors import ExplainedError

NOW = datetime.datetime(2026, 11, 22, 13, 0, tzinfo=datetime.UTC)
INSTANCE = Instance("i-1", "running", "us-east-1a", {"/dev/sda1": "vol-root"})
FOUND = Volume(
    volume_id="vol-1",
    name="scratch",
    state="available",
    size_gib=100,
    volume_type="gp3",
    availability_zone="us-east-1a",
    iops=3000,
    throughput=125,
    encrypted=True,
    kms_key_id="arn:aws:kms:us-east-1:123456789012:key/k-1",
    create_time="2026-11-22T12:00:00+00:00",
    tags={"Name": "scratch", "CreatedBy": "petal.hpc"},
)
SHARED = dataclasses.replace(FOUND, volume_type="io2", throughput=None, multi_attach=True)
SNAPSHOT = SourceSnapshot("snap-1", "completed", 50)


def held(volume=FOUND, *holders, **attachment):
    attachments = tuple(Attachment(instance_id, "/dev/sdf", **attachment) for instance_id in holders)
    return dataclasses.replace(volume, state="in-use", attachments=attachments)


def found(**changes):
    return dataclasses.replace(FOUND, **changes)


def plan(found=FOUND, instance=INSTANCE, snapshot=None, **request):
    if "volume_id" not in request:
        request.setdefault("name", "scratch")
    if request.get("state") == "attached":
        request.setdefault("instance_id", instance.instance_id if instance else "i-404")
    return plan_volume(VolumeRequest(**request), found, instance=instance, snapshot=snapshot, now=NOW)


def create(**request):
    instance = request.pop("instance", None)
    return plan(None, instance, **{"size_gib": 100, "availability_zone": "us-east-1a", **request})


def refusal(*arguments, **request):
    with pytest.raises(ExplainedError) as caught:
        plan(*arguments, **request)
    return caught.value


# Creating


def test_a_missing_volume_is_created_as_encrypted_gp3():
    decision = create()
    assert decision.actions == ("create",)
    assert decision.before is None
    wanted = decision.after
    assert (wanted["volume_type"], wanted["iops"], wanted["throughput"], wanted["encrypted"]) == ("gp3", 3000, 125, True)
    assert wanted["volume_id"] is None


def test_a_new_volume_carries_its_tags_from_the_first_moment():
    tags = create(owner="ada", project="genomics", protected=True, tags={"Team": "x"}).wanted.tags
    assert tags == {
        "Name": "scratch",
        "CreatedBy": "petal.hpc",
        "petal:owner": "ada",
        "petal:project": "genomics",
        "petal:protected": "true",
        "Team": "x",
    }


def test_a_restored_volume_remembers_its_snapshot_and_takes_its_size():
    decision = create(size_gib=None, snapshot_id="snap-1", snapshot=SNAPSHOT)
    assert decision.wanted.size_gib == 50
    assert decision.wanted.tags["petal:restored-from"] == "snap-1"


def test_a_restored_volume_may_be_larger_than_its_snapshot():
    assert create(size_gib=51, snapshot_id="snap-1", snapshot=SNAPSHOT).wanted.size_gib == 51


def test_the_zone_of_the_instance_serves_when_none_is_given():
    assert create(availability_zone=None, instance=INSTANCE, instance_id="i-1").wanted.availability_zone == "us-east-1a"


def test_encryption_is_left_out_only_when_told_so():
    assert create(encrypted=False).wanted.encrypted is False


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"size_gib": None}, "cannot be created without a size"),
        ({"availability_zone": None}, "no zone is given"),
        ({"encrypted": False, "kms_key_id": "k-1"}, "a KMS key but no encryption"),
        ({"initialization_rate": 200}, "no snapshot_id is given"),
        ({"initialization_rate": 99, "snapshot_id": "snap-1", "snapshot": SNAPSHOT}, "Give 100 to 300"),
        ({"snapshot_id": "snap-1"}, "Snapshot snap-1 does not exist here"),
        ({"snapshot_id": "snap-1", "snapshot": SNAPSHOT, "size_gib": 49}, "smaller than snapshot snap-1 of 50 GiB"),
        ({"snapshot_id": "snap-1", "snapshot": SourceSnapshot("snap-1", "pending", 5)}, "is pending"),
        ({"snapshot_id": "snap-1", "snapshot": SourceSnapshot("snap-1", "completed", 5, archived=True)}, "is archived"),
        ({"snapshot_id": "snap-1", "snapshot": SourceSnapshot("snap-1", "completed", 5, True), "encrypted": False}, "is encrypted, and so"),
        ({"size_gib": 70000}, "takes 1 to 65536 GiB"),
        ({"volume_type": "io2"}, "iops is required"),
        ({"multi_attach": True}, "io1 and io2 only"),
        ({"tags": {"aws:x": "y"}}, "Tag aws:x cannot be given"),
        ({"tags": {"CreatedBy": "me"}}, "Tag CreatedBy cannot be given"),
    ],
)
def test_what_cannot_be_created_is_refused_with_the_reason(request_, reason):
    with pytest.raises(ExplainedError, match=reason):
        create(**request_)


def test_an_id_that_does_not_exist_creates_nothing():
    assert "vol-9 does not exist" in str(refusal(None, volume_id="vol-9", size_gib=10, availability_zone="us-east-1a"))


def test_an_old_type_is_created_with_a_warning():
    assert "gp3 costs less" in create(volume_type="gp2").warnings[0]


def test_a_volume_that_several_instances_can_write_comes_with_the_risk_and_the_price():
    risk, price = create(volume_type="io2", iops=1000, multi_attach=True).warnings
    assert "second writer" in risk
    assert "USD a month more than gp3" in price


# Changing what exists


def test_what_is_as_asked_is_left_alone():
    decision = plan(size_gib=100, volume_type="gp3", iops=3000, encrypted=True)
    assert not decision.changed
    assert decision.before == decision.after


def test_options_left_out_change_nothing():
    unusual = found(volume_type="io1", iops=500, throughput=None, encrypted=False, size_gib=7, tags={"Name": "scratch", "Team": "x"})
    assert not plan(unusual).changed


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        ({"size_gib": 200}, {"size_gib": 200}),
        ({"iops": 6000}, {"iops": 6000}),
        ({"iops": 4000, "throughput": 500}, {"iops": 4000, "throughput": 500}),
        ({"volume_type": "io2", "iops": 1000}, {"volume_type": "io2", "iops": 1000}),
        ({"volume_type": "st1", "size_gib": 125}, {"volume_type": "st1", "size_gib": 125}),
    ],
)
def test_size_type_and_speed_are_modified_in_place(request_, changes):
    decision = plan(**request_)
    assert decision.actions == ("modify",)
    assert decision.modifications() == changes


def test_a_type_that_cannot_choose_its_iops_may_still_grow():
    gp2 = found(volume_type="gp2", iops=300, throughput=None)
    assert plan(gp2, size_gib=200).modifications() == {"size_gib": 200}


def test_changing_to_gp3_asks_for_its_defaults():
    changes = plan(found(volume_type="gp2", iops=300, throughput=None), volume_type="gp3").modifications()
    assert changes == {"volume_type": "gp3", "iops": 3000, "throughput": 125}


def test_shrinking_is_refused():
    error = refusal(size_gib=50)
    assert str(error) == (
        "Cannot shrink volume vol-1 from 100 GiB to 50 GiB: EBS volumes only grow. "
        "Set size to 100 or more, or create a volume under another name."
    )


def test_a_modification_beyond_the_limits_is_refused():
    assert "takes 3000 to 80000" in str(refusal(iops=100))


def test_multi_attach_is_changed_on_a_detached_io2_volume_only():
    io2 = dataclasses.replace(SHARED, multi_attach=False)
    assert plan(io2, multi_attach=True).modifications() == {"multi_attach": True}
    assert "detached io2 volume only" in str(refusal(held(io2, "i-1"), multi_attach=True))


def test_every_difference_that_cannot_be_changed_is_reported_at_once():
    error = refusal(encrypted=False, availability_zone="us-east-1b", snapshot_id="snap-1", kms_key_id="other", volume_id="vol-1")
    assert len(error.details["problems"]) == 4
    assert "encrypted is True, asked for False" in str(error)
    assert "availability_zone is us-east-1a, asked for us-east-1b" in str(error)


@pytest.mark.parametrize("key", ["k-1", "arn:aws:kms:us-east-1:123456789012:key/k-1", "alias/ours"])
def test_a_key_is_recognised_by_id_arn_or_alias(key):
    assert not plan(kms_key_id=key).changed


def test_a_volume_in_error_is_refused():
    assert "is in state error" in str(refusal(found(state="error"), volume_id="vol-1"))


# Tags


def test_a_new_tag_is_added_and_others_stay():
    decision = plan(tags={"Team": "x"})
    assert decision.actions == ("tag",)
    assert decision.new_tags() == {"Team": "x"}
    assert decision.after["tags"]["CreatedBy"] == "petal.hpc"


def test_purging_removes_what_is_not_asked_for_but_never_ours_or_aws():
    tagged = found(
        tags={"Name": "scratch", "CreatedBy": "petal.hpc", "petal:owner": "", "pctl:x": "1", "aws:x": "2", "Old": "3", "Team": "x"}
    )
    decision = plan(tagged, tags={"Team": "x"}, purge_tags=True)
    assert decision.actions == ("untag",)
    assert decision.old_tags() == ["Old"]


def test_purging_without_tags_removes_nothing():
    assert not plan(found(tags={"Name": "scratch", "Old": "3"}), purge_tags=True).changed


def test_a_name_beside_an_id_renames_the_volume():
    decision = plan(volume_id="vol-1", name="other")
    assert decision.new_tags() == {"Name": "other"}
    assert decision.after["name"] == "other"


def test_protection_is_given_and_taken_away():
    protected = found(tags={**FOUND.tags, "petal:protected": "true"})
    assert plan(protected=True).new_tags() == {"petal:protected": "true"}
    assert plan(protected, protected=False).old_tags() == ["petal:protected"]
    assert not plan(protected).changed


# Attaching


def test_a_free_volume_is_attached_as_dev_sdf():
    decision = plan(state="attached")
    assert decision.actions == ("attach",)
    assert decision.after["attachments"] == [
        {"instance_id": "i-1", "device": "/dev/sdf", "state": "attached", "delete_on_termination": False}
    ]


def test_a_missing_volume_is_created_and_attached():
    assert create(state="attached", availability_zone=None, instance=INSTANCE).actions == ("create", "attach")


def test_a_missing_volume_without_size_is_not_created_to_attach_it():
    assert "cannot be created without a size" in str(refusal(None, state="attached"))


def test_what_is_attached_already_is_left_alone():
    assert not plan(held(FOUND, "i-1"), state="attached").changed
    assert not plan(held(FOUND, "i-1"), state="attached", device="/dev/sdf").changed
    assert not plan(held(FOUND, "i-1"), state="attached", device="auto").changed


def test_a_volume_that_another_instance_holds_is_refused_with_the_exact_words():
    error = refusal(held(FOUND, "i-2"), state="attached")
    assert str(error) == "Volume vol-1 is already attached to instance i-2. Detach it first or use a different volume."


@pytest.mark.parametrize("state", ["attaching", "detaching", "busy"])
def test_a_volume_that_is_still_coming_or_going_is_refused_too(state):
    assert refusal(held(FOUND, "i-2", state=state), state="attached").details["attached_to"] == "i-2"


def test_a_volume_without_multi_attach_is_never_shared():
    assert refusal(held(FOUND, "i-2"), state="attached", attach_mode="shared_readonly").details["attached_to"] == "i-2"


def test_a_volume_that_can_be_shared_is_attached_read_only_or_not_at_all():
    assert "Set attach_mode to shared_readonly" in str(refusal(SHARED, state="attached"))
    assert plan(held(SHARED, "i-2"), state="attached", attach_mode="shared_readonly").actions == ("attach",)
    assert plan(held(SHARED, "i-2"), state="attached", allow_concurrent_writes=True).actions == ("attach",)


def test_attaching_a_volume_that_can_be_shared_comes_with_a_warning_each_time():
    (risk,) = plan(held(SHARED, "i-2"), state="attached", attach_mode="shared_readonly").warnings
    assert "second writer" in risk


def test_the_seventeenth_instance_is_refused():
    holders = [f"i-{number}" for number in range(100, 116)]
    assert "attached to 16 instances" in str(refusal(held(SHARED, *holders), state="attached", attach_mode="shared_readonly"))


def test_another_zone_is_refused_with_both_zones_and_the_fix():
    error = refusal(found(availability_zone="us-east-1b"), state="attached")
    assert (error.details["volume_zone"], error.details["instance_zone"]) == ("us-east-1b", "us-east-1a")
    assert "us-east-1b" in str(error)
    assert "restore it with availability_zone us-east-1a" in str(error)


def test_an_occupied_device_name_is_refused_with_its_holder():
    error = refusal(FOUND, INSTANCE.with_device("/dev/sdf", "vol-9"), state="attached")
    assert "taken by volume vol-9" in str(error)
    assert error.details["held_by"] == "vol-9"


def test_auto_takes_the_first_free_device_name():
    instance = INSTANCE.with_device("/dev/sdf", "vol-9").with_device("/dev/sdg", "vol-8")
    assert plan(FOUND, instance, state="attached", device="auto").after["attachments"][0]["device"] == "/dev/sdh"


def test_auto_says_when_no_device_name_is_free():
    full = dataclasses.replace(INSTANCE, devices=dict.fromkeys(FREE_DEVICES, "vol-9"))
    assert "no free device name from /dev/sdf to /dev/sdp" in str(refusal(FOUND, full, state="attached", device="auto"))


@pytest.mark.parametrize("device", ["/dev/nvme1n1", "sdf", "/dev/sda", "/dev/sdf; rm"])
def test_a_name_that_ec2_does_not_take_is_refused(device):
    assert "is no name that EC2 takes" in str(refusal(state="attached", device=device))


def test_another_device_name_than_the_present_one_is_refused():
    assert "as /dev/sdf, not as /dev/sdg" in str(refusal(held(FOUND, "i-1"), state="attached", device="/dev/sdg"))


@pytest.mark.parametrize("state", ["pending", "shutting-down", "terminated", "stopping"])
def test_an_instance_that_cannot_take_a_volume_is_refused(state):
    assert f"Instance i-1 is {state}" in str(refusal(FOUND, dataclasses.replace(INSTANCE, state=state), state="attached"))


def test_a_missing_instance_is_refused():
    assert "Instance i-404 does not exist" in str(refusal(FOUND, None, state="attached"))


def test_a_volume_that_is_leaving_the_instance_is_not_taken_for_attached():
    assert "being detached from i-1" in str(refusal(held(FOUND, "i-1", state="detaching"), state="attached"))


def test_delete_on_termination_is_corrected_when_asked_for_only():
    attached = held(FOUND, "i-1", delete_on_termination=True)
    assert not plan(attached, state="attached").changed
    decision = plan(attached, state="attached", delete_on_termination=False)
    assert decision.actions == ("set_delete_on_termination",)
    assert decision.after["attachments"][0]["delete_on_termination"] is False


def test_growing_and_attaching_go_together():
    assert plan(state="attached", size_gib=200, tags={"Team": "x"}).actions == ("tag", "modify", "attach")


# Detaching


def test_an_attached_volume_is_detached():
    decision = plan(held(FOUND, "i-1"), state="detached")
    assert decision.actions == ("detach",)
    assert (decision.after["state"], decision.after["attachments"]) == ("available", [])


@pytest.mark.parametrize("volume", [FOUND, held(FOUND, "i-2")])
def test_what_is_not_attached_there_is_left_alone(volume):
    assert not plan(volume, state="detached", instance_id="i-1").changed


def test_a_missing_volume_is_detached_already_and_says_so():
    decision = plan(None, state="detached")
    assert not decision.changed
    assert "There is no volume scratch" in decision.warnings[0]


def test_one_of_several_instances_must_be_named():
    shared = held(SHARED, "i-1", "i-2")
    assert "attached to 2 instances: i-1, i-2" in str(refusal(shared, state="detached"))
    assert [one["instance_id"] for one in plan(shared, state="detached", instance_id="i-1").after["attachments"]] == ["i-2"]


# Deleting


def test_our_free_volume_is_deleted():
    decision = plan(state="absent")
    assert decision.actions == ("delete",)
    assert decision.after is None


def test_a_missing_volume_is_absent():
    assert not plan(None, state="absent").changed


@pytest.mark.parametrize(
    ("volume", "request_", "reason"),
    [
        (held(FOUND, "i-2"), {}, "is attached to i-2"),
        (found(tags={"Name": "scratch"}), {}, "was not made by this collection"),
        (FOUND, {"min_age": 61}, "is 60 minutes old, younger than min_age 61"),
    ],
)
def test_what_force_overrides_is_refused_without_it(volume, request_, reason):
    assert reason in str(refusal(volume, state="absent", **request_))
    assert plan(volume, state="absent", force=True, **request_).actions[-1] == "delete"


def test_force_detaches_before_it_deletes():
    assert plan(held(FOUND, "i-2"), state="absent", force=True).actions == ("detach", "delete")


def test_protection_is_not_overridden_by_force():
    protected = found(tags={**FOUND.tags, "petal:protected": "true"})
    assert "is protected" in str(refusal(protected, state="absent", force=True))


def test_a_volume_of_exactly_the_minimum_age_is_deleted():
    assert plan(state="absent", min_age=60).actions == ("delete",)
