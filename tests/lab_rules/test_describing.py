"""Volumes and snapshots are found by id, filter, owner and page as EC2 does it."""

import pytest

from tests.lab_rules.expectations import OTHER_ACCOUNT, proves, refused

MISSING = "vol-00000000000000000"


@pytest.fixture
def tagged(ec2, make_volume, request):
    """Seven volumes and seven snapshots that carry a tag of their own; filters that find them."""
    mark = [{"Key": "test", "Value": request.node.name}]
    volumes = [
        make_volume(TagSpecifications=[{"ResourceType": "volume", "Tags": [*mark, {"Key": "number", "Value": str(number)}]}])
        for number in range(7)
    ]
    for volume in volumes:
        ec2.create_snapshot(VolumeId=volume, TagSpecifications=[{"ResourceType": "snapshot", "Tags": mark}])
    return [{"Name": "tag:test", "Values": [request.node.name.replace("[", "?").replace("]", "?")]}]


@proves("volumes_come_in_pages", "snapshots_are_found")
@pytest.mark.parametrize(("action", "key"), [("describe_volumes", "Volumes"), ("describe_snapshots", "Snapshots")])
def test_results_come_in_pages(ec2, tagged, action, key):
    pages = list(ec2.get_paginator(action).paginate(Filters=tagged, PaginationConfig={"PageSize": 5}))
    assert [len(page[key]) for page in pages] == [5, 2]
    identifiers = [one.get("SnapshotId") or one["VolumeId"] for page in pages for one in page[key]]
    assert len(set(identifiers)) == 7


@proves("volumes_come_in_pages")
def test_a_page_of_volumes_has_a_size(ec2, volume):
    with refused("InvalidParameterValue", "maxResults"):
        ec2.describe_volumes(MaxResults=4)
    with refused("InvalidParameterCombination", "volumesSet"):
        ec2.describe_volumes(MaxResults=5, VolumeIds=[volume])
    with refused("InvalidNextToken"):
        ec2.describe_volumes(NextToken="nonsense!")


@proves("snapshots_are_found")
def test_a_page_of_snapshots_does_not_go_with_ids(ec2, snapshot):
    with refused("InvalidParameterCombination", "snapshotSet"):
        ec2.describe_snapshots(MaxResults=5, SnapshotIds=[snapshot])


@proves("volumes_are_found_by_filter")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attachment.delete-on-termination", "false"),
        ("attachment.instance-id", "i-*"),
        ("attachment.status", "attached"),
        ("availability-zone-id", "use1-az*"),
        ("encrypted", "false"),
        ("fast-restored", "false"),
        ("multi-attach-enabled", "false"),
        ("operator.managed", "false"),
        ("size", "1"),
        ("tag-key", "num?er"),
        ("volume-type", "gp2"),
    ],
)
def test_every_filter_of_volumes_works(ec2, attach, make_volume, instance, name, value):
    volume = make_volume(TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "number", "Value": "1"}]}])
    attach(volume, instance)
    for values, found in (([value, "else"], [volume]), (["else"], [])):
        filters = [{"Name": name, "Values": values}, {"Name": "volume-id", "Values": [volume]}]
        assert [one["VolumeId"] for one in ec2.describe_volumes(Filters=filters)["Volumes"]] == found
    with refused("InvalidVolume.NotFound", f"'{MISSING}' does not"):
        ec2.describe_volumes(VolumeIds=[volume, MISSING])


@proves("volumes_are_found_by_filter", "snapshots_are_found")
@pytest.mark.parametrize("action", ["describe_volumes", "describe_snapshots"])
def test_an_unknown_filter_is_refused(ec2, volume, snapshot, action):
    with refused("InvalidParameterValue", "bogus"):
        getattr(ec2, action)(Filters=[{"Name": "bogus", "Values": ["1"]}])


def test_a_star_in_a_value_can_be_meant(ec2, make_volume):
    volume = make_volume(TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "star", "Value": "*"}]}])
    make_volume(TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "star", "Value": "anything"}]}])
    found = ec2.describe_volumes(Filters=[{"Name": "tag:star", "Values": [r"\*"]}])["Volumes"]
    assert [one["VolumeId"] for one in found] == [volume]


@proves("volumes_are_found_by_filter")
def test_only_the_missing_ids_are_named(ec2, volume):
    with refused("InvalidVolume.NotFound", f"The volume '{MISSING}' does not exist."):
        ec2.describe_volumes(VolumeIds=[volume, MISSING])


@proves("snapshots_are_found")
def test_a_missing_snapshot_is_named(ec2, snapshot):
    with refused("InvalidSnapshot.NotFound", "The snapshot 'snap-00000000000000000' does not exist."):
        ec2.describe_snapshots(SnapshotIds=[snapshot, "snap-00000000000000000"])


@proves("snapshots_are_found")
def test_snapshots_are_found_by_owner(ec2, other, snapshot):
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[OTHER_ACCOUNT])

    def found(**scope):
        return snapshot in [one["SnapshotId"] for one in other.describe_snapshots(**scope)["Snapshots"]]

    assert found(OwnerIds=["123456789012"])
    assert not found(OwnerIds=["self"])
    assert found(RestorableByUserIds=["self"])
    assert not found(RestorableByUserIds=["all"])
