"""petal.hpc.ebs_snapshot against the lab: what users see, and what happens when AWS misbehaves."""

from __future__ import annotations

import dataclasses
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from plugins.module_utils._aws.snapshots import SnapshotGateway
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import RegisteredSnapshot
from plugins.modules.ebs_snapshot import ARGUMENT_SPEC, SNAPSHOT_OPTIONS, run, run_group
from tests.integration.targets_runner import run_target

pytestmark = pytest.mark.lab

NUMBERS = itertools.count(1)


@dataclasses.dataclass
class Account:
    """One volume in the lab, and a fingerprint that nobody else uses."""

    lab: object
    volume_id: str
    fingerprint: str

    def snapshot(self, **given):
        defaults = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
        asked = {"volume_id": self.volume_id, "fingerprint": self.fingerprint, "name": "bio", "wait_timeout": 30, **given}
        return run({**defaults, **asked}, self.gateway("us-east-1"), False, self.gateway)

    def gateway(self, region):
        once = self.lab.client("ec2", region=region, retries=0)
        return SnapshotGateway(
            self.lab.client("ec2", region=region),
            ec2_without_retries=lambda: once,
            kms=lambda: self.lab.client("kms", region=region),
            sleep=short_pause,
        )

    def in_aws(self):
        wanted = [{"Name": "tag:petal:fingerprint", "Values": [self.fingerprint]}]
        return self.lab.client("ec2").describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"]


def short_pause(seconds):
    """A tenth of the pause: the lab is quicker than AWS."""
    time.sleep(seconds / 10)


@pytest.fixture
def account(lab):
    volume = lab.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")
    lab.reset_calls()
    yield Account(lab, volume["VolumeId"], f"sha256:{next(NUMBERS):064x}")
    lab.faults([])
    lab.slow({"snapshot": 0})


def test_the_target_passes(lab):
    run_target("ebs_snapshot", lab)


def test_a_second_run_makes_no_call_that_creates(account):
    first = account.snapshot()
    again = account.snapshot()
    assert (again["changed"], again["snapshot"]) == (False, first["snapshot"])
    assert account.lab.calls()["CreateSnapshot"] == 1


def test_an_answer_that_is_lost_leaves_one_snapshot(account):
    account.lab.faults([{"action": "CreateSnapshot", "drop": True, "code": "InternalError", "status": 500, "times": 1}])
    result = account.snapshot()
    assert [found["SnapshotId"] for found in account.in_aws()] == [result["snapshot"]["snapshot_id"]]
    assert account.lab.calls()["CreateSnapshot"] == 1


def test_a_request_that_is_lost_is_sent_again(account):
    account.lab.faults([{"action": "CreateSnapshot", "code": "InternalError", "status": 500, "times": 1}])
    account.snapshot()
    assert len(account.in_aws()) == 1


def test_throttling_does_not_stop_a_run(account):
    account.lab.faults([{"action": "CreateSnapshot", "code": "RequestLimitExceeded", "status": 503, "times": 2}])
    account.snapshot()
    assert len(account.in_aws()) == 1


def test_a_snapshot_that_is_not_visible_at_once_is_waited_for(account):
    account.lab.faults([{"action": "DescribeSnapshots", "code": "InvalidSnapshot.NotFound", "fresh": 1.5}])
    assert account.snapshot()["snapshot"]["state"] == "completed"


def test_a_wait_that_ends_early_is_taken_up_again(account):
    account.lab.slow({"snapshot": 3600})
    with pytest.raises(ExplainedError, match=r"It goes on in AWS\. Run the same task again") as refused:
        account.snapshot(wait_timeout=0)
    account.lab.slow({"snapshot": 0})
    resumed = account.snapshot()
    assert (resumed["changed"], resumed["snapshot"]["snapshot_id"]) == (False, refused.value.resource)
    assert resumed["snapshot"]["state"] == "completed"


def test_runs_at_the_same_moment_agree_on_one_snapshot(account):
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _number: account.snapshot(), range(6)))
    assert len({result["snapshot"]["snapshot_id"] for result in results}) == 1
    surplus = len(account.in_aws()) - 1
    assert bool(surplus) == any(result["warnings"] for result in results)


def test_another_account_sees_a_snapshot_from_the_moment_it_is_shared(account):
    made = account.snapshot(share_with=["111122223333"])["snapshot"]["snapshot_id"]
    partner = account.lab.client("ec2", account="111122223333")

    def seen():
        return [
            found["SnapshotId"] for found in partner.describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": [made]}])["Snapshots"]
        ]

    assert seen() == [made]
    assert not account.snapshot(share_with=["111122223333"])["changed"]
    assert account.snapshot(unshare_from=["111122223333"])["changed"]
    assert seen() == []


def test_the_default_key_is_noticed_before_a_snapshot_is_taken(account):
    volume = account.lab.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3", Encrypted=True)
    with pytest.raises(ExplainedError, match="default key aws/ebs cannot be shared"):
        account.snapshot(volume_id=volume["VolumeId"], share_with=["111122223333"])
    assert account.in_aws() == []


def test_a_blocked_region_is_explained_before_a_snapshot_becomes_public(account):
    ec2 = account.lab.client("ec2")
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    with pytest.raises(ExplainedError, match="blocks public snapshots"):
        account.snapshot(public=True, confirm_public=True)
    assert account.in_aws() == []
    ec2.disable_snapshot_block_public_access()
    assert account.snapshot(public=True, confirm_public=True)["snapshot"]["shared_with"] == ["all"]


def test_a_copy_whose_answer_is_lost_is_made_once(account):
    account.lab.faults([{"action": "CopySnapshot", "drop": True, "code": "InternalError", "status": 500, "times": 1}])
    result = account.snapshot(copy_to=[{"region": "eu-west-1", "kms_key_id": None, "share": False}])
    (copy,) = result["copies"]
    assert copy["snapshot"]["fingerprint"] == account.fingerprint
    assert account.lab.calls()["CopySnapshot"] == 1
    assert not account.snapshot(copy_to=[{"region": "eu-west-1", "kms_key_id": None, "share": False}])["changed"]


def test_a_snapshot_that_an_image_needs_is_not_deleted(account):
    ec2 = account.lab.client("ec2")
    image = ec2.register_image(Name="needs-its-snapshot", RootDeviceName="/dev/sda1")["ImageId"]
    needed = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    ec2.create_tags(Resources=[needed], Tags=[{"Key": "CreatedBy", "Value": "petal.hpc"}])
    with pytest.raises(ExplainedError, match=image):
        account.snapshot(state="absent", snapshot_id=needed)
    ec2.deregister_image(ImageId=image)
    assert account.snapshot(state="absent", snapshot_id=needed)["changed"]


def test_a_list_of_snapshots_is_taken_together(account):
    ec2 = account.lab.client("ec2")
    volumes = [ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")["VolumeId"] for _ in range(20)]
    account.lab.slow({"snapshot": 2})
    account.lab.reset_calls()
    items = [{**dict.fromkeys(SNAPSHOT_OPTIONS), "name": f"fleet-{volume}", "volume_id": volume} for volume in volumes]
    everything = {"volume_id": None, "fingerprint": None, "name": None, "snapshots": items}
    first = account.snapshot(**everything)
    assert [result["snapshot"]["state"] for result in first["results"]] == ["completed"] * 20
    calls = account.lab.calls()
    assert calls["CreateSnapshot"] == 20
    # Searches before and after, and one look at all of them for each pause.
    assert calls["DescribeSnapshots"] <= 2 + 25
    again = account.snapshot(**everything)
    assert not again["changed"]
    assert account.lab.calls()["CreateSnapshot"] == 20


def test_the_volumes_of_an_instance_are_taken_at_one_point_in_time(account):
    instance = account.lab.run_instance()
    gateway = account.gateway("us-east-1")
    account.lab.client("ec2").attach_volume(VolumeId=account.volume_id, InstanceId=instance, Device="/dev/sdf")
    wanted = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    wanted |= {"instance_id": instance, "name": f"all of {instance}", "exclude_boot_volume": True, "consistency": "crash"}
    account.lab.faults([{"action": "CreateSnapshots", "drop": True, "code": "InternalError", "status": 500, "times": 1}])
    first = run_group(wanted, gateway, False, "0f3a")
    assert [made["volume_id"] for made in first["snapshots"]] == [account.volume_id]
    assert not run_group(wanted, gateway, False, "beef")["changed"]
    everything = run_group({**wanted, "generation": 2, "exclude_boot_volume": False}, gateway, False, "cafe")
    assert len(everything["snapshots"]) == 2


def test_a_lock_holds_until_it_is_taken_back(account):
    lock = {"mode": "governance", "days": 7, "cool_off_hours": None, "confirm": None}
    made = account.snapshot(lock=lock)["snapshot"]["snapshot_id"]
    assert not account.snapshot(lock=lock)["changed"]
    with pytest.raises(ClientError, match="locked"):
        account.lab.client("ec2").delete_snapshot(SnapshotId=made)
    assert account.snapshot(lock={**lock, "mode": "none"})["changed"]
    assert account.snapshot(state="absent")["changed"]


def test_a_compliance_lock_can_be_made_longer_and_nothing_else(account):
    lock = {"mode": "compliance", "days": 7, "cool_off_hours": None, "confirm": True}
    account.snapshot(lock=lock)
    assert account.snapshot(lock={**lock, "days": 8, "cool_off_hours": 1})["changed"]
    assert not account.snapshot(lock={**lock, "days": 8})["changed"]
    with pytest.raises(ExplainedError, match="can only be made longer"):
        account.snapshot(lock={**lock, "days": 7})


def test_a_snapshot_goes_to_the_archive_and_comes_back(account):
    account.snapshot()
    assert account.snapshot(storage_tier="archive")["changed"]
    assert not account.snapshot(storage_tier="archive")["changed"]
    assert account.snapshot(storage_tier="standard", temporary_restore_days=7)["changed"]
    assert not account.snapshot(storage_tier="standard", temporary_restore_days=7)["changed"]
    assert account.snapshot(storage_tier="standard")["changed"]
    assert not account.snapshot(storage_tier="standard")["changed"]


def test_fast_restore_follows_the_list_of_zones(account):
    def states(*zones):
        return account.snapshot(fast_restore_zones=list(zones))

    assert states("us-east-1a", "us-east-1b")["changed"]
    moved = states("us-east-1b", "us-east-1c")
    assert (moved["changed"], moved["snapshot"]["fast_restore"]["credits"]) == (True, 10)
    assert states("us-east-1b", "us-east-1c")["snapshot"]["fast_restore"]["zones"] == {"us-east-1b": "enabled", "us-east-1c": "enabled"}
    assert states()["changed"]
    assert not states()["changed"]


def test_the_last_registered_copy_is_deleted_only_by_force(account):
    made = account.snapshot(copy_to=[{"region": "eu-west-1", "kms_key_id": None, "share": False}])
    ids = {"us-east-1": made["snapshot"]["snapshot_id"], "eu-west-1": made["copies"][0]["snapshot"]["snapshot_id"]}
    registered = [
        ("registry", RegisteredSnapshot(region, snapshot_id, fingerprint=account.fingerprint)) for region, snapshot_id in ids.items()
    ]
    asked = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    asked |= {"state": "absent", "fingerprint": account.fingerprint}

    def delete(region, **more):
        return run({**asked, **more}, account.gateway(region), False, account.gateway, registered)

    assert delete("us-east-1")["changed"]
    with pytest.raises(ExplainedError, match="last copy behind an entry of registry"):
        delete("eu-west-1")
    assert delete("eu-west-1", force=True)["changed"]


def test_a_partner_gets_the_copy_and_its_key_on_request(account):
    keys = {region: account.lab.client("kms", region=region).create_key()["KeyMetadata"] for region in ("us-east-1", "eu-west-1")}
    volume = account.lab.client("ec2").create_volume(
        AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3", Encrypted=True, KmsKeyId=keys["us-east-1"]["Arn"]
    )["VolumeId"]
    target = {"region": "eu-west-1", "kms_key_id": keys["eu-west-1"]["Arn"], "share": True}

    def share():
        return account.snapshot(volume_id=volume, share_with=["111122223333"], grant_key=True, copy_to=[target])

    first = share()
    assert not share()["changed"]
    for region, snapshot in (("us-east-1", first["snapshot"]), ("eu-west-1", first["copies"][0]["snapshot"])):
        seen = account.lab.client("ec2", region=region, account="111122223333").describe_snapshots(SnapshotIds=[snapshot["snapshot_id"]])
        assert seen["Snapshots"]
        grants = account.lab.client("kms", region=region).list_grants(KeyId=keys[region]["KeyId"])["Grants"]
        assert [grant["GranteePrincipal"] for grant in grants] == ["arn:aws:iam::111122223333:root"]


def test_a_copy_that_takes_too_long_is_taken_up_again(account):
    account.snapshot()
    targets = [{"region": "eu-west-1", "kms_key_id": None, "share": False}]
    # The source is older than a second and complete; the copy is not.
    time.sleep(1.1)
    account.lab.slow({"snapshot": 1})
    with pytest.raises(ExplainedError, match=r"1 of 1 copies failed: eu-west-1: .* is not completed after 0 s"):
        account.snapshot(copy_to=targets, wait_timeout=0)
    account.lab.slow({"snapshot": 0})
    resumed = account.snapshot(copy_to=targets)
    assert (resumed["changed"], resumed["copies"][0]["snapshot"]["state"]) == (False, "completed")
    assert account.lab.calls()["CopySnapshot"] == 1
