"""Snapshots between accounts: who may see and use one, and how its owner says so."""

from __future__ import annotations

import copy
import re
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot

from tests.lab.rules.encryption import is_aws_managed_key
from tests.lab.rules.rulebook import Call, answer, check, extend, fake, refuse

CHANGES_AT_A_TIME = 500


@extend(EBSBackend, "get_snapshot")
def shared_snapshot_is_usable(original: Any, backend: Any, snapshot_id: str) -> Snapshot:
    """An account can use its own snapshots and those shared with it, others do not exist: InvalidSnapshot.NotFound.

    Source: Amazon EBS User Guide, "Use snapshots that are shared with you".
    """
    snapshot = visible_snapshots(backend).get(snapshot_id)
    return snapshot or refuse("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


@extend(EBSBackend, "describe_snapshots")
def shared_snapshot_is_copied(original: Any, backend: Any, snapshot_ids: list[str] | None = None, filters: Any = None) -> list[Snapshot]:
    """CopySnapshot, which asks moto's backend of the source region, finds shared snapshots too.

    Source: Amazon EBS User Guide, "Copy an Amazon EBS snapshot": you can copy snapshots that are shared with you.
    """
    return [backend.get_snapshot(snapshot_id) for snapshot_id in snapshot_ids or backend.snapshots]


@check("ModifySnapshotAttribute", "ResetSnapshotAttribute", "DescribeSnapshotAttribute")
def permissions_are_the_owners(call: Call) -> None:
    """Only the owner reads or changes who may use a snapshot: InvalidSnapshot.NotFound.

    Source: Amazon EBS User Guide, "Share an Amazon EBS snapshot with other AWS accounts".
    """
    if call.get("SnapshotId") not in call.backend.snapshots:
        refuse("InvalidSnapshot.NotFound", f"The snapshot '{call.get('SnapshotId')}' does not exist.")


@answer("ModifySnapshotAttribute")
def permissions_in_two_forms(call: Call, proceed: Any) -> Any:
    """CreateVolumePermission says the same as OperationType with UserIds or GroupNames, one direction at a time.

    Source: EC2 API Reference, ModifySnapshotAttribute: "you cannot do both in a single operation".
    """
    wanted = call.get("CreateVolumePermission") or {}
    if wanted.get("Add") and wanted.get("Remove"):
        refuse("InvalidParameterCombination", "Adding and removing permissions in one operation is not possible.")
    for operation in ("Add", "Remove"):
        if wanted.get(operation):
            call.set("OperationType", operation.lower())
            call.set("UserIds", [one["UserId"] for one in wanted[operation] if "UserId" in one])
            call.set("GroupNames", [one["Group"] for one in wanted[operation] if "Group" in one])
    if call.get("OperationType") not in ("add", "remove"):
        refuse("MissingParameter", "The request must contain the parameter OperationType or CreateVolumePermission")
    return proceed()


@check("ModifySnapshotAttribute")
def grantee_is_an_account(call: Call) -> None:
    """An account id has twelve digits: InvalidUserID.Malformed.

    Source: EC2 API Reference, error code InvalidUserID.Malformed.
    """
    for user in call.get("UserIds", []):
        if not re.fullmatch(r"\d{12}", user):
            refuse("InvalidUserID.Malformed", f'Invalid user id: "{user}"')


@check("ModifySnapshotAttribute")
def few_changes_at_a_time(call: Call) -> None:
    """One request changes at most 500 permissions: InvalidParameterValue.

    Source: EC2 API Reference, ModifySnapshotAttribute: "up to 500 modifications to a snapshot in a single operation".
    """
    if len(call.get("UserIds", []) + call.get("GroupNames", [])) > CHANGES_AT_A_TIME:
        refuse("InvalidParameterValue", f"At most {CHANGES_AT_A_TIME} permissions can be modified at a time.")


@check("ModifySnapshotAttribute")
def encrypted_snapshot_is_shared_with_care(call: Call) -> None:
    """A snapshot under the AWS managed key is never shared, an encrypted one never with everyone: OperationNotPermitted.

    Source: EC2 API Reference, ModifySnapshotAttribute: "Encrypted snapshots ... cannot be made public. Snapshots encrypted
    with your default KMS key cannot be shared with other accounts."
    """
    snapshot = call.backend.snapshots[call.get("SnapshotId")]
    if not snapshot.encrypted or call.get("OperationType") != "add":
        return
    if is_aws_managed_key(call.backend, snapshot.kms_key_id):
        refuse("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared")
    if call.get("GroupNames"):
        refuse("OperationNotPermitted", "Encrypted snapshots cannot be made public")


@fake("ResetSnapshotAttribute")
def permissions_are_taken_back(call: Call) -> None:
    """ResetSnapshotAttribute takes all permissions back.

    Source: EC2 API Reference, ResetSnapshotAttribute.
    """
    snapshot = call.backend.snapshots[call.get("SnapshotId")]
    snapshot.create_volume_permission_groups.clear()
    snapshot.create_volume_permission_userids.clear()


def visible_snapshots(backend: Any) -> dict[str, Snapshot]:
    """Snapshots by id that an account sees in a region: its own, and those of others that name it or everyone.

    Of another account's snapshot it sees its own tags, not the owner's. Source: Amazon EC2 User Guide, "Tag your Amazon
    EC2 resources": you can tag public or shared resources, but the tags are available only to your account.
    """
    found = dict(backend.snapshots)
    for account, regions in list(ec2_backends.items()):
        owner = regions[backend.region_name] if account != backend.account_id else None
        for snapshot in list(owner.snapshots.values()) if owner else []:
            if _may_use(backend.account_id, snapshot, owner):
                found[snapshot.id] = copy.copy(snapshot)
                found[snapshot.id].ec2_backend = backend
    return found


def owner_wants(call: Call, snapshot: Snapshot) -> bool:
    """Whether a snapshot passes a request's OwnerIds and RestorableByUserIds."""
    owners = {call.account if owner == "self" else owner for owner in call.get("OwnerIds", [])}
    if owners and snapshot.owner_id not in owners:
        return False
    grantees = call.get("RestorableByUserIds", [])
    return not grantees or any(_restorable_by(call.account, grantee, snapshot) for grantee in grantees)


def _restorable_by(account: str, grantee: str, snapshot: Snapshot) -> bool:
    if grantee == "all":
        return "all" in snapshot.create_volume_permission_groups
    wanted = account if grantee == "self" else grantee
    return wanted == snapshot.owner_id or wanted in snapshot.create_volume_permission_userids


def _may_use(account: str, snapshot: Snapshot, owner: Any) -> bool:
    if account in snapshot.create_volume_permission_userids:
        return True
    hidden = getattr(owner, "lab_public_access", "unblocked") == "block-all-sharing"
    return "all" in snapshot.create_volume_permission_groups and not hidden
