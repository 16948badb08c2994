import dataclasses
import datetime

import pytest
import yaml

from plugins.module_utils._core.ebs.snapshot import SnapshottedVolume
from plugins.module_utils._core.ebs.volume import Attachment, Instance, Modification, SourceSnapshot, Volume, client_token
from plugins.module_utils._core.errors import ExplainedError
from plugins.modules import ebs_volume
from tests.unit.fakes import FakeSnapshotGateway, FakeVolumeGateway, aws_error

NOW = datetime.datetime(2026, 11, 22, 13, 0, tzinfo=datetime.UTC)
INSTANCES = [Instance("i-1", "running", "us-east-1a"), Instance("i-2", "running", "us-east-1a")]
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
    create_time="2026-11-22T12:00:00+00:00",
    tags={"Name": "scratch", "CreatedBy": "petal.hpc"},
)
NEW = {"name": "scratch", "size": "100", "availability_zone": "us-east-1a"}


def held_by(instance_id, volume=FOUND, **attachment):
    return dataclasses.replace(volume, state="in-use", attachments=(Attachment(instance_id, "/dev/sdf", **attachment),))


def ec2(*volumes, **options):
    return FakeVolumeGateway(volumes, INSTANCES, **options)


def run(gateway, check_mode=False, snapshots=None, **given):
    """Run the module as Ansible would: options that are not given are None."""
    items = given.pop("volumes", None)
    blank = dict.fromkeys(ebs_volume.VOLUME_OPTIONS)
    params = {**blank, "wait": True, "wait_timeout": 300, **given}
    params["volumes"] = None if items is None else [{**blank, **item} for item in items]
    return ebs_volume.run(params, gateway, check_mode, NOW, lambda: snapshots)


def test_a_volume_is_created_and_the_second_run_changes_nothing():
    gateway = ec2()
    first = run(gateway, **NEW)
    assert first["changed"]
    assert first["volume"]["state"] == "available"
    assert first["volume"]["volume_id"].startswith("vol-")
    second = run(gateway, **NEW)
    assert not second["changed"]
    assert second["volume"] == first["volume"]
    assert gateway.calls == ["create_volume"]


@pytest.mark.parametrize(
    "options",
    [
        NEW,
        {**NEW, "state": "attached", "instance_id": "i-1"},
        {"name": "found", "size": "200"},
        {"name": "found", "tags": {"Team": "x"}},
        {"name": "found", "state": "attached", "instance_id": "i-1", "delete_on_termination": True},
        {"name": "found", "state": "absent"},
        {"name": "held", "state": "detached"},
        {"name": "held", "state": "absent", "force": True},
    ],
)
def test_check_mode_touches_nothing_and_predicts_the_run(options):
    def gateway():
        free = dataclasses.replace(FOUND, volume_id="vol-f", name="found", tags={**FOUND.tags, "Name": "found"})
        busy = dataclasses.replace(FOUND, volume_id="vol-h", name="held", tags={**FOUND.tags, "Name": "held"})
        return ec2(free, held_by("i-2", busy))

    untouched = gateway()
    predicted = run(untouched, check_mode=True, **options)
    done = run(gateway(), **options)
    assert untouched.calls == []
    assert predicted["changed"] and done["changed"]
    assert _without_what_ec2_chooses(predicted["diff"]["after"]) == _without_what_ec2_chooses(done["diff"]["after"])


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("options", [{"state": "absent", "force": True}, {"state": "detached"}, {"size": "200"}, {"protected": False}])
def test_a_volume_named_by_id_is_left_alone_when_it_is_somebody_elses(options, check_mode):
    gateway = ec2(held_by("i-1", dataclasses.replace(FOUND, tags={**FOUND.tags, "petal:owner": "ada"})))
    result = run(gateway, check_mode, volume_id="vol-1", owner="ben", **options)
    assert result["failed"] and "belongs to ada" in result["msg"]
    assert gateway.calls == []


@pytest.mark.parametrize("volume", [None, FOUND])
def test_tags_that_yaml_made_numbers_are_set_as_text_and_the_second_run_changes_nothing(volume):
    gateway = ec2(*filter(None, [volume]))
    asked = {**NEW, "tags": {"CostCenter": 4711, "Backup": True}}
    predicted, first = run(gateway, check_mode=True, **asked), run(gateway, **asked)
    assert predicted["volume"]["tags"] == first["volume"]["tags"]
    assert first["volume"]["tags"].items() >= {"CostCenter": "4711", "Backup": "True"}.items()
    assert not run(gateway, **asked)["changed"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_tag_that_is_no_text_is_refused_with_its_key(check_mode):
    gateway = ec2()
    result = run(gateway, check_mode, **NEW, tags={"Team": {"lead": "ada"}})
    assert result["failed"] and "Team: {'lead': 'ada'}" in result["msg"]
    assert gateway.calls == []


def _without_what_ec2_chooses(volume):
    return {key: value for key, value in volume.items() if key not in ("volume_id", "create_time", "device_path")}


def test_a_new_volume_is_waited_for():
    gateway = ec2(creating=3)
    assert run(gateway, **NEW)["volume"]["state"] == "available"
    assert 3 <= gateway.now < 3.5


def test_without_waiting_a_new_volume_is_returned_as_it_is():
    gateway = ec2(creating=3)
    assert run(gateway, wait=False, **NEW)["volume"]["state"] == "creating"
    assert gateway.now == 0


def test_attaching_waits_for_the_creation_even_without_wait():
    gateway = ec2(creating=3)
    run(gateway, wait=False, state="attached", instance_id="i-1", **NEW)
    assert gateway.calls == ["create_volume", "attach_volume"]
    assert gateway.now >= 3


def test_a_volume_that_never_gets_ready_fails_with_its_id_and_what_was_changed():
    result = run(ec2(creating=1000), wait_timeout=10, **NEW)
    assert result["failed"] and result["changed"]
    assert "is not available after 10 s; last seen: creating" in result["msg"]
    assert result["volume"]["volume_id"] in result["msg"]


def test_a_volume_that_fails_is_an_error_and_the_next_run_makes_the_next_generation():
    gateway = ec2(creating=1000)
    run(gateway, wait=False, **NEW)
    (failing,) = gateway.volumes.values()
    gateway.volumes[failing.volume_id] = dataclasses.replace(failing, state="error")
    gateway.creating = 0
    result = run(gateway, **NEW)
    assert result["volume"]["state"] == "available"
    assert result["volume"]["tags"]["petal:generation"] == "1"


def test_a_volume_that_turns_to_error_while_waited_for_is_not_taken_for_success():
    gateway = ec2(creating=1000)
    original = gateway.sleep

    def sleep(seconds):
        original(seconds)
        gateway.volumes = {volume_id: dataclasses.replace(volume, state="error") for volume_id, volume in gateway.volumes.items()}

    gateway.sleep = sleep
    assert "is in state error" in run(gateway, **NEW)["msg"]


def test_the_token_of_a_deleted_volume_is_used_up_and_the_next_one_taken_in_order():
    gateway = ec2()
    for _ in range(3):
        run(gateway, **NEW)
        run(gateway, state="absent", name="scratch")
    result = run(gateway, **NEW)
    assert result["volume"]["tags"]["petal:generation"] == "3"


def test_a_run_that_asks_for_other_values_at_the_same_time_is_refused():
    gateway = ec2()
    rival = dataclasses.replace(FOUND, volume_id="vol-rival")
    gateway.tokens[client_token(FOUND, 0)] = ("vol-rival", rival)
    find = gateway.find_volumes
    gateway.find_volumes = lambda **query: [] if gateway.reads == 0 and not find(**query) else find(**query)
    original = gateway.create_volume

    def create(wanted, generation):
        gateway.volumes["vol-rival"] = rival
        return original(wanted, generation)

    gateway.create_volume = create
    result = run(gateway, **{**NEW, "size": "50"})
    assert "Another run has just created volume scratch (vol-rival) with other values" in result["msg"]
    assert list(gateway.volumes) == ["vol-rival"]


def test_a_volume_that_ec2_drops_again_and_again_points_to_the_key():
    gateway = ec2()
    original = gateway.create_volume

    def create(wanted, generation):
        made = original(wanted, generation)
        del gateway.volumes[made.volume_id]
        return made

    gateway.create_volume = create
    result = run(gateway, **NEW)
    assert "dropped it each time" in result["msg"]
    assert "KMS key" in result["next_step"]


def test_a_size_is_rounded_up_with_a_warning():
    result = run(ec2(), **{**NEW, "size": "500Mi"})
    assert result["volume"]["size_gib"] == 1
    assert "rounded up" in result["warnings"][0]


def test_attaching_returns_the_device_the_next_steps_and_exclusivity():
    result = run(ec2(FOUND), state="attached", name="scratch", instance_id="i-1")
    assert result["volume"]["attachments"][0]["state"] == "attached"
    assert result["volume"]["device_path"].endswith("_vol1")
    assert result["exclusive"] is True
    assert any(result["volume"]["device_path"] in step for step in result["next_steps"])


def test_attaching_waits_until_attached():
    gateway = ec2(FOUND, attaching=3)
    assert run(gateway, state="attached", name="scratch", instance_id="i-1")["volume"]["attachments"][0]["state"] == "attached"


def test_delete_on_termination_is_set_and_verified_after_attaching():
    gateway = ec2(FOUND)
    result = run(gateway, state="attached", name="scratch", instance_id="i-1", delete_on_termination=True)
    assert result["volume"]["attachments"][0]["delete_on_termination"] is True
    assert gateway.calls == ["attach_volume", "set_delete_on_termination"]


def test_an_attachment_that_came_with_the_wrong_flag_is_corrected():
    gateway = ec2(FOUND)
    original = gateway.attach_volume

    def attach(volume_id, instance_id, device):
        original(volume_id, instance_id, device)
        wrong = tuple(dataclasses.replace(held, delete_on_termination=True) for held in gateway.volumes[volume_id].attachments)
        gateway.volumes[volume_id] = dataclasses.replace(gateway.volumes[volume_id], attachments=wrong)

    gateway.attach_volume = attach
    result = run(gateway, state="attached", name="scratch", instance_id="i-1")
    assert result["volume"]["attachments"][0]["delete_on_termination"] is False


def test_losing_the_race_to_attach_names_the_winner():
    gateway = ec2(FOUND)
    original = gateway.attach_volume

    def attach(volume_id, instance_id, device):
        gateway.volumes[volume_id] = held_by("i-2")
        original(volume_id, instance_id, device)

    gateway.attach_volume = attach
    result = run(gateway, state="attached", name="scratch", instance_id="i-1")
    assert result["msg"] == "Volume vol-1 is already attached to instance i-2. Detach it first or use a different volume."
    assert result["attached_to"] == "i-2"


def test_a_rival_that_attaches_to_the_same_instance_is_no_failure():
    gateway = ec2(FOUND)
    original = gateway.attach_volume

    def attach(volume_id, instance_id, device):
        gateway.volumes[volume_id] = held_by("i-1")
        original(volume_id, instance_id, device)

    gateway.attach_volume = attach
    assert "failed" not in run(gateway, state="attached", name="scratch", instance_id="i-1")


def test_a_second_attachment_is_refused_before_ec2_is_asked():
    gateway = ec2(held_by("i-2"))
    result = run(gateway, state="attached", name="scratch", instance_id="i-1")
    assert result["attached_to"] == "i-2"
    assert gateway.calls == []


def test_detaching_what_is_mounted_is_refused_and_says_to_unmount():
    gateway = ec2(held_by("i-1"))
    gateway.faults["detach_volume"] = [aws_error("IncorrectState")]
    result = run(gateway, state="detached", name="scratch")
    assert "still in use on instance i-1" in result["msg"]
    assert "Unmount it" in result["next_step"]
    assert not result["changed"]


def test_detaching_never_forces_unless_told_so():
    gentle, forced = ec2(held_by("i-1")), ec2(held_by("i-1"))
    run(gentle, state="detached", name="scratch")
    run(forced, state="detached", name="scratch", force=True)
    assert (gentle.calls, forced.calls) == (["detach_volume"], ["detach_volume --force"])


def test_a_volume_that_stays_busy_is_reported_when_the_time_is_up():
    gateway = ec2(held_by("i-1"))
    gateway.detach_volume = lambda volume_id, instance_id, force: gateway.volumes.update({volume_id: held_by("i-1", state="busy")})
    result = run(gateway, state="detached", name="scratch", wait_timeout=20)
    assert "is not detached after 20 s; last seen: in-use, busy to i-1" in result["msg"]


def test_force_detaches_and_deletes():
    gateway = ec2(held_by("i-1"))
    result = run(gateway, state="absent", name="scratch", force=True)
    assert result["volume"] is None
    assert gateway.calls == ["detach_volume --force", "delete_volume"]
    assert gateway.volumes == {}


def test_a_volume_is_detached_before_its_last_snapshot_is_taken_and_deleted_after_it():
    gateway, snapshots = ec2(held_by("i-1")), FakeSnapshotGateway(volumes=[SnapshottedVolume("vol-1", 100, attached=True)])
    snapshots.calls = gateway.calls
    run(gateway, snapshots=snapshots, state="absent", name="scratch", force=True, final_snapshot=True)
    assert gateway.calls == ["detach_volume --force", "create_snapshot", "delete_volume"]


def test_a_last_snapshot_is_complete_before_the_volume_is_deleted():
    gateway, snapshots = ec2(FOUND), FakeSnapshotGateway(volumes=[SnapshottedVolume("vol-1", 100, attached=False)])
    result = run(gateway, snapshots=snapshots, state="absent", name="scratch", final_snapshot=True)
    last = snapshots.snapshots[result["final_snapshot_id"]]
    assert last.state == "completed"
    assert (last.name, last.tags["petal:final-of"], last.tags["petal:consistency"]) == ("scratch-final", "vol-1", "clean")
    assert gateway.volumes == {}


def test_a_volume_stays_when_its_last_snapshot_fails():
    gateway, snapshots = ec2(FOUND), FakeSnapshotGateway(volumes=[SnapshottedVolume("vol-1", 100, attached=False)])

    def fail(snapshot_id, time_limit):
        raise ExplainedError(f"Snapshot {snapshot_id} failed.")

    snapshots.wait_until_completed = fail
    result = run(gateway, snapshots=snapshots, state="absent", name="scratch", final_snapshot=True)
    assert result["failed"]
    assert result["final_snapshot_id"] in result["msg"]
    assert "vol-1" in gateway.volumes


def test_a_last_snapshot_that_a_former_run_began_is_waited_for():
    gateway, snapshots = ec2(FOUND), FakeSnapshotGateway(volumes=[SnapshottedVolume("vol-1", 100, attached=False)])
    begun = snapshots.create_snapshot("vol-1", "", {"petal:final-of": "vol-1"}, list)
    result = run(gateway, snapshots=snapshots, state="absent", name="scratch", final_snapshot=True)
    assert result["final_snapshot_id"] == begun.snapshot_id
    assert snapshots.calls == ["create_snapshot"]


def test_a_volume_that_somebody_else_deletes_first_is_deleted():
    gateway = ec2(FOUND)

    def delete(volume_id):
        del gateway.volumes[volume_id]
        raise aws_error("InvalidVolume.NotFound")

    gateway.delete_volume = delete
    assert run(gateway, state="absent", name="scratch")["volume"] is None


def test_growing_waits_until_the_new_size_can_be_used():
    gateway = ec2(FOUND)
    result = run(gateway, name="scratch", size="200", iops=6000)
    assert (result["volume"]["size_gib"], result["volume"]["iops"]) == (200, 6000)
    assert gateway.calls == ["modify_volume"]


def test_a_modification_that_fails_is_an_error():
    gateway = ec2(FOUND)
    gateway.modify_volume = lambda volume_id, changes: gateway.modifications.update({volume_id: Modification("failed", changes)})
    assert "could not modify volume vol-1" in run(gateway, name="scratch", size="200")["msg"]


@pytest.mark.parametrize(("target", "fails"), [(200, False), (300, True)])
def test_a_modification_that_already_runs_is_waited_for_if_it_is_the_wanted_one(target, fails):
    gateway = ec2(FOUND)
    gateway.modifications["vol-1"] = Modification("optimizing", {"size_gib": target})
    gateway.faults["modify_volume"] = [aws_error("IncorrectModificationState")]
    assert ("failed" in run(gateway, name="scratch", size="200")) is fails


def test_tags_are_set_and_purged():
    gateway = ec2(dataclasses.replace(FOUND, tags={**FOUND.tags, "Old": "1"}))
    result = run(gateway, name="scratch", tags={"Team": "x"}, purge_tags=True)
    assert result["volume"]["tags"] == {"Name": "scratch", "CreatedBy": "petal.hpc", "Team": "x"}
    assert gateway.calls == ["create_tags", "delete_tags"]


def test_a_snapshot_is_restored():
    gateway = FakeVolumeGateway(snapshots=[SourceSnapshot("snap-1", "completed", 20)])
    result = run(gateway, name="scratch", snapshot_id="snap-1", availability_zone="us-east-1a")
    assert result["volume"]["size_gib"] == 20


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size": "10"}, "Neither volume_id nor name"),
        ({"name": "scratch", "state": "attached"}, "no instance_id is given"),
        ({"name": "scratch", "size": "10G"}, "Write 10Gi"),
    ],
)
def test_a_request_that_makes_no_sense_fails_before_anything_is_read(options, reason):
    gateway = ec2()
    assert reason in run(gateway, **options)["msg"]


def test_missing_permissions_fail_the_whole_task():
    gateway = ec2()

    def refuse(**query):
        raise aws_error("UnauthorizedOperation")

    gateway.find_volumes = refuse
    with pytest.raises(ExplainedError):
        run(gateway, **NEW)


# Many at once


def names(count):
    return [{"name": f"volume-{number}"} for number in range(count)]


def test_a_list_is_created_with_one_call_each_and_two_reads_in_all():
    gateway = ec2()
    result = run(gateway, size="10", availability_zone="us-east-1a", volumes=names(50))
    assert result["changed"]
    assert len({one["volume"]["volume_id"] for one in result["results"]}) == 50
    assert gateway.calls == ["create_volume"] * 50
    assert gateway.reads == 2


def test_a_list_that_is_as_asked_costs_one_read():
    gateway = ec2()
    run(gateway, size="10", availability_zone="us-east-1a", volumes=names(50))
    gateway.reads = 0
    again = run(gateway, size="10", availability_zone="us-east-1a", volumes=names(50))
    assert not again["changed"]
    assert gateway.reads == 1


def test_a_list_is_waited_for_together():
    gateway = ec2(creating=2)
    run(gateway, size="10", availability_zone="us-east-1a", volumes=names(50))
    assert gateway.now < 3


def test_one_failure_does_not_stop_the_others_and_is_named_with_its_item():
    gateway = ec2(held_by("i-2"))
    result = run(gateway, size="100", state="attached", instance_id="i-1", device="auto", volumes=[{"name": "scratch"}, *names(2)])
    assert result["failed"]
    assert result["failed_items"] == ["scratch"]
    assert result["msg"].startswith("1 of 3 volumes failed:\n  - scratch: Volume vol-1 is already attached to instance i-2.")
    assert [one["failed"] for one in result["results"]] == [True, False, False]
    assert result["results"][0]["resolution"]
    assert result["results"][1]["volume"]["attachments"]


def test_a_failure_in_ec2_stays_with_its_item():
    gateway = ec2()
    gateway.faults["create_volume"] = [aws_error("VolumeLimitExceeded")]
    result = run(gateway, size="10", availability_zone="us-east-1a", volumes=names(3))
    assert len(result["failed_items"]) == 1
    assert len(gateway.volumes) == 2


def test_what_stands_beside_the_list_is_the_default_of_every_item():
    gateway = ec2()
    items = [{"name": "one"}, {"name": "two", "size": "20", "availability_zone": "us-east-1b"}]
    results = run(gateway, size="10", availability_zone="us-east-1a", volumes=items)["results"]
    assert [(one["volume"]["size_gib"], one["volume"]["availability_zone"]) for one in results] == [(10, "us-east-1a"), (20, "us-east-1b")]


def test_two_volumes_of_a_list_do_not_take_the_same_device_name():
    gateway = ec2()
    items = [{"name": "one"}, {"name": "two"}]
    same = run(gateway, size="10", state="attached", instance_id="i-1", volumes=items, check_mode=True)
    assert "taken by volume one" in same["results"][1]["msg"]
    auto = run(gateway, size="10", state="attached", instance_id="i-1", device="auto", volumes=items)
    assert [one["volume"]["attachments"][0]["device"] for one in auto["results"]] == ["/dev/sdf", "/dev/sdg"]


def test_a_volume_named_twice_is_refused():
    result = run(ec2(FOUND), volumes=[{"name": "scratch"}, {"volume_id": "vol-1"}])
    assert result["failed_items"] == ["vol-1"]


def test_a_shared_volume_is_attached_to_several_instances_in_one_list():
    shared = dataclasses.replace(FOUND, volume_type="io2", throughput=None, multi_attach=True)
    gateway = ec2(shared)
    result = run(
        gateway, state="attached", name="scratch", attach_mode="shared_readonly", volumes=[{"instance_id": "i-1"}, {"instance_id": "i-2"}]
    )
    assert "failed" not in result
    assert {held.instance_id for held in gateway.volumes["vol-1"].holders} == {"i-1", "i-2"}


def test_a_list_returns_a_diff_for_each_change():
    result = run(ec2(FOUND), check_mode=True, size="100", availability_zone="us-east-1a", volumes=[{"name": "scratch"}, {"name": "new"}])
    assert [diff["after"]["name"] for diff in result["diff"]] == ["new"]


def test_an_empty_list_changes_nothing():
    assert run(ec2(), volumes=[]) == {"changed": False, "results": [], "warnings": []}


# Documentation


def test_the_documentation_describes_exactly_the_options():
    documented = yaml.safe_load(ebs_volume.DOCUMENTATION)["options"]
    assert documented.keys() == ebs_volume.ARGUMENT_SPEC.keys()
    assert documented["volumes"]["suboptions"].keys() == ebs_volume.VOLUME_OPTIONS.keys()
    for name, option in ebs_volume.ARGUMENT_SPEC.items():
        assert set(documented[name].get("choices", ())) == set(option.get("choices", ())), name
        assert documented[name].get("default") == option.get("default"), name
        assert documented[name]["type"] == option["type"], name


def test_the_documentation_describes_what_is_returned():
    documented = yaml.safe_load(ebs_volume.RETURN)
    result = run(ec2(FOUND), state="attached", name="scratch", instance_id="i-1")
    assert documented["volume"]["contains"].keys() == result["volume"].keys()
    assert result.keys() - {"changed", "diff", "warnings"} <= documented.keys()


def test_the_examples_use_options_that_exist():
    for task in yaml.safe_load(ebs_volume.EXAMPLES):
        assert task.get("petal.hpc.ebs_volume", {}).keys() <= ebs_volume.ARGUMENT_SPEC.keys()
