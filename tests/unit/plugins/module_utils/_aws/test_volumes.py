import datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from plugins.module_utils._aws.requests import CLIENT_CONFIG
from plugins.module_utils._aws.volumes import VolumeGateway
from plugins.module_utils._core.ebs.volume import Attachment, Instance, SourceSnapshot, Volume, VolumeQuery, client_token
from plugins.module_utils._core.errors import ExplainedError

VOLUME_ID = "vol-0123456789abcdef0"
INSTANCE_ID = "i-0123456789abcdef0"
# What DescribeVolumes answers about a volume of ours; moto and older endpoints leave out some of it.
ANSWER = {
    "VolumeId": VOLUME_ID,
    "State": "in-use",
    "Size": 100,
    "VolumeType": "gp3",
    "AvailabilityZone": "us-east-1a",
    "Iops": 3000,
    "Throughput": 125,
    "Encrypted": True,
    "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k-1",
    "SnapshotId": "",
    "CreateTime": datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC),
    "MultiAttachEnabled": False,
    "Attachments": [{"InstanceId": INSTANCE_ID, "Device": "/dev/sdf", "State": "attached", "DeleteOnTermination": False}],
    "Tags": [{"Key": "Name", "Value": "scratch"}],
}
VOLUME = Volume(
    volume_id=VOLUME_ID,
    name="scratch",
    state="in-use",
    size_gib=100,
    volume_type="gp3",
    availability_zone="us-east-1a",
    iops=3000,
    throughput=125,
    encrypted=True,
    kms_key_id="arn:aws:kms:us-east-1:123456789012:key/k-1",
    create_time="2026-11-22T12:00:00+00:00",
    attachments=(Attachment(INSTANCE_ID, "/dev/sdf"),),
    tags={"Name": "scratch"},
)


@pytest.fixture(scope="module")
def client():
    return boto3.client("ec2", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


@pytest.fixture
def stub(client):
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def gateway(client, stub, slept):
    return VolumeGateway(client, clock=lambda: sum(slept), sleep=slept.append)


def described(*answers, **more):
    return {"Volumes": list(answers), **more}


def asked(page_size=500, **filters):
    named = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
    return {"Filters": named, "MaxResults": page_size}


def test_an_answer_becomes_a_volume(gateway, stub):
    stub.add_response("describe_volumes", described(ANSWER), asked(volume_id=[VOLUME_ID]))
    assert gateway.find_volumes(ids=[VOLUME_ID]) == [VOLUME]


def test_a_sparse_answer_becomes_a_volume_too(gateway, stub):
    stub.add_response("describe_volumes", described({"VolumeId": VOLUME_ID, "State": "creating"}), asked(volume_id=[VOLUME_ID]))
    (volume,) = gateway.find_volumes(ids=[VOLUME_ID])
    assert (volume.name, volume.size_gib, volume.encrypted, volume.attachments) == (None, None, False, ())


def test_two_hundred_names_are_asked_for_at_a_time(gateway, stub):
    names = [f"volume-{number}" for number in range(201)]
    stub.add_response("describe_volumes", described(), asked(**{"tag:Name": names[:200]}))
    stub.add_response("describe_volumes", described(ANSWER), asked(**{"tag:Name": names[200:]}))
    assert gateway.find_volumes(names=[*names, names[0]]) == [VOLUME]


def test_nothing_is_asked_when_there_is_nothing_to_find(gateway):
    assert gateway.find_volumes() == []
    assert gateway.find_instances([]) == {}


def test_every_page_is_read(gateway, stub):
    stub.add_response("describe_volumes", described(ANSWER, NextToken="more"), asked(volume_id=[VOLUME_ID]))
    stub.add_response("describe_volumes", described(ANSWER), {**asked(volume_id=[VOLUME_ID]), "NextToken": "more"})
    assert len(gateway.find_volumes(ids=[VOLUME_ID])) == 2


def test_a_name_is_meant_literally_and_not_as_a_pattern(gateway, stub):
    stub.add_response("describe_volumes", described(), asked(**{"tag:Name": [r"what\?\*\\"]}))
    gateway.find_volumes(names=["what?*\\"])


def test_a_list_asks_ec2_for_every_condition_and_leaves_out_what_is_deleted(gateway, stub):
    filters = {
        "encrypted": ["false"],
        "status": ["available"],
        "availability-zone": ["us-east-1a"],
        "attachment.instance-id": [INSTANCE_ID],
        "tag:Name": ["scratch"],
        "tag:CreatedBy": ["petal.hpc"],
    }
    stub.add_response("describe_volumes", described(ANSWER, {**ANSWER, "State": "deleting"}), asked(**filters))
    query = VolumeQuery(
        name="scratch",
        state="available",
        availability_zone="us-east-1a",
        instance_id=INSTANCE_ID,
        filters={"encrypted": "false"},
        managed_only=True,
    )
    assert list(gateway.list_volumes(query)) == [VOLUME]


def test_a_list_is_read_page_by_page_as_it_is_used(gateway, stub):
    stub.add_response("describe_volumes", described(ANSWER, NextToken="more"), asked())
    assert next(gateway.list_volumes(VolumeQuery())) == VOLUME


def test_an_instance_tells_its_zone_and_its_devices(gateway, stub):
    answer = {
        "InstanceId": INSTANCE_ID,
        "State": {"Name": "running"},
        "Placement": {"AvailabilityZone": "us-east-1a"},
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-root"}}],
    }
    expected = {"Filters": [{"Name": "instance-id", "Values": [INSTANCE_ID]}]}
    stub.add_response("describe_instances", {"Reservations": [{"Instances": [answer]}]}, expected)
    assert gateway.find_instances([INSTANCE_ID]) == {INSTANCE_ID: Instance(INSTANCE_ID, "running", "us-east-1a", {"/dev/xvda": "vol-root"})}


def test_a_source_snapshot_tells_its_size_and_tier(gateway, stub):
    answer = {"SnapshotId": "snap-1", "State": "completed", "VolumeSize": 5, "Encrypted": True, "StorageTier": "archive"}
    stub.add_response("describe_snapshots", {"Snapshots": [answer]}, {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}]})
    assert gateway.find_source_snapshots(["snap-1"]) == {"snap-1": SourceSnapshot("snap-1", "completed", 5, True, True)}


def test_the_newest_modification_counts(gateway, stub):
    def modification(day, state, size):
        started = datetime.datetime(2026, 11, day, tzinfo=datetime.UTC)
        return {"VolumeId": VOLUME_ID, "ModificationState": state, "TargetSize": size, "StartTime": started}

    answers = [modification(2, "optimizing", 300), modification(1, "failed", 200)]
    stub.add_response("describe_volumes_modifications", {"VolumesModifications": answers}, {"Filters": ANY})
    newest = gateway.find_modifications([VOLUME_ID])[VOLUME_ID]
    assert newest.state == "optimizing"
    assert newest.aims_at({"size_gib": 300})


def test_a_volume_is_created_with_a_token_and_its_tags_in_one_call(gateway, stub):
    wanted = Volume(None, "scratch", "available", 100, "gp3", "us-east-1a", 3000, 125, True, tags={"Name": "scratch"})
    expected = {
        "AvailabilityZone": "us-east-1a",
        "ClientToken": client_token(wanted, 2),
        "Encrypted": True,
        "Iops": 3000,
        "Size": 100,
        "TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "scratch"}]}],
        "Throughput": 125,
        "VolumeType": "gp3",
    }
    stub.add_response("create_volume", ANSWER, expected)
    assert gateway.create_volume(wanted, 2) == VOLUME


def test_a_restored_shared_volume_is_created_with_all_it_needs(gateway, stub):
    wanted = Volume(
        None, "data", "available", 50, "io2", "us-east-1a", 1000, None, True, "k-1", "snap-1", multi_attach=True, initialization_rate=200
    )
    given = {"MultiAttachEnabled": True, "SnapshotId": "snap-1", "VolumeInitializationRate": 200, "KmsKeyId": "k-1"}
    common = {"AvailabilityZone": ANY, "ClientToken": ANY, "Encrypted": True, "Iops": 1000, "Size": 50, "TagSpecifications": ANY}
    stub.add_response("create_volume", ANSWER, {**common, **given, "VolumeType": "io2"})
    gateway.create_volume(wanted, 0)


def test_only_what_changes_is_modified(gateway, stub):
    stub.add_response("modify_volume", {}, {"VolumeId": VOLUME_ID, "Size": 200, "Iops": 6000})
    gateway.modify_volume(VOLUME_ID, {"size_gib": 200, "iops": 6000})


def test_a_volume_that_ec2_does_not_know_yet_is_attached_a_moment_later(gateway, stub, slept):
    expected = {"VolumeId": VOLUME_ID, "InstanceId": INSTANCE_ID, "Device": "/dev/sdf"}
    stub.add_client_error("attach_volume", "InvalidVolume.NotFound", expected_params=expected)
    stub.add_response("attach_volume", {}, expected)
    gateway.attach_volume(VOLUME_ID, INSTANCE_ID, "/dev/sdf")
    assert slept == [1.0]


@pytest.mark.parametrize(("force", "expected"), [(False, {}), (True, {"Force": True})])
def test_detaching_is_forced_only_when_told_so(gateway, stub, force, expected):
    stub.add_response("detach_volume", {}, {"VolumeId": VOLUME_ID, "InstanceId": INSTANCE_ID, **expected})
    gateway.detach_volume(VOLUME_ID, INSTANCE_ID, force)


def test_delete_on_termination_is_set_on_the_instance(gateway, stub):
    mapping = {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}
    stub.add_response("modify_instance_attribute", {}, {"InstanceId": INSTANCE_ID, "BlockDeviceMappings": [mapping]})
    gateway.set_delete_on_termination(VOLUME_ID, Attachment(INSTANCE_ID, "/dev/sdf", delete_on_termination=True))


def test_tags_are_set_and_removed(gateway, stub):
    stub.add_response("create_tags", {}, {"Resources": [VOLUME_ID], "Tags": [{"Key": "Team", "Value": "x"}]})
    stub.add_response("delete_tags", {}, {"Resources": [VOLUME_ID], "Tags": [{"Key": "Old"}]})
    gateway.create_tags(VOLUME_ID, {"Team": "x"})
    gateway.delete_tags(VOLUME_ID, ["Old"])


def test_a_refusal_names_the_volume_and_keeps_the_code(gateway, stub):
    stub.add_client_error("delete_volume", "VolumeInUse", "It is attached.")
    with pytest.raises(ExplainedError, match=f"Cannot delete the volume {VOLUME_ID}") as caught:
        gateway.delete_volume(VOLUME_ID)
    assert caught.value.details["aws_code"] == "VolumeInUse"


def test_the_client_slows_down_when_aws_throttles():
    assert CLIENT_CONFIG["retries"]["mode"] == "adaptive"
