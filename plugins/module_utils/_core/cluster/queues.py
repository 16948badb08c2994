# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A seed's queue as ParallelCluster's compute resources: types grouped, counts shared out, nothing lost."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from ..facts.instance_types import InstanceType

# Source: aws-parallelcluster 3.16.1, validators.cluster_validators.NameValidator.
NAME_LENGTH = 25


@dataclasses.dataclass(frozen=True)
class Group:
    """Instance types that may stand in one `Instances` list.

    name: of the compute resource, unique in its queue.
    types: in the order of the seed, which the prioritized strategies follow.
    """

    name: str
    types: tuple[InstanceType, ...]
    min_count: int
    max_count: int

    @property
    def efa(self) -> bool:
        return self.types[0].efa


def likeness(kind: InstanceType, *, smt: bool = True) -> tuple[object, ...]:
    """Return what has to be equal for two types to share an `Instances` list.

    ParallelCluster demands the vCPUs (the cores, without simultaneous multithreading), the number and maker of GPUs and of
    accelerators, and EFA where it is used (instances_validators). The GPU model is ours: Slurm's gres names only one model for
    all nodes of a compute resource (aws-parallelcluster issue 5880). Network cards are ours too: a type with several needs
    another launch template.
    """
    return (kind.vcpus if smt else kind.cores, kind.gpus, kind.accelerators, kind.architecture, kind.efa, kind.network_cards)


def group_types(kinds: Iterable[InstanceType], *, smt: bool = True) -> list[tuple[InstanceType, ...]]:
    """Split a queue's types into groups of equal likeness, in the order of the seed and without duplicates."""
    groups: dict[tuple[object, ...], dict[str, InstanceType]] = {}
    for kind in kinds:
        groups.setdefault(likeness(kind, smt=smt), {})[kind.name] = kind
    return [tuple(group.values()) for group in groups.values()]


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Share a whole number out in proportion to weights by the method of largest remainders: the sum is exact.

    Of equal remainders the earlier one wins. All weights zero: shared evenly.
    """
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda position: -remainders[position])
    for position in by_remainder[: total - sum(shares)]:
        shares[position] += 1
    return shares


def share_counts(min_count: int, max_count: int, weights: Sequence[int]) -> list[tuple[int, int]]:
    """Share a queue's node counts among its groups.

    Every group gets a MaxCount of at least 1, as ParallelCluster demands, and the rest by weight; the minimum follows the
    maximum, so that it is nowhere larger. Both sums are kept exactly.
    Needs min_count <= max_count and at most max_count groups.
    """
    spare = share(max_count - len(weights), weights)
    maxima = [1 + count for count in spare]
    return list(zip(share(min_count, maxima), maxima, strict=True))


def plan_groups(
    kinds: Sequence[InstanceType], min_count: int, max_count: int, *, smt: bool = True
) -> tuple[list[Group], list[InstanceType]]:
    """Decide on a queue's compute resources.

    Returns the groups, and the types that are left out because max_count is smaller than the number of groups; those written
    last in the seed are left out first.
    """
    grouped = group_types(kinds, smt=smt)
    kept, dropped = grouped[:max_count], grouped[max_count:]
    counts = share_counts(min_count, max_count, [len(types) for types in kept])
    names = unique_names([resource_name(types[0], smt=smt) for types in kept])
    groups = [Group(name, types, low, high) for name, types, (low, high) in zip(names, kept, counts, strict=True)]
    return groups, [kind for types in dropped for kind in types]


def resource_name(kind: InstanceType, *, smt: bool = True) -> str:
    """Return a compute resource's name: "v16", "v4-1t4"; "c8" for 8 cores without multithreading."""
    devices = [f"{count or 'part'}{_slug(model)}" for _maker, model, count in kind.gpus + kind.accelerators]
    parts = [f"v{kind.vcpus}" if smt else f"c{kind.cores}", *devices]
    return "-".join(parts)[:NAME_LENGTH].rstrip("-")


def unique_names(names: Iterable[str]) -> list[str]:
    """Number the names that occur again: "v4", "v4" become "v4", "v4-2". None grows over the limit."""
    used: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in used:
            number += 1
            ending = f"-{number}"
            candidate = name[: NAME_LENGTH - len(ending)] + ending
        used.append(candidate)
    return used


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
