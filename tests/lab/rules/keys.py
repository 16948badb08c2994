"""KMS keys, as far as EBS makes them."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend
from moto.kms import kms_backends

from tests.lab.rules.rulebook import extend


@extend(EBSBackend, "_create_default_encryption_key")
def default_key_is_managed_by_aws(original: Any, backend: Any) -> str:
    """The key behind alias/aws/ebs says that AWS manages it: DescribeKey, KeyManager.

    Source: KMS API Reference, KeyMetadata: "KMS keys in your AWS account are either customer managed or AWS managed".
    """
    arn = original(backend)
    kms_backends[backend.account_id][backend.region_name].keys[arn.rpartition("/")[2]].key_manager = "AWS"
    return arn
