"""What every account of the lab holds at start: the official ParallelCluster images and a key pair.

Only names and ids, for the server, the clients and the tests alike; population.py puts them into moto. The default VPC,
with one public subnet in each zone, is moto's own.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress

PARALLELCLUSTER_VERSION = "3.16.1"
KEY_NAME = "petal-lab"
NETWORK = ipaddress.ip_network("10.77.0.0/16")  # of the hosts
GATEWAY = NETWORK[1]
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
