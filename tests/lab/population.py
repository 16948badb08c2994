"""Puts into moto what every account of the lab holds at start, see world.py."""

from __future__ import annotations

import functools
from typing import Any

from moto import backends
from moto.core import responses
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import Instance

from tests.lab import parallelcluster, world


def install(public_key: str | None = None) -> None:
    """Fill each account and region with the world when moto first makes it. public_key: of the key pair `petal-lab`."""
    parallelcluster.install()
    original = EC2Backend.__init__

    def __init__(self: EC2Backend, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        add_official_images(self)
        if public_key:
            self.import_key_pair(world.KEY_NAME, public_key.encode(), {})
        else:
            self.create_key_pair(world.KEY_NAME, "ed25519", {})

    EC2Backend.__init__ = __init__
    Instance.setup_defaults = _attach_root_volume
    TaggedEC2Resource.get_tags = _tags_of_one
    _look_up_once()


def _attach_root_volume(instance: Instance) -> None:
    """Give an instance its image's root disk, under the name that the image says; moto always makes 8 GiB at /dev/sda1.

    Source: Amazon EC2 User Guide, "Block device mappings for volumes on Amazon EC2 instances".
    """
    image = instance.ec2_backend.amis.get(instance.image_id)
    disk = image.block_device_mappings[0]["Ebs"] if image else {"VolumeSize": 8, "VolumeType": "gp2"}
    instance.add_block_device(disk["VolumeSize"], instance.root_device_name, None, False, True, None, disk["VolumeType"])


def _tags_of_one(resource: TaggedEC2Resource) -> list[dict[str, str]]:
    """A resource's tags, without moto's search through the tags of all resources, which takes longer the more there are."""
    return [
        {"resource_id": resource.id, "key": key, "value": value} for key, value in resource.ec2_backend.tags.get(resource.id, {}).items()
    ]


def _look_up_once() -> None:
    """Let moto keep what it else looks up for each request, half of its work: its own folders and a class's methods."""
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)


def add_official_images(backend: Any) -> None:
    """Register the official images of a region in one account's view of it."""
    for name, part, kernel, root_device in world.IMAGES:
        for architecture in world.ARCHITECTURES:
            ami = Ami(
                backend,
                world.image_id(backend.region_name, world.image_name(part, architecture)),
                name=world.image_name(part, architecture),
                description=f"AWS ParallelCluster AMI for {name}, {kernel}-{architecture}",
                owner_id=world.AMAZON,
                owner_alias="amazon",
                public=True,
                architecture=architecture,
                virtualization_type="hvm",
                hypervisor="xen",
                root_device_type="ebs",
                root_device_name=root_device,
                region_name=f"{backend.region_name}a",
                creation_date=world.PUBLISHED,
            )
            backend.amis[ami.id] = ami
            del backend.snapshots[ami.ebs_snapshot.id]  # it belongs to Amazon, and accounts do not see it
