"""Ids have a form, and errors name them."""

import pytest

from tests.lab_rules.expectations import proves, refused


@proves("identifier_is_well_formed")
@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("describe_volumes", {"VolumeIds": ["vol-nonsense"]}, "InvalidVolumeID.Malformed"),
        ("delete_volume", {"VolumeId": "snap-00000000000000000"}, "InvalidVolumeID.Malformed"),
        ("describe_snapshots", {"SnapshotIds": ["nonsense"]}, "InvalidSnapshotID.Malformed"),
        ("delete_snapshot", {"SnapshotId": "vol-00000000"}, "InvalidSnapshotID.Malformed"),
    ],
)
def test_an_id_has_a_form(ec2, action, parameters, code):
    with refused(code, "expecting"):
        getattr(ec2, action)(**parameters)


@proves("missing_snapshot_is_named")
def test_a_snapshot_that_does_not_exist_is_named(ec2):
    with refused("InvalidSnapshot.NotFound", "snap-00000000000000000"):
        ec2.delete_snapshot(SnapshotId="snap-00000000000000000")
