"""petal.hpc.ebs_volume against the lab: what users see."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.targets_runner import run_target

pytestmark = pytest.mark.lab


def test_the_target_passes(lab, instances):
    run_target("ebs_volume", lab, ebs_volume_instance_ids=instances[:2])


def test_fifty_volumes_cost_fifty_creates_and_two_reads_then_one(account):
    items = [{"name": f"{account.name}-{number}"} for number in range(50)]
    assert account.volume(volumes=items)["changed"]
    assert account.lab.calls() == {"CreateVolume": 50, "DescribeVolumes": 2}
    account.lab.reset_calls()
    assert not account.volume(volumes=items)["changed"]
    assert account.lab.calls() == {"DescribeVolumes": 1}


def test_slow_states_are_waited_for(account, instances):
    account.lab.slow({"volume": 0.5, "attachment": 0.5, "detachment": 0.3, "modification": 0.3})
    attached = account.volume(state="attached", instance_id=instances[1], device="auto")
    assert attached["volume"]["attachments"][0]["state"] == "attached"
    assert account.volume(size="2")["volume"]["size_gib"] == 2
    assert account.volume(state="detached")["volume"]["state"] == "available"
    assert account.volume(state="absent")["changed"]


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
