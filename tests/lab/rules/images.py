"""Machine images: which snapshots they are made from."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.amis import Ami

from tests.lab.rules.rulebook import extend


@extend(Ami, "get_filter_value")
def images_are_found_by_their_snapshots(original: Any, image: Ami, filter_name: str, method_name: str | None = None) -> Any:
    """The filter block-device-mapping.snapshot-id finds the images that need a snapshot.

    Source: EC2 API Reference, DescribeImages, parameter Filter.N.
    """
    if filter_name != "block-device-mapping.snapshot-id":
        return original(image, filter_name, method_name)
    return [device["Ebs"]["SnapshotId"] for device in image.block_device_mappings if "Ebs" in device]
