"""Tags follow EC2's restrictions."""

import pytest

from tests.lab_rules.expectations import proves, refused


def tags(*pairs, kind="volume"):
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in pairs]}]


@proves("aws_prefix_is_reserved")
def test_the_aws_prefix_is_reserved(ec2, make_volume, volume):
    with refused("InvalidParameterValue", "aws:"):
        make_volume(TagSpecifications=tags(("aws:owner", "me")))
    with refused("InvalidParameterValue", "aws:"):
        ec2.create_tags(Resources=[volume], Tags=[{"Key": "aws:owner", "Value": "me"}])
    with refused("InvalidParameterValue", "aws:"):
        ec2.delete_tags(Resources=[volume], Tags=[{"Key": "aws:owner"}])


@proves("tags_are_for_what_is_created")
def test_tags_are_for_what_is_created(ec2, make_volume, volume):
    with refused("InvalidParameterValue", "'snapshot'"):
        make_volume(TagSpecifications=tags(("a", "b"), kind="snapshot"))
    with refused("InvalidParameterValue", "'volume'"):
        ec2.create_snapshot(VolumeId=volume, TagSpecifications=tags(("a", "b")))


@proves("new_resource_has_fifty_tags")
def test_a_resource_has_fifty_tags(ec2, make_volume):
    full = make_volume(TagSpecifications=tags(*[(f"key{number}", "") for number in range(50)]))
    with refused("TagLimitExceeded"):
        ec2.create_tags(Resources=[full], Tags=[{"Key": "one-more", "Value": ""}])
    before = len(ec2.describe_volumes()["Volumes"])
    with refused("TagLimitExceeded"):
        make_volume(TagSpecifications=tags(*[(f"key{number}", "") for number in range(51)]))
    assert len(ec2.describe_volumes()["Volumes"]) == before


@proves("tags_have_a_length")
@pytest.mark.parametrize(("key", "value"), [("k" * 129, ""), ("k", "v" * 257), ("", "v")])
def test_tags_have_a_length(ec2, volume, key, value):
    with refused("InvalidParameterValue", "maximum length"):
        ec2.create_tags(Resources=[volume], Tags=[{"Key": key, "Value": value}])


@proves("key_is_given_once")
def test_a_key_is_given_once(make_volume):
    with refused("InvalidParameterValue", "Duplicate"):
        make_volume(TagSpecifications=tags(("a", "1"), ("a", "2")))
