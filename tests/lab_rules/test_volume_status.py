"""A volume's health and attributes are described."""

from tests.lab_rules.expectations import NEVER, proves, refused


@proves("volume_status_is_described")
def test_a_volume_is_healthy_once_created(ec2, lab, make_volume):
    def status(volume):
        return ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"][0]["VolumeStatus"]["Status"]

    lab.slow({"volume": NEVER})
    volume = make_volume()
    assert status(volume) == "insufficient-data"
    lab.slow({"volume": 0})
    assert status(volume) == "ok"


@proves("volume_attribute_is_described", "volume_attribute_is_modified")
def test_a_volume_has_attributes(ec2, volume):
    def enabled():
        return ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")["AutoEnableIO"]["Value"]

    assert enabled() is False
    ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": True})
    assert enabled() is True
    with refused("InvalidParameterValue", "colour"):
        ec2.describe_volume_attribute(VolumeId=volume, Attribute="colour")
