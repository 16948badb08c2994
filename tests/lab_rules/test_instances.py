"""Instances are launched as EC2 does it, as far as volumes depend on them."""

import pytest

from tests.lab import world
from tests.lab_rules.expectations import NEVER, proves, refused

IMAGE = world.official_image("us-east-1")


@pytest.fixture
def launch(ec2):
    def launch(**parameters):
        wanted = {"ImageId": IMAGE, "InstanceType": "c7i.large", "MinCount": 1, "MaxCount": 1, **parameters}
        return ec2.run_instances(**wanted)["Instances"][0]["InstanceId"]

    return launch


@pytest.fixture
def disks(ec2):
    """The volumes of an instance by device name."""

    def disks(instance):
        filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
        return {volume["Attachments"][0]["Device"]: volume for volume in ec2.describe_volumes(Filters=filters)["Volumes"]}

    return disks


@proves("image_exists")
def test_the_image_exists(launch):
    with refused("InvalidAMIID.NotFound", "ami-00000000000000000"):
        launch(ImageId="ami-00000000000000000")


@proves("template_says_how_instances_are_bought")
def test_a_template_makes_a_spot_instance(ec2, launch):
    ec2.create_launch_template(LaunchTemplateName="spot", LaunchTemplateData={"InstanceMarketOptions": {"MarketType": "spot"}})
    ec2.create_launch_template(LaunchTemplateName="plain", LaunchTemplateData={"InstanceType": "c7i.large"})
    for name, lifecycle in (("spot", "spot"), ("plain", None)):
        instance = launch(LaunchTemplate={"LaunchTemplateName": name})
        (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
        assert found.get("InstanceLifecycle") == lifecycle


@proves("tags_of_a_template_are_its_own")
def test_a_template_is_tagged_and_its_instances_are_not(ec2):
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "CreatedBy", "Value": "me"}]}]
    made = ec2.create_launch_template(LaunchTemplateName="tagged", LaunchTemplateData={"ImageId": IMAGE}, TagSpecifications=tags)
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"] == {"ImageId": IMAGE}
    assert made["LaunchTemplate"]["Tags"] == tags[0]["Tags"]


@proves("key_pair_exists")
def test_the_key_pair_exists(launch):
    with refused("InvalidKeyPair.NotFound", "missing"):
        launch(KeyName="missing")
    assert launch(KeyName=world.KEY_NAME)


@proves("instance_type_exists")
def test_the_instance_type_exists(launch):
    with refused("InvalidParameterValue", "t99.huge"):
        launch(InstanceType="t99.huge")


@proves("instance_type_runs_the_image")
def test_the_instance_type_runs_the_image(launch):
    with refused("InvalidParameterValue", "arm64"):
        launch(InstanceType="c7g.large")
    assert launch(InstanceType="c7g.large", ImageId=world.official_image("us-east-1", architecture="arm64"))


@proves("block_devices_are_possible")
def test_a_volume_of_the_launch_holds_its_snapshot(launch, snapshot):
    with refused("InvalidBlockDeviceMapping", "expect size >= 10GB"):
        launch(BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": snapshot, "VolumeSize": 9}}])


@proves("block_devices_are_possible")
def test_a_volume_of_the_launch_stays_within_its_type(launch):
    with refused("InvalidParameterValue", "minimum is 125GiB"):
        launch(BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeType": "st1", "VolumeSize": 1}}])


@proves("volumes_of_the_launch_keep_their_performance", "root_disk_comes_from_the_image")
def test_a_launch_has_its_root_disk_and_the_volumes_asked_for(launch, disks):
    disk = {"VolumeType": "gp3", "VolumeSize": 20, "Iops": 4000, "Throughput": 250}
    found = disks(launch(BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": disk}]))
    assert {device: (one["Size"], one["Iops"], one["Throughput"]) for device, one in found.items()} == {
        "/dev/xvda": (45, 3000, 125),
        "/dev/sdf": (20, 4000, 250),
    }
    assert found["/dev/sdf"]["Attachments"][0]["DeleteOnTermination"] is True


@proves("instance_state")
def test_an_instance_takes_its_time(ec2, lab, launch, attach, volume):
    def state(instance):
        return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]

    lab.slow({"instance": NEVER, "termination": NEVER})
    instance = launch()
    assert state(instance) == "pending"
    with refused("IncorrectState"):
        attach(volume, instance)
    lab.slow({"instance": 0})
    assert state(instance) == "running"
    told = ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]
    assert told["PreviousState"]["Name"] == "running"
    assert state(instance) == "shutting-down"
    lab.slow({"termination": 0})
    assert state(instance) == "terminated"


@proves("images_are_found_by_their_snapshots")
def test_the_images_of_a_snapshot_are_found(ec2, instance):
    image = ec2.create_image(InstanceId=instance, Name=instance)["ImageId"]
    snapshot = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    filters = [{"Name": "block-device-mapping.snapshot-id", "Values": [snapshot]}]
    assert [found["ImageId"] for found in ec2.describe_images(Filters=filters)["Images"]] == [image]
