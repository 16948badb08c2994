"""petal.hpc.ebs_snapshot_retention against the lab: what is referred to stays, in EC2's own eyes too."""

from __future__ import annotations

import datetime
import time

import pytest

from plugins.module_utils._aws.snapshots import SnapshotGateway
from plugins.module_utils._core.registry.entries import RegisteredSnapshot
from plugins.modules.ebs_snapshot_retention import ARGUMENT_SPEC, run

pytestmark = pytest.mark.lab


def test_only_what_nothing_refers_to_is_deleted(lab):
    ec2 = lab.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")["VolumeId"]

    def take(created_by="petal.hpc"):
        tags = [{"Key": "CreatedBy", "Value": created_by}, {"Key": "Purpose", "Value": "retention"}]
        return ec2.create_snapshot(VolumeId=volume, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}])["SnapshotId"]

    foreign = take("somebody")
    useless, locked, fast, registered, launched, shared = (take() for _ in range(6))
    device = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": launched}}
    ec2.create_launch_template(LaunchTemplateName="retention", LaunchTemplateData={"BlockDeviceMappings": [device]})
    # Only an old version names it.
    ec2.create_launch_template_version(LaunchTemplateName="retention", LaunchTemplateData={"InstanceType": "t3.micro"})
    SnapshotGateway(ec2).change_sharing(shared, ["111122223333"], [])
    ec2.lock_snapshot(SnapshotId=locked, LockMode="governance", LockDuration=1)
    ec2.enable_fast_snapshot_restores(AvailabilityZones=["us-east-1a"], SourceSnapshotIds=[fast])
    image = ec2.register_image(Name="retention", RootDeviceName="/dev/sda1")["ImageId"]
    imaged = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    ec2.create_tags(Resources=[imaged], Tags=[{"Key": "CreatedBy", "Value": "petal.hpc"}, {"Key": "Purpose", "Value": "retention"}])
    # Later than the others by more than EC2's clock resolves.
    time.sleep(1.1)
    newest = take()
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    params |= {"tags": {"Purpose": "retention"}, "keep_last": 1, "group_by": "nothing"}
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)

    def retain(check_mode=False):
        known = [("registry", RegisteredSnapshot("us-east-1", registered))]
        return run(params, SnapshotGateway(ec2), known, check_mode, now)

    predicted = retain(check_mode=True)
    done = retain()
    assert [one["snapshot_id"] for one in done["deleted"]] == [one["snapshot_id"] for one in predicted["deleted"]] == [useless]
    assert not retain()["changed"]
    left = ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "tag:Purpose", "Values": ["retention"]}])["Snapshots"]
    assert {one["SnapshotId"] for one in left} == {foreign, locked, fast, imaged, registered, launched, shared, newest}
