"""What an account holds at start, and what aws-parallelcluster asks about it."""

import pytest

from tests.lab import world
from tests.lab_rules.expectations import refused

NAMES = {f"{part}-{architecture}" for _, part, _, _ in world.IMAGES for architecture in world.ARCHITECTURES}


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_each_region_has_the_official_images(lab, region):
    images = lab.client("ec2", region=region).describe_images(Owners=["amazon"])["Images"]
    assert {image["Name"].removeprefix("aws-parallelcluster-3.16.1-").rpartition("-")[0] for image in images} == NAMES
    assert world.official_image(region, "ubuntu2204", "arm64") in [image["ImageId"] for image in images]
    assert {image["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] for image in images} == {45}


def test_an_account_begins_without_volumes_and_snapshots(lab):
    fresh = lab.client("ec2", region="ap-southeast-2", account="222222222222")
    assert fresh.describe_volumes()["Volumes"] == []
    assert fresh.describe_snapshots()["Snapshots"] == []


def test_an_account_has_a_key_pair_and_subnets(ec2):
    assert [key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"]] == [world.KEY_NAME]
    zones = {subnet["AvailabilityZone"] for subnet in ec2.describe_subnets()["Subnets"]}
    assert zones == {f"us-east-1{letter}" for letter in "abcdef"}


def test_the_dry_run_of_a_launch_takes_the_disk_from_the_image(ec2):
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}, {"DeviceName": "/dev/xvdba", "VirtualName": "ephemeral0"}]
    with refused("DryRunOperation"):
        ec2.run_instances(ImageId=world.official_image("us-east-1"), MinCount=1, MaxCount=1, DryRun=True, BlockDeviceMappings=disks)


def test_unknown_groups_and_reservations_are_named(ec2):
    assert ec2.describe_placement_groups()["PlacementGroups"] == []
    with refused("InvalidPlacementGroup.Unknown", "petal"):
        ec2.describe_placement_groups(GroupNames=["petal"])
    with refused("InvalidCapacityReservationId.NotFound", "cr-0"):
        ec2.describe_capacity_reservations(CapacityReservationIds=["cr-00000000000000000"])
