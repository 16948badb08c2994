"""petal.hpc.ebs_snapshot_info against the lab: both sides of a shared snapshot."""

from __future__ import annotations

import pytest

from plugins.module_utils._aws.snapshots import SnapshotGateway
from plugins.module_utils._core.errors import ExplainedError
from plugins.modules.ebs_snapshot_info import ARGUMENT_SPEC, run

pytestmark = pytest.mark.lab

PARTNER = "111122223333"


def test_both_sides_of_a_shared_snapshot_are_listed(lab):
    ec2 = lab.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")["VolumeId"]
    private, shared, public = (ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for _ in range(3))
    for snapshot, who in ((shared, {"UserIds": [PARTNER]}), (public, {"GroupNames": ["all"]})):
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", **who)

    def listed(account, **given):
        client = lab.client("ec2", account=account)
        gateway = SnapshotGateway(client, sts=lambda: lab.client("sts", account=account))
        params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
        found = run({**params, "filters": {"volume-id": volume}, **given}, gateway)["snapshots"]
        return {one["snapshot_id"]: one.get("shared_with") for one in found}

    assert listed(None, shared="by_me") == {shared: [PARTNER], public: ["all"]}
    assert listed(PARTNER, shared="with_me") == {shared: None}
    assert listed(None, shared="with_me") == {}
    assert set(listed(None)) == {private, shared, public}


def test_a_snapshot_tells_what_it_stores_beside_another(lab):
    ec2 = lab.client("ec2")

    def snapshot_of(**origin):
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", VolumeType="gp3", **origin)["VolumeId"]
        return ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    before, stranger = snapshot_of(Size=1), snapshot_of(Size=1)
    after = snapshot_of(SnapshotId=before)
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}

    def listed(*snapshot_ids):
        gateway = SnapshotGateway(ec2, ebs=lambda: lab.client("ebs"))
        return run({**params, "snapshot_ids": list(snapshot_ids), "changed_since": before}, gateway)["snapshots"]

    assert [(one["full_size_gib"], one["changed_gib"]) for one in listed(before, after)] == [(0, 0), (0, 0)]
    with pytest.raises(ExplainedError, match=f"{stranger} cannot be compared with {before}"):
        listed(stranger)
