"""Taking, copying and deleting snapshots follow EC2's rules."""

from tests.lab_rules.expectations import NEVER, proves, refused


@proves("new_snapshot_is_pending")
def test_a_new_snapshot_is_pending(ec2, volume):
    told = ec2.create_snapshot(VolumeId=volume)
    assert (told["State"], told["Progress"]) == ("pending", "")


@proves("snapshot_state", "snapshot_progress")
def test_a_snapshot_takes_its_time(lab, describe, snapshot):
    lab.slow({"snapshot": NEVER})
    assert (describe(snapshot)["State"], describe(snapshot)["Progress"]) == ("pending", "0%")
    lab.slow({"snapshot": 0})
    assert (describe(snapshot)["State"], describe(snapshot)["Progress"]) == ("completed", "100%")


@proves("snapshot_of_a_finished_volume")
def test_a_volume_being_created_has_no_snapshot(ec2, lab, make_volume):
    lab.slow({"volume": NEVER})
    with refused("IncorrectState", "creating"):
        ec2.create_snapshot(VolumeId=make_volume())


@proves("few_snapshots_at_a_time")
def test_five_snapshots_at_a_time(ec2, lab, volume):
    lab.slow({"snapshot": NEVER})
    for _ in range(5):
        ec2.create_snapshot(VolumeId=volume)
    with refused("ConcurrentSnapshotLimitExceeded"):
        ec2.create_snapshot(VolumeId=volume)
    lab.slow({"snapshot": 0})
    assert ec2.create_snapshot(VolumeId=volume)


@proves("snapshot_keeps_its_size")
def test_a_snapshot_keeps_its_size(ec2, describe, volume):
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_volume(VolumeId=volume, Size=5)
    assert describe(snapshot)["VolumeSize"] == 1


@proves("copied_snapshot_is_completed")
def test_a_pending_snapshot_cannot_be_copied(ec2, lab, snapshot):
    lab.slow({"snapshot": NEVER})
    with refused("IncorrectState", "pending"):
        ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)


@proves("copy_has_no_volume")
def test_a_copy_names_no_real_volume(ec2, lab, snapshot):
    there = lab.client("ec2", region="eu-west-1")
    copy = there.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    ec2.delete_snapshot(SnapshotId=snapshot)
    found = there.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]
    assert (found["VolumeId"], found["VolumeSize"]) == ("vol-ffffffff", 10)


def test_a_copy_has_no_tags_of_its_source(ec2, describe, snapshot):
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "petal:fingerprint", "Value": "sha256:0"}])
    copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    assert describe(copy).get("Tags", []) == []


@proves("snapshots_of_an_instance")
def test_snapshots_of_an_instance(ec2, attach, make_volume, instance):
    data, scratch = make_volume(), make_volume()
    ec2.create_tags(Resources=[data], Tags=[{"Key": "kind", "Value": "data"}])
    attach(data, instance)
    attach(scratch, instance)
    told = ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance, "ExcludeBootVolume": True, "ExcludeDataVolumeIds": [scratch]},
        CopyTagsFromSource="volume",
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "set", "Value": "1"}]}],
    )["Snapshots"]
    assert [(one["VolumeId"], one["State"]) for one in told] == [(data, "pending")]
    assert {tag["Key"]: tag["Value"] for tag in told[0]["Tags"]} == {"kind": "data", "set": "1"}


def test_the_snapshot_of_an_image_stays(ec2, instance):
    image = ec2.create_image(InstanceId=instance, Name=instance)["ImageId"]
    mapping = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]
    with refused("InvalidSnapshot.InUse", image):
        ec2.delete_snapshot(SnapshotId=mapping["Ebs"]["SnapshotId"])
