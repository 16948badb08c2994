"""Images tell which snapshots they need."""

from tests.lab_rules.expectations import proves


@proves("images_are_found_by_their_snapshots")
def test_an_image_is_found_by_its_snapshot(ec2, snapshot):
    image = ec2.register_image(Name="made-for-a-test", RootDeviceName="/dev/sda1")["ImageId"]
    (device,) = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]

    def made_from(snapshot_id):
        wanted = [{"Name": "block-device-mapping.snapshot-id", "Values": [snapshot_id]}]
        return [found["ImageId"] for found in ec2.describe_images(Owners=["self"], Filters=wanted)["Images"]]

    assert made_from(device["Ebs"]["SnapshotId"]) == [image]
    assert made_from(snapshot) == []
    ec2.deregister_image(ImageId=image)
