import dataclasses

import pytest

from plugins.module_utils._core.ebs.snapshot import SnapshottedVolume
from plugins.module_utils._core.ebs.snapshot_group import GroupRequest, InstanceVolumes, complete_groups, plan_group
from plugins.module_utils._core.errors import ExplainedError

BOOT = SnapshottedVolume("vol-boot", 8, attached=True)
DATA = SnapshottedVolume("vol-data", 100, attached=True, tags={"petal:os": "alinux2023", "petal:owner": "ada", "Cost": "7"})
LOGS = SnapshottedVolume("vol-logs", 50, attached=True)
INSTANCE = InstanceVolumes("i-1", running=True, boot_volume_id="vol-boot", volumes=(BOOT, DATA, LOGS))


def request(**options):
    return GroupRequest(**{"instance_id": "i-1", "name": "nightly", "consistency": "crash", **options})


def taken(plan, moment=1, state="completed"):
    return [
        dataclasses.replace(snapshot, snapshot_id=f"snap-{moment}{number}", state=state, start_time=f"2026-11-22T{moment:02d}:00:00+00:00")
        for number, snapshot in enumerate(plan.snapshots)
    ]


def test_all_volumes_get_one_name_and_one_group():
    plan = plan_group(request(generation=2), [], INSTANCE, "0f3a")
    assert plan.actions == ("create",)
    assert [snapshot.volume_id for snapshot in plan.snapshots] == ["vol-boot", "vol-data", "vol-logs"]
    assert plan.tags == {
        "CreatedBy": "petal.hpc",
        "Name": "nightly",
        "petal:generation": "2",
        "petal:group": "0f3a-3",
        "petal:instance": "i-1",
        "petal:consistency": "crash",
    }


@pytest.mark.parametrize(
    ("options", "volumes"),
    [
        ({"exclude_boot_volume": True}, ["vol-data", "vol-logs"]),
        ({"exclude_volume_ids": ("vol-logs",)}, ["vol-boot", "vol-data"]),
        ({"exclude_boot_volume": True, "exclude_volume_ids": ("vol-logs",)}, ["vol-data"]),
    ],
)
def test_volumes_can_be_left_out(options, volumes):
    plan = plan_group(request(**options), [], INSTANCE, "0f3a")
    assert [snapshot.volume_id for snapshot in plan.snapshots] == volumes


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"exclude_volume_ids": ("vol-other",)}, "Not attached to i-1: vol-other"),
        ({"exclude_volume_ids": ("vol-boot",)}, "Say exclude_boot_volume: true"),
        ({"exclude_boot_volume": True, "exclude_volume_ids": ("vol-data", "vol-logs")}, "no volume left"),
    ],
)
def test_exclusions_that_make_no_sense_are_refused(options, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        plan_group(request(**options), [], INSTANCE, "0f3a")


def test_a_second_run_finds_the_group_even_without_its_instance():
    found = taken(plan_group(request(), [], INSTANCE, "0f3a"))
    assert plan_group(request(), found, None, "beef").actions == ()
    assert plan_group(request(), found, INSTANCE, "beef").actions == ()


def test_another_generation_is_another_group():
    found = taken(plan_group(request(), [], INSTANCE, "0f3a"))
    assert plan_group(request(generation=1), found, INSTANCE, "beef").actions == ("create",)


def test_a_group_with_a_failed_snapshot_does_not_count():
    found = taken(plan_group(request(), [], INSTANCE, "0f3a"))
    found[1] = dataclasses.replace(found[1], state="error")
    plan = plan_group(request(), found, INSTANCE, "beef")
    assert plan.actions == ("create",)
    assert "can be deleted: snap-10, snap-11, snap-12" in plan.warnings[0]


def test_a_group_that_lost_a_snapshot_does_not_count():
    found = taken(plan_group(request(), [], INSTANCE, "0f3a"))[1:]
    assert plan_group(request(), found, INSTANCE, "beef").actions == ("create",)


def test_of_several_groups_every_run_uses_the_oldest():
    first = taken(plan_group(request(), [], INSTANCE, "0f3a"), moment=1)
    second = taken(plan_group(request(), [], INSTANCE, "beef"), moment=2)
    groups, _warnings = complete_groups(request(), [*second, *first])
    assert groups == [first, second]
    assert "snap-20" in plan_group(request(), [*second, *first], INSTANCE, "0000").warnings[0]


def test_tags_of_a_volume_go_to_its_own_snapshot_only():
    plan = plan_group(request(copy_volume_tags=True), [], INSTANCE, "0f3a")
    by_volume = {snapshot.volume_id: snapshot.tags for snapshot in plan.snapshots}
    assert by_volume["vol-data"].items() - by_volume["vol-logs"].items() == {("petal:os", "alinux2023")}


def test_tags_that_a_killed_run_left_out_are_added():
    plan = plan_group(request(copy_volume_tags=True), [], INSTANCE, "0f3a")
    found = [dataclasses.replace(snapshot, tags=dict(plan.tags)) for snapshot in taken(plan)]
    again = plan_group(request(copy_volume_tags=True), found, INSTANCE, "beef")
    assert again.actions == ("tag",)
    assert [again.new_tags(snapshot) for snapshot in found] == [{}, {"petal:os": "alinux2023"}, {}]


def test_a_running_instance_is_warned_of_and_a_stopped_one_is_clean():
    running = plan_group(request(consistency=None), [], INSTANCE, "0f3a")
    stopped = plan_group(request(consistency=None), [], dataclasses.replace(INSTANCE, running=False), "0f3a")
    assert (running.tags["petal:consistency"], stopped.tags["petal:consistency"]) == ("crash", "clean")
    assert "is running" in running.warnings[0]
    assert stopped.warnings == ()


def test_an_instance_that_is_gone_and_has_no_group_is_an_error():
    with pytest.raises(ExplainedError, match="Instance i-1 does not exist"):
        plan_group(request(), [], None, "0f3a")
