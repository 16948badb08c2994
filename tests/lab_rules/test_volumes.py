"""Creating and deleting volumes follow EC2's rules."""

import pytest

from tests.lab_rules.expectations import NEVER, ZONE, proves, refused


@proves("zone_exists")
@pytest.mark.parametrize("zone", ["us-east-1z", "us-west-2a"])
def test_the_zone_is_one_of_the_region(make_volume, zone):
    with refused("InvalidZone.NotFound", zone):
        make_volume(AvailabilityZone=zone)


@proves("zone_exists")
def test_the_zone_can_be_named_by_its_id(ec2, describe):
    zone = ec2.describe_availability_zones(ZoneNames=[ZONE])["AvailabilityZones"][0]["ZoneId"]
    assert describe(ec2.create_volume(Size=1, AvailabilityZoneId=zone)["VolumeId"])["AvailabilityZone"] == ZONE


@proves("zone_is_given_once")
def test_the_zone_is_given_once(ec2):
    with refused("MissingParameter", "AvailabilityZone"):
        ec2.create_volume(Size=1)
    with refused("InvalidParameterCombination"):
        ec2.create_volume(Size=1, AvailabilityZone=ZONE, AvailabilityZoneId="use1-az1")


@proves("volume_type_exists")
def test_the_type_is_one_of_ebs(make_volume):
    with refused("UnknownVolumeType", "gp9"):
        make_volume(VolumeType="gp9")


@proves("volume_is_within_its_type")
@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"VolumeType": "gp3", "Size": 65537}, "maximum is 65536GiB"),
        ({"VolumeType": "gp2", "Size": 16385}, "maximum is 16384GiB"),
        ({"VolumeType": "st1", "Size": 124}, "minimum is 125GiB"),
        ({"VolumeType": "io2", "Size": 3, "Iops": 100}, "minimum is 4GiB"),
        ({"VolumeType": "gp3", "Size": 100, "Iops": 2999}, "minimum is 3000"),
        ({"VolumeType": "gp3", "Size": 1000, "Iops": 80001}, "maximum is 80000"),
        ({"VolumeType": "gp3", "Size": 10, "Iops": 5001}, "ratio of 500.1"),
        ({"VolumeType": "io1", "Size": 10, "Iops": 501}, "maximum is 50"),
        ({"VolumeType": "io2", "Size": 10, "Iops": 10001}, "maximum is 1000"),
        ({"VolumeType": "gp3", "Size": 10, "Throughput": 124}, "minimum is 125"),
        ({"VolumeType": "gp3", "Size": 1000, "Iops": 80000, "Throughput": 2001}, "maximum is 2000"),
        ({"VolumeType": "gp3", "Size": 10, "Throughput": 751}, "maximum is 0.25"),
    ],
)
def test_a_volume_stays_within_its_type(make_volume, asked, text):
    with refused("InvalidParameterValue", text):
        make_volume(**asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"VolumeType": "gp3", "Size": 1, "Iops": 3000},
        {"VolumeType": "gp3", "Size": 160, "Iops": 80000, "Throughput": 2000},
        {"VolumeType": "io1", "Size": 4, "Iops": 200},
        {"VolumeType": "io2", "Size": 65536, "Iops": 256000},
        {"VolumeType": "sc1", "Size": 125},
        {"VolumeType": "standard", "Size": 1024},
    ],
)
def test_the_limits_themselves_are_allowed(make_volume, asked):
    assert make_volume(**asked)


@pytest.mark.parametrize("kind", ["io1", "io2"])
def test_provisioned_types_need_iops(make_volume, kind):
    with refused("InvalidParameterDependency"):
        make_volume(VolumeType=kind, Size=10)


@proves("gp3_throughput_by_default")
def test_gp3_has_its_baseline(make_volume, describe):
    found = describe(make_volume(VolumeType="gp3"))
    assert (found["Iops"], found["Throughput"]) == (3000, 125)


@proves("gp2_baseline")
@pytest.mark.parametrize(("size", "iops"), [(1, 100), (100, 300), (16384, 16000)])
def test_gp2_is_described_with_its_baseline(make_volume, describe, size, iops):
    assert describe(make_volume(VolumeType="gp2", Size=size))["Iops"] == iops


@proves("volume_holds_its_snapshot")
def test_a_volume_is_not_smaller_than_its_snapshot(make_volume, snapshot):
    with refused("InvalidParameterValue", "expect size >= 10GB"):
        make_volume(SnapshotId=snapshot, Size=9)


@proves("snapshot_is_usable")
def test_a_volume_is_made_from_a_completed_snapshot(lab, make_volume, snapshot):
    lab.slow({"snapshot": NEVER})
    with refused("IncorrectState", "pending"):
        make_volume(SnapshotId=snapshot)


@proves("snapshot_is_usable")
def test_an_archived_snapshot_makes_no_volume(ec2, make_volume, snapshot):
    ec2.modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
    with refused("IncorrectState", "archived"):
        make_volume(SnapshotId=snapshot)


@proves("initialization_rate_is_kept")
def test_the_initialization_rate_is_kept(make_volume, describe, snapshot):
    assert describe(make_volume(SnapshotId=snapshot, VolumeInitializationRate=150))["VolumeInitializationRate"] == 150
    with refused("InvalidParameterValue", "100 to 300"):
        make_volume(SnapshotId=snapshot, VolumeInitializationRate=301)
    with refused("InvalidParameterCombination", "SnapshotId"):
        make_volume(VolumeInitializationRate=150)


@proves("snapshot_id_is_described", "multi_attach_is_described")
def test_a_volume_is_described_in_full(describe, volume):
    found = describe(volume)
    assert (found["SnapshotId"], found["MultiAttachEnabled"]) == ("", False)


@proves("new_volume_is_creating")
def test_a_new_volume_is_creating(ec2):
    assert ec2.create_volume(Size=1, AvailabilityZone=ZONE)["State"] == "creating"


@proves("volume_state", "deleted_volume_is_ready")
def test_a_volume_takes_its_time(ec2, lab, make_volume, describe):
    lab.slow({"volume": NEVER})
    volume = make_volume()
    assert describe(volume)["State"] == "creating"
    with refused("IncorrectState"):
        ec2.delete_volume(VolumeId=volume)
    lab.slow({"volume": 0})
    assert describe(volume)["State"] == "available"
    ec2.delete_volume(VolumeId=volume)
    with refused("InvalidVolume.NotFound", volume):
        ec2.delete_volume(VolumeId=volume)
