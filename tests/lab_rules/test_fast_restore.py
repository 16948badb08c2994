"""Fast snapshot restore is enabled in steps."""

from tests.lab_rules.expectations import NEVER, ZONE, proves, refused


def enable(ec2, snapshot):
    return ec2.enable_fast_snapshot_restores(AvailabilityZones=[ZONE], SourceSnapshotIds=[snapshot])


def disable(ec2, snapshot):
    return ec2.disable_fast_snapshot_restores(AvailabilityZones=[ZONE], SourceSnapshotIds=[snapshot])


def states(ec2, snapshot):
    told = ec2.describe_fast_snapshot_restores(Filters=[{"Name": "snapshot-id", "Values": [snapshot]}])
    return [(one["AvailabilityZone"], one["State"]) for one in told["FastSnapshotRestores"]]


@proves("fast_restore_is_enabled", "fast_restores_are_described", "fast_restore_is_disabled")
def test_fast_restore_takes_its_time(ec2, lab, snapshot):
    lab.slow({"fast_restore": NEVER})
    assert enable(ec2, snapshot)["Successful"][0]["State"] == "enabling"
    assert states(ec2, snapshot) == [(ZONE, "enabling")]
    lab.slow({"fast_restore": 0})
    assert states(ec2, snapshot) == [(ZONE, "enabled")]
    assert disable(ec2, snapshot)["Successful"][0]["State"] == "disabling"
    assert states(ec2, snapshot) == []


@proves("fast_restore_is_enabled", "fast_restore_is_disabled")
def test_what_cannot_be_changed_is_reported(ec2, snapshot):
    missing = "snap-00000000000000000"
    told = enable(ec2, missing)["Unsuccessful"][0]
    assert (told["SnapshotId"], told["FastSnapshotRestoreStateErrors"][0]["AvailabilityZone"]) == (missing, ZONE)
    assert disable(ec2, snapshot)["Unsuccessful"][0]["SnapshotId"] == snapshot


@proves("volume_is_fast_restored")
def test_a_volume_tells_that_it_was_restored_fast(ec2, make_volume, describe, snapshot):
    assert describe(make_volume(SnapshotId=snapshot))["FastRestored"] is False
    enable(ec2, snapshot)
    assert describe(make_volume(SnapshotId=snapshot))["FastRestored"] is True


@proves("fast_restored_snapshot_stays")
def test_a_snapshot_enabled_for_fast_restore_stays(ec2, snapshot):
    enable(ec2, snapshot)
    with refused("InvalidSnapshot.InUse", ZONE):
        ec2.delete_snapshot(SnapshotId=snapshot)
    disable(ec2, snapshot)
    ec2.delete_snapshot(SnapshotId=snapshot)
