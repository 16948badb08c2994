"""What every account of the lab holds at start: the official ParallelCluster images and a key pair.

The default VPC, with one public subnet in each zone, is moto's own.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.instances import Instance

from tests.lab import parallelcluster

PARALLELCLUSTER_VERSION = "3.16.1"
KEY_NAME = "petal-lab"
AMAZON = "247102896272"  # the account that publishes ParallelCluster's images
PUBLISHED = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
# name, name part, kernel and root device of the images that ParallelCluster publishes.
# Source: AWS ParallelCluster User Guide, "Specifying a custom AMI": Rocky Linux has no official image.
IMAGES = (
    ("alinux2023", "amzn2023-hvm", "kernel-6.1", "/dev/xvda"),
    ("ubuntu2204", "ubuntu-2204-lts-hvm", "kernel-6.8", "/dev/sda1"),
    ("ubuntu2404", "ubuntu-2404-lts-hvm", "kernel-6.14", "/dev/sda1"),
    ("rhel8", "rhel8-hvm", "kernel-4.18", "/dev/sda1"),
    ("rhel9", "rhel9-hvm", "kernel-5.14", "/dev/sda1"),
)
ARCHITECTURES = ("x86_64", "arm64")


def image_id(region: str, name: str) -> str:
    """The same id in every run, another one in each region, as on AWS."""
    return f"ami-{hashlib.sha256(f'{region}/{name}'.encode()).hexdigest()[:17]}"


def image_name(name_part: str, architecture: str) -> str:
    """For example aws-parallelcluster-3.16.1-amzn2023-hvm-x86_64-202606010000."""
    return f"aws-parallelcluster-{PARALLELCLUSTER_VERSION}-{name_part}-{architecture}-202606010000"


def official_image(region: str, operating_system: str = "alinux2023", architecture: str = "x86_64") -> str:
    """The id of an official image by ParallelCluster's name of its operating system."""
    part = next(part for name, part, _, _ in IMAGES if name == operating_system)
    return image_id(region, image_name(part, architecture))


def install(public_key: str | None = None) -> None:
    """Fill each account and region with the world when moto first makes it. public_key: of the key pair `petal-lab`."""
    parallelcluster.install()
    original = EC2Backend.__init__

    def __init__(self: EC2Backend, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        add_official_images(self)
        if public_key:
            self.import_key_pair(KEY_NAME, public_key.encode(), {})
        else:
            self.create_key_pair(KEY_NAME, "ed25519", {})

    EC2Backend.__init__ = __init__
    Instance.setup_defaults = _attach_root_volume


def _attach_root_volume(instance: Instance) -> None:
    """Give an instance its image's root disk, under the name that the image says; moto always makes 8 GiB at /dev/sda1.

    Source: Amazon EC2 User Guide, "Block device mappings for volumes on Amazon EC2 instances".
    """
    image = instance.ec2_backend.amis.get(instance.image_id)
    disk = image.block_device_mappings[0]["Ebs"] if image else {"VolumeSize": 8, "VolumeType": "gp2"}
    instance.add_block_device(disk["VolumeSize"], instance.root_device_name, None, False, True, None, disk["VolumeType"])


def add_official_images(backend: Any) -> None:
    """Register the official images of a region in one account's view of it."""
    for name, part, kernel, root_device in IMAGES:
        for architecture in ARCHITECTURES:
            ami = Ami(
                backend,
                image_id(backend.region_name, image_name(part, architecture)),
                name=image_name(part, architecture),
                description=f"AWS ParallelCluster AMI for {name}, {kernel}-{architecture}",
                owner_id=AMAZON,
                owner_alias="amazon",
                public=True,
                architecture=architecture,
                virtualization_type="hvm",
                hypervisor="xen",
                root_device_type="ebs",
                root_device_name=root_device,
                region_name=f"{backend.region_name}a",
                creation_date=PUBLISHED,
            )
            backend.amis[ami.id] = ami
            del backend.snapshots[ami.ebs_snapshot.id]  # it belongs to Amazon, and accounts do not see it
