"""Attaching and detaching follow EC2's rules."""

import pytest

from tests.lab_rules.expectations import NEVER, proves, refused

SHARED = {"VolumeType": "io2", "Size": 4, "Iops": 100, "MultiAttachEnabled": True}


@proves("volume_is_attached_once")
def test_an_attached_volume_is_in_use(lab, attach, volume, instance):
    attach(volume, instance)
    with refused("VolumeInUse", volume):
        attach(volume, lab.run_instance())


@proves("volume_and_instance_share_a_zone")
def test_a_volume_stays_in_its_zone(attach, make_volume, instance):
    with refused("InvalidVolume.ZoneMismatch", "not in the same availability zone"):
        attach(make_volume(AvailabilityZone="us-east-1b"), instance)


@proves("instance_can_take_a_volume")
def test_a_terminated_instance_takes_no_volume(ec2, attach, volume, instance):
    ec2.terminate_instances(InstanceIds=[instance])
    with refused("IncorrectState"):
        attach(volume, instance)


def test_a_stopped_instance_takes_a_volume(ec2, attach, volume, instance):
    ec2.stop_instances(InstanceIds=[instance])
    assert attach(volume, instance)["State"] == "attaching"


@proves("device_name_is_free")
def test_a_device_name_is_used_once(attach, make_volume, instance):
    attach(make_volume(), instance, "/dev/sdf")
    with refused("InvalidParameterValue", "/dev/sdf is already in use"):
        attach(make_volume(), instance, "/dev/sdf")


@proves("device_name_is_valid")
@pytest.mark.parametrize("device", ["nonsense", "/dev/nvme1n1", "/dev/sd1"])
def test_a_device_name_has_a_form(attach, volume, instance, device):
    with refused("InvalidParameterValue", device):
        attach(volume, instance, device)


@pytest.mark.parametrize("device", ["/dev/sdf", "/dev/sdz1", "/dev/xvdba", "xvdf"])
def test_these_device_names_are_taken(attach, volume, instance, device):
    assert attach(volume, instance, device)["Device"] == device


@proves("volume_is_ready_to_attach")
def test_a_volume_being_created_cannot_be_attached(lab, attach, make_volume, instance):
    lab.slow({"volume": NEVER})
    with refused("IncorrectState"):
        attach(make_volume(), instance)


@proves("first_attachment", "attach_beside_the_others")
def test_a_shared_volume_has_several_attachments(lab, attach, describe, make_volume, instance):
    shared, second = make_volume(**SHARED), lab.run_instance()
    attach(shared, instance)
    attach(shared, second)
    assert {attachment["InstanceId"] for attachment in describe(shared)["Attachments"]} == {instance, second}


@proves("sixteen_instances_share_a_volume")
def test_a_shared_volume_has_sixteen_attachments(ec2, lab, attach, make_volume, instance):
    shared = make_volume(**SHARED)
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    more = ec2.run_instances(
        ImageId=described["ImageId"], InstanceType="c7i.large", MinCount=16, MaxCount=16, Placement={"AvailabilityZone": "us-east-1a"}
    )
    instances = [one["InstanceId"] for one in more["Instances"]]
    for one in instances:
        attach(shared, one, "/dev/sdf")
    with refused("VolumeInUse"):
        attach(shared, instance)


@proves("shared_volume_names_the_instance")
def test_detaching_a_shared_volume_takes_an_instance(ec2, attach, make_volume, instance):
    shared = make_volume(**SHARED)
    attach(shared, instance)
    with refused("MissingParameter"):
        ec2.detach_volume(VolumeId=shared)


@proves("detach_from_one")
def test_detaching_from_one_instance_leaves_the_other(ec2, lab, attach, describe, make_volume, instance):
    shared, second = make_volume(**SHARED), lab.run_instance()
    attach(shared, instance)
    attach(shared, second)
    ec2.detach_volume(VolumeId=shared, InstanceId=instance)
    assert [attachment["InstanceId"] for attachment in describe(shared)["Attachments"]] == [second]


@proves("detach_without_an_instance")
def test_only_the_volume_has_to_be_named(ec2, attach, describe, volume, instance):
    attach(volume, instance)
    assert ec2.detach_volume(VolumeId=volume)["InstanceId"] == instance
    assert describe(volume)["State"] == "available"


@proves("detached_volume_is_attached")
def test_an_available_volume_cannot_be_detached(ec2, volume):
    with refused("IncorrectState", "'available'"):
        ec2.detach_volume(VolumeId=volume)


@proves("detached_from_the_instance_that_has_it")
def test_a_volume_is_detached_from_the_instance_that_has_it(ec2, lab, attach, describe, volume, instance):
    attach(volume, instance, "/dev/sdf")
    with refused("InvalidAttachment.NotFound", "not attached"):
        ec2.detach_volume(VolumeId=volume, InstanceId=lab.run_instance(), Device="/dev/sdf")
    with refused("InvalidAttachment.NotFound", "/dev/sdg"):
        ec2.detach_volume(VolumeId=volume, Device="/dev/sdg")
    assert describe(volume)["State"] == "in-use"


@proves("root_volume_stays_while_running")
def test_the_root_volume_of_a_running_instance_stays(ec2, instance):
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    root = described["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    with refused("OperationNotPermitted"):
        ec2.detach_volume(VolumeId=root, InstanceId=instance)
    ec2.stop_instances(InstanceIds=[instance])
    assert ec2.detach_volume(VolumeId=root, InstanceId=instance)["State"] == "detaching"


@proves("attachment_state")
def test_an_attachment_takes_its_time(lab, attach, describe, volume, instance):
    lab.slow({"attachment": NEVER})
    attach(volume, instance)
    assert describe(volume)["Attachments"][0]["State"] == "attaching"
    lab.slow({"attachment": 0})
    assert describe(volume)["Attachments"][0]["State"] == "attached"


@proves("all_attachments", "volume_is_not_leaving_already")
def test_a_detachment_takes_its_time(ec2, lab, attach, describe, volume, instance):
    attach(volume, instance)
    lab.slow({"detachment": NEVER})
    ec2.detach_volume(VolumeId=volume)
    assert (describe(volume)["State"], describe(volume)["Attachments"][0]["State"]) == ("in-use", "detaching")
    with refused("IncorrectState"):
        ec2.detach_volume(VolumeId=volume)
    lab.slow({"detachment": 0})
    assert (describe(volume)["State"], describe(volume)["Attachments"]) == ("available", [])


@proves("volume_ends_with_its_instance")
def test_an_attachment_tells_whether_the_volume_ends_with_the_instance(ec2, attach, describe, volume, instance):
    attach(volume, instance, "/dev/sdf")
    assert describe(volume)["Attachments"][0]["DeleteOnTermination"] is False
    mapping = {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}
    ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=[mapping])
    assert describe(volume)["Attachments"][0]["DeleteOnTermination"] is True


def test_an_attached_volume_cannot_be_deleted(ec2, attach, volume, instance):
    attach(volume, instance)
    with refused("VolumeInUse"):
        ec2.delete_volume(VolumeId=volume)


def test_terminating_an_instance_frees_its_volumes(ec2, attach, describe, volume, instance):
    attach(volume, instance)
    ec2.terminate_instances(InstanceIds=[instance])
    assert describe(volume)["State"] == "available"
