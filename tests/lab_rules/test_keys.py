"""The default key of EBS tells whose it is."""

from tests.lab_rules.expectations import proves


@proves("default_key_is_managed_by_aws")
def test_the_default_key_is_managed_by_aws(lab, ec2):
    key = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3", Encrypted=True)["KmsKeyId"]
    assert lab.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "AWS"
    own = lab.client("kms").create_key()["KeyMetadata"]
    assert own["KeyManager"] == "CUSTOMER"
