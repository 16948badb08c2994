"""petal.hpc.ebs_garbage against the lab: random accounts, and an own, slow look at what refers to what."""

from __future__ import annotations

import datetime
import random

import pytest

from plugins.module_utils._aws.garbage import GarbageGateway
from plugins.module_utils._core.registry import RegisteredSnapshot
from plugins.modules.ebs_garbage import ARGUMENT_SPEC, run
from tests.lab.client import Lab

pytestmark = pytest.mark.lab
REGIONS = ("us-east-1", "eu-west-1")
FINGERPRINT = "sha256:" + "5a" * 32


@pytest.fixture
def records():
    """A lab of its own, without bytes: it is about references."""
    with Lab.start(data_plane=False) as running:
        yield running


class RandomAccount:
    """An account with snapshots that are used in many ways, or in none. needed: the ids of those that must stay."""

    def __init__(self, lab, seed):
        self.dice, self.lab = random.Random(seed), lab
        self.needed, self.registered, self.software = set(), [], set()
        for region in REGIONS:
            self._populate(region)

    def _populate(self, region):
        ec2 = self.lab.client("ec2", region=region)
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, VolumeType="gp3")["VolumeId"]
        uses = [self._name, self._restore, self._launch, self._lock, self._protect, self._share, self._build_on, self._leave, self._leave]
        for _number in range(8):
            tags = {"CreatedBy": "petal.hpc", "petal:fingerprint": f"sha256:{self.dice.randrange(16**64):064x}"}
            kind = self.dice.choice(["software", "software", "software", "data", "foreign"])
            tags.pop({"data": "petal:fingerprint", "foreign": "CreatedBy"}.get(kind, ""), None)
            snapshot = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[specification("snapshot", tags)])["SnapshotId"]
            self.software |= {snapshot} if kind == "software" else set()
            self.needed |= set() if kind == "software" else {snapshot}
            self.dice.choice(uses)(ec2, region, snapshot, tags)

    def _leave(self, ec2, region, snapshot, tags):
        pass

    def _name(self, ec2, region, snapshot, tags):
        self.registered.append(("/r", RegisteredSnapshot(region, snapshot, tags.get("petal:fingerprint"))))
        self.needed.add(snapshot)

    def _restore(self, ec2, region, snapshot, tags):
        ec2.create_volume(AvailabilityZone=f"{region}a", SnapshotId=snapshot, VolumeType="gp3")
        self.needed.add(snapshot)

    def _launch(self, ec2, region, snapshot, tags):
        device = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": snapshot}}
        template = ec2.create_launch_template(LaunchTemplateName=snapshot, LaunchTemplateData={"BlockDeviceMappings": [device]})
        # Only an old version names it.
        ec2.create_launch_template_version(
            LaunchTemplateId=template["LaunchTemplate"]["LaunchTemplateId"], LaunchTemplateData={"InstanceType": "t3.micro"}
        )
        self.needed.add(snapshot)

    def _lock(self, ec2, region, snapshot, tags):
        ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1)
        self.needed.add(snapshot)

    def _protect(self, ec2, region, snapshot, tags):
        ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "petal:protected", "Value": "true"}])
        self.needed.add(snapshot)

    def _share(self, ec2, region, snapshot, tags):
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=["111122223333"]
        )
        self.needed.add(snapshot)

    def _build_on(self, ec2, region, snapshot, tags):
        """A child that is protected: it stays, and so does what it was built on."""
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, VolumeType="gp3")["VolumeId"]
        child_tags = {**tags, "CreatedBy": "petal.hpc", "petal:parent": snapshot, "petal:protected": "true"}
        child = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[specification("snapshot", child_tags)])["SnapshotId"]
        self.needed |= {snapshot, child}

    def snapshots(self):
        regions = [self.lab.client("ec2", region=region) for region in REGIONS]
        return {one["SnapshotId"] for ec2 in regions for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}


def specification(kind, tags):
    return {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def collect(account, **given):
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    gateways = {region: GarbageGateway(account.lab.client("ec2", region=region)) for region in REGIONS}
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=60)
    return run({**params, **given}, gateways, account.registered, False, later)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_is_needed_is_deleted_and_all_else_is(records, seed):
    account = RandomAccount(records, seed)
    before = account.snapshots()
    assert account.needed <= before and account.software - account.needed, "the dice leave nothing to look at; take another seed"
    listed = collect(account)
    assert account.snapshots() == before
    done = collect(account, delete=True)
    assert account.snapshots() == before - (account.software - account.needed)
    assert [one["id"] for one in listed["garbage"]] == [one["id"] for one in done["garbage"]]
    assert not collect(account, delete=True)["changed"]


def test_the_youngest_stay_whatever_refers_to_them(records):
    account = RandomAccount(records, 7)
    assert collect(account, min_age_days=90)["garbage"] == []


def test_what_is_retired_goes_in_the_end_although_another_account_may_use_it(records):
    account = RandomAccount(records, 8)
    shared = [one for one in account.snapshots() & account.software if one in account.needed]
    retired = [("/r", RegisteredSnapshot(region, one, retired="2026-01-01")) for region in REGIONS for one in shared]
    account.registered = [pair for pair in account.registered if pair[1].snapshot_id not in shared] + retired
    kept = {one["id"]: " ".join(one["reasons"]) for one in collect(account, delete=True)["kept"]}
    assert not any("may use it" in reasons or "registry" in reasons for reasons in kept.values())
