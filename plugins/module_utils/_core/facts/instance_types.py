# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an EC2 instance type can do, known without asking AWS."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator

from .instance_types_data import FAMILIES

# (maker, model, count), as EC2 names them: ("NVIDIA", "A100", 8).
Devices = tuple[tuple[str, str, int], ...]

# Compute capabilities, as Spack's variant cuda_arch has them. Source: https://developer.nvidia.com/cuda-gpus
_CUDA_ARCHITECTURES = {
    "V100": 70,
    "T4": 75,
    "T4g": 75,
    "A100": 80,
    "A10G": 86,
    "L4": 89,
    "L40S": 89,
    "H100": 90,
    "H200": 90,
    "B200": 100,
    "B300": 103,
    "RTX PRO 4500": 120,
    "RTX PRO Server 6000": 120,
}


@dataclasses.dataclass(frozen=True)
class InstanceType:
    """One EC2 instance type.

    vcpus, cores: by default; cores is what remains with simultaneous multithreading switched off.
    architecture: "x86_64" or "arm64", as EC2 says it.
    microarchitecture: the archspec name of the oldest CPU under which the type is delivered.
    gpus, accelerators: what is built in; g6f types have a fraction of a GPU and hence a count of 0.
    spot, on_demand, capacity_block: the ways in which it is sold.
    local_nvme: whether it has an instance store.
    retired: EC2's catalogue no longer lists it; kept so that old seeds can be told what happened.
    """

    name: str
    vcpus: int
    cores: int
    memory_mib: int
    architecture: str
    microarchitecture: str
    gpus: Devices
    accelerators: Devices
    efa: bool
    network_cards: int
    spot: bool
    on_demand: bool
    local_nvme: bool
    capacity_block: bool = False
    retired: bool = False


def find_instance_type(name: str) -> InstanceType | None:
    """Return the type of that name ("c5.xlarge"), also a retired one, or None."""
    family, _dot, size = str(name).partition(".")
    architecture, microarchitecture, sizes = FAMILIES.get(family, ("", "", {}))
    if size not in sizes:
        return None
    vcpus, cores, memory_mib, network_cards, flags, gpus, accelerators = sizes[size]
    return InstanceType(
        name=name,
        vcpus=vcpus,
        cores=cores,
        memory_mib=memory_mib,
        architecture=architecture,
        microarchitecture=microarchitecture,
        gpus=gpus,
        accelerators=accelerators,
        efa="e" in flags,
        network_cards=network_cards,
        spot="s" in flags,
        on_demand="o" in flags,
        local_nvme="n" in flags,
        capacity_block="b" in flags,
        retired="r" in flags,
    )


def cuda_architectures(names: Iterable[str]) -> list[str]:
    """Return the values of Spack's variant cuda_arch for the NVIDIA GPUs of instance types, the oldest first; unknown types have none."""
    types = filter(None, map(find_instance_type, names))
    models = {model for found in types for maker, model, _count in found.gpus if maker == "NVIDIA"}
    return [str(number) for number in sorted({_CUDA_ARCHITECTURES[model] for model in models & set(_CUDA_ARCHITECTURES)})]


def instance_type_names() -> Iterator[str]:
    """Yield the name of every type that EC2 still offers."""
    for family, (_architecture, _microarchitecture, sizes) in FAMILIES.items():
        for size, (*_numbers, flags, _gpus, _accelerators) in sizes.items():
            if "r" not in flags:
                yield f"{family}.{size}"


def nearest_instance_types(name: str, count: int = 3) -> list[str]:
    """Return up to `count` offered types that a person may have meant, the nearest first.

    Types of the same family ("p3" of p3.2xlarge) are preferred, then those of its class ("p"), then whatever is spelt alike.
    """
    wanted = str(name).lower()
    offered = list(instance_type_names())
    alike = (
        [known for known in offered if known.partition(".")[0] == wanted.partition(".")[0]]
        or [known for known in offered if _class(known) == _class(wanted)]
        or offered
    )
    return difflib.get_close_matches(wanted, alike, n=count, cutoff=0.5)


def _class(name: str) -> str:
    """Return the letters before the generation number: "hpc" of "hpc6a.48xlarge"."""
    found = re.match(r"[a-z]+", name)
    return found.group() if found else ""
