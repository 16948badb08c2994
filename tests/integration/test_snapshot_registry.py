"""petal.hpc.snapshot_registry and its info module against the lab, with two accounts."""

from __future__ import annotations

import pytest

from plugins.module_utils._aws.snapshots import SnapshotGateway
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.modules import snapshot_registry, snapshot_registry_info
from tests.integration.targets_runner import run_target

pytestmark = pytest.mark.lab

FINGERPRINT = "sha256:" + "5a" * 32
PARTNER = "999888777666"


@pytest.fixture(scope="module")
def shared(lab):
    """A snapshot of another account, shared with ours."""
    partner = lab.client("ec2", account=PARTNER)
    volume = partner.create_volume(AvailabilityZone="us-east-1a", Size=3, VolumeType="gp3")["VolumeId"]
    snapshot = partner.create_snapshot(VolumeId=volume)["SnapshotId"]
    partner.modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[lab.client("sts").get_caller_identity()["Account"]],
    )
    return snapshot


@pytest.fixture
def registry(tmp_path, shared):
    """A registry in which the partner's snapshot is said to be ours and larger than it is."""
    store = DirectoryStore(tmp_path / "registry")
    options = {option: spec.get("default") for option, spec in snapshot_registry.ARGUMENT_SPEC.items()}
    options |= {"registry": str(store.path), "name": "bio", "snapshot_id": shared, "fingerprint": FINGERPRINT}
    snapshot_registry.run({**options, "aws_account": "123456789012", "size_gib": 500}, store, "us-east-1", "2026-11-22", check_mode=False)
    return str(store.path)


def find(lab, registry, **given):
    options = {option: spec.get("default") for option, spec in snapshot_registry_info.ARGUMENT_SPEC.items()}
    gateway = SnapshotGateway(lab.client("ec2"), sts=lambda: lab.client("sts"))
    return snapshot_registry_info.run({**options, "fingerprint": FINGERPRINT, "registries": [registry], **given}, gateway, "us-east-1")


def test_the_target_passes(lab):
    run_target("snapshot_registry", lab)


def test_a_partners_snapshot_is_used_when_the_partner_is_trusted(lab, registry, shared):
    found = find(lab, registry, trusted_accounts=[PARTNER])
    assert (found["snapshot"]["snapshot_id"], found["snapshot"]["owner_id"]) == (shared, PARTNER)


def test_the_real_owner_and_not_the_claim_is_asked_about_trust(lab, registry):
    refused = find(lab, registry)
    assert not refused["found"]
    assert f"its owner, account {PARTNER}, is not in trusted_accounts" in refused["trace"][-1]


def test_the_real_size_decides(lab, registry):
    refused = find(lab, registry, trusted_accounts=[PARTNER], size_gib=100)
    assert "its size is 3, less than 100 GiB" in refused["trace"][-1]


def test_one_search_costs_few_calls(lab, registry):
    lab.reset_calls()
    find(lab, registry, trusted_accounts=[PARTNER])
    assert lab.calls() == {"DescribeSnapshots": 3, "GetCallerIdentity": 1}
