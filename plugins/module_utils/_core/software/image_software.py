# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Software that the images of ParallelCluster bring, which a seed may use rather than have built."""

from __future__ import annotations

import dataclasses
import re

from ..errors import ExplainedError


@dataclasses.dataclass(frozen=True)
class ImageSoftware:
    """One of them.

    prefix: where it lies. prefix_by_major: where a certain major version lies, if elsewhere.
    version_from: what tells its version: a file of pkg-config in the prefix, or a command, its program relative to the prefix.
    variants: what Spack is to know of how it was built.
    """

    prefix: str
    version_from: str
    variants: str = ""
    prefix_by_major: dict[str, str] = dataclasses.field(default_factory=dict)


# Source: the cookbooks of ParallelCluster 3 (slurm, pmix) and the EFA installer (libfabric, Open MPI 4 and 5).
IMAGE_SOFTWARE = {
    "libfabric": ImageSoftware("/opt/amazon/efa", "libfabric.pc", "fabrics=efa,shm,tcp"),
    "openmpi": ImageSoftware("/opt/amazon/openmpi", "bin/ompi_info --version", "fabrics=ofi", {"5": "/opt/amazon/openmpi5"}),
    "pmix": ImageSoftware("/opt/pmix", "pmix.pc"),
    "slurm": ImageSoftware("/opt/slurm", "bin/sinfo --version", "+pmix"),
}
# What an Open MPI that is built is to use of them.
_OPEN_MPI_USES = {"libfabric": "fabrics=ofi", "slurm": "schedulers=slurm"}


def image_software(versions: dict[str, str]) -> list[dict[str, str]]:
    """Return [{"name", "version", "prefix", "version_from"}], sorted: what has to be on the image, and where to look.

    versions: name to version, as the software itself says it: {"slurm": "24.05.8"}.
    """
    unknown = sorted(set(versions) - set(IMAGE_SOFTWARE))
    if unknown:
        raise ExplainedError(
            f"{', '.join(unknown)} cannot be taken from the image.",
            next_step=f"Choose from {', '.join(IMAGE_SOFTWARE)}; software of an image of yours goes into spack_bootstrap_externals.",
        )
    found = []
    for name, version in sorted(versions.items()):
        known = IMAGE_SOFTWARE[name]
        prefix = known.prefix_by_major.get(version.split(".")[0], known.prefix)
        found.append({"name": name, "version": version, "prefix": prefix, "version_from": known.version_from})
    return found


def image_externals(versions: dict[str, str]) -> dict[str, dict[str, object]]:
    """Return the entries of packages.yaml that have Spack use this software of the image, and never build its own."""
    entries: dict[str, dict[str, object]] = {}
    for software in image_software(versions):
        name = software["name"]
        spec = f"{name}@={_spack_version(name, software['version'])} {IMAGE_SOFTWARE[name].variants}".rstrip()
        entries[name] = {"buildable": False, "externals": [{"spec": spec, "prefix": software["prefix"]}]}
    uses = [variant for name, variant in _OPEN_MPI_USES.items() if name in versions]
    if uses and "openmpi" not in versions:
        entries["openmpi"] = {"prefer": uses}
    return entries


def image_problems(looked: list[dict[str, str]]) -> list[str]:
    """Return one sentence for each that is missing or another version.

    looked: what image_software returns, each with `found`: the version that is there, empty for none.
    """
    problems = []
    for software in looked:
        name, prefix, wanted, found = (software[key] for key in ("name", "prefix", "version", "found"))
        if not found:
            problems.append(f"The image has no {name} in {prefix}; the seed takes {name} {wanted} from it.")
        elif found != wanted:
            problems.append(f"The image has {name} {found} in {prefix}; the seed takes {wanted} from it.")
    return problems


def _spack_version(name: str, version: str) -> str:
    """Return a version as Spack's recipe has it: Slurm's are its tags, 24-05-8-1."""
    return f"{re.sub(r'[.]', '-', version)}-1" if name == "slurm" else version
