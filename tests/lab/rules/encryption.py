"""Encryption: what is encrypted, and with which key."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot, Volume
from moto.kms import kms_backends

from tests.lab.rules.rulebook import Call, answer, extend, fake

AWS_MANAGED_ALIAS = "alias/aws/ebs"


@extend(EBSBackend, "create_volume")
def volume_is_encrypted_as_it_must(original: Any, backend: Any, **named: Any) -> Volume:
    """Encryption by default encrypts every volume; a volume from an encrypted snapshot keeps the key, unless told another.

    A snapshot of another account gives no key: then it is the account's default key.
    Source: Amazon EBS User Guide, "How Amazon EBS encryption works" and "Enable Amazon EBS encryption by default".
    """
    snapshot = backend.get_snapshot(named["snapshot_id"]) if named.get("snapshot_id") else None
    named["encrypted"] = bool(named.get("encrypted") or backend.ebs_encryption_by_default or (snapshot and snapshot.encrypted))
    if snapshot and snapshot.encrypted and snapshot.owner_id == backend.account_id:
        named["kms_key_id"] = named.get("kms_key_id") or snapshot.kms_key_id
    if named.get("kms_key_id"):
        named["kms_key_id"] = key_arn(backend, named["kms_key_id"]) or named["kms_key_id"]
    return original(backend, **named)


@answer("CreateVolume")
def unknown_key_fails_late(call: Call, proceed: Any) -> Any:
    """A volume under a key that does not exist is answered for, and then vanishes.

    Source: EC2 API Reference, CreateVolume, parameter KmsKeyId: "the action can appear to complete, but eventually fails".
    """
    result = proceed()
    volume = result.result
    if volume.encrypted and key_arn(call.backend, volume.kms_key_id) is None:
        call.backend.delete_volume(volume.id)
    return result


@extend(EBSBackend, "create_snapshot")
def snapshot_keeps_the_key(original: Any, backend: Any, *arguments: Any, **named: Any) -> Snapshot:
    """A snapshot is encrypted with its volume's key.

    Source: EC2 API Reference, Snapshot, field kmsKeyId.
    """
    snapshot = original(backend, *arguments, **named)
    snapshot.kms_key_id = snapshot.volume.kms_key_id
    return snapshot


@answer("CopySnapshot")
def copy_is_encrypted_as_asked(call: Call, proceed: Any) -> Any:
    """A copy is encrypted when asked for, when the source is, or by default; without a key, with the account's default key.

    Source: EC2 API Reference, CopySnapshot, parameters Encrypted and KmsKeyId.
    """
    result = proceed()
    copied = call.backend.snapshots[result.result["SnapshotId"]]
    copied.encrypted = bool(copied.encrypted or call.flag("Encrypted") or call.backend.ebs_encryption_by_default)
    if copied.encrypted:
        asked = call.get("KmsKeyId")
        copied.kms_key_id = (asked and key_arn(call.backend, asked)) or asked or default_key(call.backend)
    return result


@fake("GetEbsDefaultKmsKeyId")
def default_key_is_told(call: Call) -> dict[str, Any]:
    """The key that EBS uses when a request names none: an alias of the AWS managed one, until another is set.

    Source: EC2 API Reference, GetEbsDefaultKmsKeyId.
    """
    key = call.backend.default_kms_key_id
    return {"KmsKeyId": AWS_MANAGED_ALIAS if not key or is_aws_managed_key(call.backend, key) else key}


@fake("ResetEbsDefaultKmsKeyId")
def default_key_is_reset(call: Call) -> dict[str, Any]:
    """The AWS managed key becomes the default again.

    Source: EC2 API Reference, ResetEbsDefaultKmsKeyId.
    """
    call.backend.default_kms_key_id = ""
    return {"KmsKeyId": AWS_MANAGED_ALIAS}


def default_key(backend: Any) -> str:
    """The ARN of the key that EBS uses in an account and region when a request names none."""
    return backend.default_kms_key_id or backend._create_default_encryption_key()


def key_arn(backend: Any, key: str) -> str | None:
    """The ARN of a key given by its id, ARN, alias or alias ARN; None when there is no such key."""
    kms = kms_backends[backend.account_id][backend.region_name]
    if "alias/" in key:
        key = kms.get_key_id_from_alias("alias/" + key.partition("alias/")[2]) or key
    found = kms.keys.get(key.rpartition("/")[2])
    return found.arn if found else None


def is_aws_managed_key(backend: Any, key: str | None) -> bool:
    """Whether a key is the one that AWS manages for EBS in this account and region."""
    kms = kms_backends[backend.account_id][backend.region_name]
    managed = kms.get_key_id_from_alias(AWS_MANAGED_ALIAS) if kms.alias_exists(AWS_MANAGED_ALIAS) else None
    return bool(key and managed and key.rpartition("/")[2] == managed)
