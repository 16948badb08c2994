# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operating systems that ParallelCluster runs, under every name people give them."""

from __future__ import annotations

import dataclasses
import functools
import re

from ..errors import ExplainedError


@dataclasses.dataclass(frozen=True)
class OperatingSystem:
    """One operating system of ParallelCluster.

    name: as ParallelCluster's Image.Os spells it, and as a fingerprint contains it.
    aliases: other spellings, in lower case and without separators.
    login_user: the user that the image's cloud-init creates.
    family: "redhat" (dnf) or "debian" (apt).
    image_name_part: what an official image's name contains between version and architecture.
    gcc_version: of the package `gcc`, the compiler of a seed that names none.
    official_image: whether AWS publishes a ParallelCluster image; without one a cluster needs custom_ami.
    can_build: whether Ansible's modules run on its own Python: 3.6 of the Red Hat 8 family is too old for them.
    Source: aws-parallelcluster 3.16.1, constants SUPPORTED_OSES, OS_MAPPING and OS_TO_IMAGE_NAME_PART_MAP.
    """

    name: str
    aliases: tuple[str, ...]
    login_user: str
    family: str
    image_name_part: str
    gcc_version: str
    official_image: bool = True
    can_build: bool = True


OPERATING_SYSTEMS: dict[str, OperatingSystem] = {
    system.name: system
    for system in (
        OperatingSystem("alinux2023", ("al2023", "amazonlinux2023", "amzn2023"), "ec2-user", "redhat", "amzn2023-hvm", "11.5.0"),
        OperatingSystem("ubuntu2204", ("ubuntu22", "jammy"), "ubuntu", "debian", "ubuntu-2204-lts-hvm", "11.4.0"),
        OperatingSystem("ubuntu2404", ("ubuntu24", "noble"), "ubuntu", "debian", "ubuntu-2404-lts-hvm", "13.3.0"),
        OperatingSystem("rhel8", ("redhat8", "redhatenterpriselinux8"), "ec2-user", "redhat", "rhel8-hvm", "8.5.0", can_build=False),
        OperatingSystem("rhel9", ("redhat9", "redhatenterpriselinux9"), "ec2-user", "redhat", "rhel9-hvm", "11.5.0"),
        OperatingSystem("rocky8", ("rockylinux8",), "rocky", "redhat", "rocky8-hvm", "8.5.0", official_image=False, can_build=False),
        OperatingSystem("rocky9", ("rockylinux9",), "rocky", "redhat", "rocky9-hvm", "11.5.0", official_image=False),
    )
}

DEFAULT_OS = "alinux2023"


def find_os(name: str) -> OperatingSystem:
    """Return the operating system of that name or alias; case, dots, dashes and spaces do not matter.

    Raises ExplainedError, naming the choices, for every other name.
    """
    wanted = re.sub(r"[\s._-]+", "", str(name)).lower()
    for system in OPERATING_SYSTEMS.values():
        if wanted == system.name or wanted in system.aliases:
            return system
    raise ExplainedError(
        f"Operating system {name!r} is not one that ParallelCluster runs.",
        resource=str(name),
        next_step=f"Choose from {', '.join(OPERATING_SYSTEMS)}.",
    )


@functools.lru_cache(maxsize=256)
def known_os(name: str | None) -> str | None:
    """Return an operating system's canonical name; one that we do not know stays as it is written."""
    if name is None:
        return None
    try:
        return find_os(str(name)).name
    except ExplainedError:
        return str(name)
