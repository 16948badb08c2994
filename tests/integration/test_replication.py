"""A replication that is killed, wherever it is: the next run completes it, and nothing is there twice."""

from __future__ import annotations

import itertools
import uuid

import pytest

from plugins.module_utils._aws.snapshots import SnapshotGateway
from plugins.module_utils._core.registry.entries import RegisteredSnapshot, Registration, register
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.modules.snapshot_publication import ARGUMENT_SPEC, Publication
from tests.integration.kills import killed_at
from tests.integration.volumes import short_pause
from tests.lab.client import ACCOUNT

pytestmark = pytest.mark.lab

HOME, *ELSEWHERE = REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
PARTNER, TODAY = "111122223333", "2026-11-22"


class Software:
    """A snapshot that a registry names, to be brought to further regions and to a partner."""

    def __init__(self, lab, folder):
        self.lab, self.fingerprint = lab, f"sha256:{uuid.uuid4().hex * 2}"
        ec2 = lab.client("ec2", region=HOME)
        volume = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=1, VolumeType="gp3", Encrypted=False)["VolumeId"]
        tags = [{"Key": "petal:fingerprint", "Value": self.fingerprint}, {"Key": "CreatedBy", "Value": "petal.hpc"}]
        made = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}])["SnapshotId"]
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[made])
        ec2.delete_volume(VolumeId=volume)
        report = {"format": 1, "passed": True, "public": False, "blocking": []}
        report |= {"fingerprint": self.fingerprint, "manifest": "sha256:" + "3" * 64}
        said = Registration("bio", RegisteredSnapshot(HOME, made, fingerprint=self.fingerprint, aws_account=ACCOUNT), report=report)
        self.store = DirectoryStore(folder / self.fingerprint[7:])
        self.store.update("bio", lambda found: register(found, said, TODAY))

    def replicate(self, retries=4):
        params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
        params |= {"name": "bio", "regions": ELSEWHERE, "share_with": [PARTNER], "at_once": 1}

        def gateway_in(region):
            sts = self.lab.client("sts", retries=retries)
            return SnapshotGateway(self.lab.client("ec2", region=region, retries=retries), sts=lambda: sts, sleep=short_pause)

        return Publication(params, HOME, gateway_in, self.store, self.store, TODAY, check_mode=False).run()

    def in_aws(self):
        """Return (region, id, whether the partner may use it) of every snapshot with the fingerprint."""
        filters = [{"Name": "tag:petal:fingerprint", "Values": [self.fingerprint]}]
        found = set()
        for region in REGIONS:
            ec2 = self.lab.client("ec2", region=region)
            for one in ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]:
                allowed = ec2.describe_snapshot_attribute(SnapshotId=one["SnapshotId"], Attribute="createVolumePermission")
                found.add((region, one["SnapshotId"], allowed["CreateVolumePermissions"] == [{"UserId": PARTNER}]))
        return found

    def registered(self):
        return {(one.region, one.snapshot_id, True) for one in DirectoryStore(self.store.path).read_entry("bio").snapshots}


def test_the_next_run_completes_a_replication_that_was_killed_at_any_call(lab, tmp_path):
    # This process never uses these, so that a forked one can.
    unconnected = [lab.client("ec2", region=region, retries=0) for region in REGIONS]
    for call in itertools.count():
        software = Software(lab, tmp_path)
        killed = killed_at(call, "after", unconnected, lambda made=software: made.replicate(retries=0))
        if not killed:
            break
        software.replicate()
        assert len(software.in_aws()) == len(REGIONS), f"killed after call {call}"
        assert software.registered() == software.in_aws(), f"killed after call {call}"
        assert not software.replicate()["changed"]
    assert call > 10
