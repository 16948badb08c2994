"""What aws-parallelcluster's validators ask of EC2 and moto does not answer, or answers wrongly.

`install()` teaches it to the moto of this process: the lab's server and the judge, which validates rendered cluster
files in its own process, both call it. What exists is kept on moto's EC2 backend of an account and region:

lab_placement_groups        {name: an entry of DescribePlacementGroups}
lab_capacity_reservations   {id: an entry of DescribeCapacityReservations}

and on an image: lab_disk_gib, the size of its root disk, 45 GiB as ParallelCluster's own images have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response
from moto.ec2.responses.instances import InstanceResponse

IMAGE_DISK_GIB = 45


def install() -> None:
    """Change moto's classes for the whole process."""
    EC2Response.describe_placement_groups = describe_placement_groups
    EC2Response.describe_capacity_reservations = describe_capacity_reservations
    InstanceResponse._validate_block_device_mapping = staticmethod(accept_mapping)
    Ami.block_device_mappings = property(image_block_devices)


def describe_placement_groups(self: EC2Response) -> ActionResult:
    """The placement groups asked for by name, or all.

    Source: EC2 API Reference, DescribePlacementGroups; error code InvalidPlacementGroup.Unknown.
    """
    groups = getattr(self.ec2_backend, "lab_placement_groups", {})
    found = _named(groups, self._get_param("GroupNames", []), _unknown_group)
    return ActionResult({"PlacementGroups": found})


def describe_capacity_reservations(self: EC2Response) -> ActionResult:
    """The capacity reservations asked for by id, or all.

    Source: EC2 API Reference, DescribeCapacityReservations; error code InvalidCapacityReservationId.NotFound.
    """
    reservations = getattr(self.ec2_backend, "lab_capacity_reservations", {})
    found = _named(reservations, self._get_param("CapacityReservationIds", []), _unknown_reservation)
    return ActionResult({"CapacityReservations": found})


def accept_mapping(mapping: dict[str, Any]) -> None:
    """A root disk takes its size from the image, and an instance store volume has no Ebs part; moto refuses both.

    Source: EC2 API Reference, RunInstances, parameter BlockDeviceMappings, and BlockDeviceMapping, field virtualName.
    """


def image_block_devices(image: Ami) -> list[dict[str, Any]]:
    """An image's root disk has the size it was made with; moto gives every image 15 GiB.

    Source: AWS ParallelCluster User Guide, RootVolume: the size is "that of the AMI", at least.
    """
    disk = {
        "SnapshotId": image.ebs_snapshot.id,
        "VolumeSize": getattr(image, "lab_disk_gib", IMAGE_DISK_GIB),
        "DeleteOnTermination": True,
        "VolumeType": "gp3",
    }
    return [{"DeviceName": image.root_device_name, "Ebs": disk}]


def _named(known: dict[str, Any], names: list[str], unknown: Callable[[str], EC2ClientError]) -> list[Any]:
    """The known things of these names, or all when there is none; raises for the first that is not known."""
    for name in names:
        if name not in known:
            raise unknown(name)
    return [known[name] for name in names or known]


def _unknown_group(name: str) -> EC2ClientError:
    return EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


def _unknown_reservation(name: str) -> EC2ClientError:
    return EC2ClientError("InvalidCapacityReservationId.NotFound", f"The capacity reservation '{name}' does not exist.")
