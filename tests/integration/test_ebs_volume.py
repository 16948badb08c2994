"""petal.hpc.ebs_volume against the lab: what users see, races, and what happens when AWS misbehaves."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugins.module_utils._aws.snapshots import SnapshotGateway
from plugins.module_utils._aws.volumes import VolumeGateway
from plugins.modules.ebs_volume import VOLUME_OPTIONS, run
from tests.integration.targets_runner import run_target

pytestmark = pytest.mark.lab

NUMBERS = itertools.count(1)


@dataclasses.dataclass
class Account:
    """The lab's account, and a volume name that nobody else uses."""

    lab: object
    name: str

    def volume(self, check_mode=False, retries=4, **given):
        """Run the module in this process, as Ansible would, under a clock ten times as fast."""
        items = given.pop("volumes", None)
        asked = {"wait": True, "wait_timeout": 30, "availability_zone": "us-east-1a", "size": "1", **given}
        if items is None and "volume_id" not in asked:
            asked.setdefault("name", self.name)
        blank = dict.fromkeys(VOLUME_OPTIONS)
        params = {**blank, **asked, "volumes": None if items is None else [{**blank, **item} for item in items]}
        gateway = VolumeGateway(self.lab.client("ec2", retries=retries), clock=lambda: time.monotonic() * 10, sleep=short_pause)
        snapshots = SnapshotGateway(self.lab.client("ec2"), sleep=short_pause)
        return run(params, gateway, check_mode, datetime.datetime.now(datetime.UTC), snapshots)

    def in_aws(self, name=None):
        wanted = [{"Name": "tag:Name", "Values": [name or self.name]}]
        return self.lab.client("ec2").describe_volumes(Filters=wanted)["Volumes"]


def short_pause(seconds):
    """A tenth of the pause: the lab is quicker than AWS."""
    time.sleep(seconds / 10)


@pytest.fixture
def account(lab):
    lab.reset_calls()
    yield Account(lab, f"volume-{next(NUMBERS)}")
    lab.faults([])
    lab.slow({"volume": 0, "attachment": 0, "detachment": 0, "modification": 0})


@pytest.fixture(scope="module")
def instances(lab):
    return [lab.run_instance() for _ in range(6)]


def test_the_target_passes(lab, instances):
    run_target("ebs_volume", lab, ebs_volume_instance_ids=instances[:2])


def test_fifty_volumes_cost_fifty_creates_and_two_reads_then_one(account):
    items = [{"name": f"{account.name}-{number}"} for number in range(50)]
    assert account.volume(volumes=items)["changed"]
    assert account.lab.calls() == {"CreateVolume": 50, "DescribeVolumes": 2}
    account.lab.reset_calls()
    assert not account.volume(volumes=items)["changed"]
    assert account.lab.calls() == {"DescribeVolumes": 1}


@pytest.mark.parametrize("attempt", range(3))
def test_six_runs_at_once_make_one_volume_and_one_attachment(account, instances, attempt):
    def attach(instance_id):
        return account.volume(state="attached", instance_id=instance_id)

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attach, instances))
    (volume,) = account.in_aws()
    (attachment,) = volume["Attachments"]
    refused = [result for result in results if result.get("failed")]
    assert len(refused) == 5
    assert {result["attached_to"] for result in refused} == {attachment["InstanceId"]}
    expected = f"Volume {volume['VolumeId']} is already attached to instance {attachment['InstanceId']}. "
    assert {result["msg"] for result in refused} == {expected + "Detach it first or use a different volume."}
    account.volume(state="absent", volume_id=volume["VolumeId"], force=True)


@pytest.mark.parametrize("action", ["CreateVolume", "AttachVolume"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"code": "InternalError", "status": 500, "times": 1}, id="a request lost"),
        pytest.param({"code": "InternalError", "status": 500, "times": 1, "drop": True}, id="an answer lost"),
        pytest.param({"code": "RequestLimitExceeded", "status": 503, "times": 2}, id="throttled"),
    ],
)
def test_a_fault_that_passes_leaves_one_volume_attached_once(account, instances, action, fault):
    account.lab.faults([{"action": action, **fault}])
    result = account.volume(state="attached", instance_id=instances[0], device="auto")
    assert not result.get("failed"), result
    (volume,) = account.in_aws()
    assert [one["InstanceId"] for one in volume["Attachments"]] == [instances[0]]
    account.volume(state="absent", force=True)


@pytest.mark.parametrize("action", ["CreateVolume", "DescribeVolumes", "CreateTags", "ModifyVolume", "AttachVolume"])
def test_a_run_that_breaks_off_is_completed_by_the_next_one(account, instances, action):
    wanted = {"state": "attached", "instance_id": instances[0], "device": "auto"}
    changes = {"tags": {"Team": "x"}, "size": "2"}
    account.volume(state="present")
    # One describe passes, so that the run breaks in the middle; without retries every fault breaks it.
    account.lab.faults([{"action": action, "code": "UnauthorizedOperation", "status": 403, "after": int(action == "DescribeVolumes")}])
    if action == "CreateVolume":
        account = dataclasses.replace(account, name=f"{account.name}-new")
    broken = account.volume(retries=0, **wanted, **changes)
    assert broken["failed"]
    account.lab.faults([])
    done = account.volume(**wanted, **changes)
    assert not done.get("failed"), done
    assert not account.volume(**wanted, **changes)["changed"]
    (volume,) = account.in_aws()
    assert (volume["Size"], len(volume["Attachments"])) == (2, 1)
    account.volume(state="absent", force=True)


def test_a_volume_that_is_not_visible_at_once_is_waited_for(account, instances):
    account.lab.faults(
        [{"action": action, "code": "InvalidVolume.NotFound", "fresh": 0.5} for action in ("AttachVolume", "CreateTags", "ModifyVolume")]
    )
    assert not account.volume(state="attached", instance_id=instances[1], device="auto").get("failed")
    account.volume(state="absent", force=True)


def test_slow_states_are_waited_for(account, instances):
    account.lab.slow({"volume": 0.5, "attachment": 0.5, "detachment": 0.3, "modification": 0.3})
    attached = account.volume(state="attached", instance_id=instances[1], device="auto")
    assert attached["volume"]["attachments"][0]["state"] == "attached"
    assert account.volume(size="2")["volume"]["size_gib"] == 2
    assert account.volume(state="detached")["volume"]["state"] == "available"
    assert account.volume(state="absent")["changed"]


def test_a_volume_that_stays_in_creating_is_reported_and_taken_up_again(account):
    account.lab.slow({"volume": 3600})
    stuck = account.volume(wait_timeout=5)
    assert "is not available after 5 s; last seen: creating" in stuck["msg"]
    account.lab.slow({"volume": 0})
    resumed = account.volume()
    assert resumed["volume"]["volume_id"] == stuck["volume"]["volume_id"]
    assert not resumed["changed"]


def test_throttling_that_lasts_is_a_failure_and_no_success(account):
    account.lab.faults([{"action": "DescribeVolumes", "code": "RequestLimitExceeded", "status": 503, "after": 1}])
    result = account.volume(retries=0, wait_timeout=5)
    assert "last seen: RequestLimitExceeded" in result["msg"]


def test_a_deleted_volume_is_created_anew_under_the_next_token(account):
    first = account.volume()["volume"]["volume_id"]
    account.volume(state="absent")
    second = account.volume()["volume"]
    assert second["volume_id"] != first
    assert second["tags"]["petal:generation"] == "1"


def test_two_runs_that_want_different_sizes_make_one_volume(account):
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda size: account.volume(size=size), ["1", "2"]))
    assert len(account.in_aws()) == 1
    failed = [result for result in results if result.get("failed")]
    assert all("with other values" in result["msg"] or "only grow" in result["msg"] for result in failed)


def test_a_key_that_does_not_exist_makes_ec2_drop_the_volume_and_points_to_the_key(account):
    result = account.volume(kms_key_id="11111111-2222-3333-4444-555555555555")
    assert "KMS key" in result["next_step"]
    assert account.in_aws() == []


def test_a_restored_volume_may_be_larger_than_its_snapshot_and_not_smaller(account):
    ec2 = account.lab.client("ec2")
    source = account.volume(size="2")["volume"]["volume_id"]
    snapshot = ec2.create_snapshot(VolumeId=source)["SnapshotId"]
    larger = account.volume(name=f"{account.name}-larger", size="3", snapshot_id=snapshot)["volume"]
    assert (larger["size_gib"], larger["snapshot_id"], larger["tags"]["petal:restored-from"]) == (3, snapshot, snapshot)
    assert f"smaller than snapshot {snapshot}" in account.volume(name=f"{account.name}-smaller", size="1", snapshot_id=snapshot)["msg"]


def test_a_shared_volume_is_attached_read_only_to_several_instances(account, instances):
    shared = {"volume_type": "io2", "iops": 100, "size": "4", "multi_attach": True}
    items = [{"instance_id": instance_id} for instance_id in instances[2:4]]
    assert "Set attach_mode to shared_readonly" in account.volume(state="attached", instance_id=instances[2], **shared)["msg"]
    account.volume(**shared)
    result = account.volume(name=account.name, state="attached", attach_mode="shared_readonly", device="auto", volumes=items, size=None)
    assert not result.get("failed"), result
    (volume,) = account.in_aws()
    assert {one["InstanceId"] for one in volume["Attachments"]} == set(instances[2:4])


def test_a_foreign_volume_is_never_deleted_without_force(account):
    ec2 = account.lab.client("ec2")
    foreign = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    assert "was not made by this collection" in account.volume(state="absent", volume_id=foreign)["msg"]
    assert account.volume(state="absent", volume_id=foreign, force=True)["changed"]


def test_a_last_snapshot_outlives_its_volume_and_can_be_restored(account):
    volume_id = account.volume(size="2")["volume"]["volume_id"]
    last = account.volume(state="absent", final_snapshot=True)["final_snapshot_id"]
    restored = account.volume(name=f"{account.name}-again", size=None, snapshot_id=last)["volume"]
    assert (restored["size_gib"], account.in_aws()) == (2, [])
    described = account.lab.client("ec2").describe_snapshots(SnapshotIds=[last])["Snapshots"][0]
    assert {"Key": "petal:final-of", "Value": volume_id} in described["Tags"]
