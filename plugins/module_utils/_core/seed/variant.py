# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platforms a seed is built for, and which CPUs can run what is built."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable
from typing import Any

from ..errors import ExplainedError
from ..facts.instance_types import InstanceType, find_instance_type, nearest_instance_types
from ..facts.operating_system import OperatingSystem, find_os
from ..software.fingerprint import deciding_options, fingerprint, fingerprint_inputs, short_fingerprint
from ..software.releases import RECIPES_VERSION, SPACK_VERSION
from ..software.version import check_spack

try:
    import archspec.cpu
except ImportError:
    archspec = None

# Fast builds at a moderate price; the first one whose CPU runs the target is taken.
BUILD_INSTANCE_TYPES = (
    "c6a.4xlarge",
    "c7a.4xlarge",
    "c6i.4xlarge",
    "c7i.4xlarge",
    "c8a.4xlarge",
    "c7g.4xlarge",
    "c8g.4xlarge",
    "c6g.4xlarge",
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One platform a seed is built for.

    os: ParallelCluster's name. arch: "x86_64" or "arm64". target: the archspec name that all code is compiled for.
    specs: canonical, sorted, each once. compiler: canonical spec, None for the operating system's own.
    externals, image_id: what is taken from the image, and that image; empty and None as a rule.
    modules: how modules are laid out.
    options: those of the role spack_bootstrap that decide what is built; empty as a rule.
    build_instance_type: the instance type to build on when nothing else is asked for; it can run the target.
    fingerprint: "sha256:<64 hex>". short: its first 12 digits. name: what volume, snapshot and entry are called.
    """

    os: str
    arch: str
    target: str
    specs: list[str]
    spack_version: str
    recipes_version: str
    compiler: str | None
    mount_path: str
    externals: dict[str, str]
    image_id: str | None
    modules: dict[str, Any]
    options: dict[str, Any]
    build_instance_type: str
    fingerprint: str
    short: str
    name: str


def seed_variants(
    seed: dict[str, Any],
    *,
    os: str | None = None,
    mount_path: str = "/shared",
    spack_version: str | None = None,
    recipes_version: str | None = None,
    externals: dict[str, str] | None = None,
    image_id: str | None = None,
    options: dict[str, Any] | None = None,
) -> list[Variant]:
    """Return one variant for each architecture among the seed's instance types, the head node's first.

    seed: as read_seed returns it.
    os, spack_version, recipes_version, externals, image_id: win over what the seed says, which wins over our defaults.
    options: of the role spack_bootstrap, by name without spack_bootstrap_; see deciding_options.
    """
    software = seed["software"]
    system = find_os(os or seed["cluster"]["os"])
    spack_version = spack_version or software["spack_version"] or SPACK_VERSION
    check_spack(spack_version)
    externals = externals or software["externals"]
    deciding = deciding_options(options or {}, mount_path)
    types_by_architecture = _types_by_architecture(seed)
    if externals and len(types_by_architecture) > 1:
        raise ExplainedError(
            f"software.externals names software of one image, and the cluster has nodes of {' and '.join(types_by_architecture)}.",
            next_step="Take the instance types of one architecture, or software.externals, out of the seed.",
        )
    variants = []
    for arch, types in types_by_architecture.items():
        target = choose_target(types, system, software["compiler"], software["target"])
        inputs = fingerprint_inputs(
            os=system.name,
            arch=arch,
            target=target,
            spack_version=spack_version,
            recipes_version=recipes_version or software["recipes_version"] or RECIPES_VERSION,
            specs=software["spack_packages"],
            compiler=software["compiler"],
            mount_path=mount_path,
            externals=externals,
            image_id=image_id or seed["cluster"]["custom_ami"],
            modules=software["modules"],
            options=deciding,
        )
        name = fingerprint(inputs)
        short = short_fingerprint(name)
        variants.append(
            Variant(
                os=system.name,
                arch=arch,
                target=target,
                specs=inputs["specs"],
                spack_version=inputs["spack"],
                recipes_version=inputs["recipes"],
                compiler=inputs["compiler"],
                mount_path=inputs["mount_path"],
                externals=inputs["externals"],
                image_id=inputs["image"],
                modules=software["modules"],
                options=deciding,
                build_instance_type=choose_build_instance_type(target, types),
                fingerprint=name,
                short=short,
                name=f"{_slug(seed['cluster']['name'])}-{system.name}-{arch}-{short}",
            )
        )
    return variants


def choose_target(types: Iterable[InstanceType], system: OperatingSystem, compiler: str | None = None, wanted: str | None = None) -> str:
    """Return the archspec name that code for all these instance types is compiled for.

    types: of one architecture.
    compiler: a spec, or None for the operating system's GCC; a target that it cannot produce is not chosen.
    wanted: an archspec name to take instead of the best one.
    Raises ExplainedError when `wanted` is unknown, or when a type cannot run it or the compiler not produce it.
    """
    types = list(types)
    if wanted:
        _check_target(wanted, types, system, compiler)
        return wanted
    common = set.intersection(*({cpu, *cpu.ancestors} for cpu in (_cpu(kind.microarchitecture) for kind in types)))
    possible = [cpu for cpu in common if _compiles(compiler, system, cpu.name)]
    # Several may remain that are no ancestors of each other (neoverse_n1 and armv8.4a): the one with more instructions is the better.
    best = max(possible, key=lambda cpu: (len(cpu.features), len(cpu.ancestors), cpu.name))
    return best.name


def can_run(target: str, kind: InstanceType) -> bool:
    """Say whether code compiled for a target runs on every machine of an instance type."""
    return _cpu(target) in (_cpu(kind.microarchitecture), *_cpu(kind.microarchitecture).ancestors)


def cpu_features(target: str) -> list[str]:
    """Return the instruction sets of a target, as archspec names them: what code compiled for it may use."""
    return sorted(_cpu(target).features)


def choose_build_instance_type(target: str, types: Iterable[InstanceType]) -> str:
    """Return the instance type to build on: an affordable one that can run the target, else the seed's own largest without GPUs."""
    candidates = [find_instance_type(name) for name in BUILD_INSTANCE_TYPES]
    usual = next((kind.name for kind in candidates if kind and can_run(target, kind)), None)
    return usual or max(types, key=lambda kind: (not kind.gpus, not kind.accelerators, kind.vcpus, kind.memory_mib)).name


def _types_by_architecture(seed: dict[str, Any]) -> dict[str, list[InstanceType]]:
    """Return what the seed's code has to run on: all its instance types, the head node's architecture first."""
    compute = seed["compute"]
    login_nodes = [compute["login_nodes"]["instance_type"]] if compute.get("login_nodes") else []
    queues = [name for queue in compute["queues"] for name in queue["instance_types"]]
    types: dict[str, list[InstanceType]] = {}
    for name in dict.fromkeys([compute["head_node"], *login_nodes, *queues]):
        kind = find_instance_type(name)
        if not kind:
            nearest = ", ".join(nearest_instance_types(name))
            raise ExplainedError(f"EC2 has no instance type {name!r}.", resource=name, next_step=f"The nearest are {nearest}.")
        types.setdefault(kind.architecture, []).append(kind)
    return types


def _check_target(wanted: str, types: list[InstanceType], system: OperatingSystem, compiler: str | None) -> None:
    unable = [kind.name for kind in types if not can_run(wanted, kind)]
    if unable:
        raise ExplainedError(
            f"Code for software.target {wanted} does not run on {', '.join(unable)}.",
            resource=wanted,
            next_step=f"Take those types out of the seed, or set software.target to {choose_target(types, system, compiler)}.",
        )
    if not _compiles(compiler, system, wanted):
        raise ExplainedError(
            f"{compiler or f'GCC {system.gcc_version} of {system.name}'} cannot compile for software.target {wanted}.",
            resource=wanted,
            next_step=f"Set software.compiler to a newer one, or software.target to {choose_target(types, system, compiler)}.",
        )


def _compiles(compiler: str | None, system: OperatingSystem, target: str) -> bool:
    """Say whether a compiler can produce code for a target; True where archspec does not know the compiler or no version is given."""
    name, version = "gcc", system.gcc_version
    if compiler:
        found = re.match(r"(?P<name>[\w-]+)@=?(?P<version>\d[\d.]*)", compiler)
        if not found:
            return True
        name, version = found["name"], found["version"]
    try:
        _cpu(target).optimization_flags(name, version)
    except archspec.cpu.UnsupportedMicroarchitecture:
        return False
    return True


def _cpu(name: str) -> Any:
    """Return archspec's Microarchitecture of that name."""
    if archspec is None:
        raise ExplainedError(
            "Computing a CPU target needs the Python library archspec, which is not installed on the controller.",
            next_step="Install the collection's requirements.txt there.",
        )
    if name not in archspec.cpu.TARGETS:
        close = difflib.get_close_matches(name, archspec.cpu.TARGETS, n=3)
        raise ExplainedError(
            f"{name!r} is no CPU target that archspec knows.",
            resource=name,
            next_step=f"Choose from {', '.join(close)}." if close else "x86_64_v3 and neoverse_n1 run nearly everywhere.",
        )
    return archspec.cpu.TARGETS[name]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
