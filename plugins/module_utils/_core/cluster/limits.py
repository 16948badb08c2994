# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ParallelCluster's rules for names, numbers and machines, each as a sentence with its fix.

Every function returns the problems it sees, in the words a user can act on. Source: aws-parallelcluster 3.16.1, the
validators named at each rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..facts.instance_types import InstanceType, find_instance_type, instance_type_names, nearest_instance_types
from ..seed.rules import ALLOCATION_STRATEGIES, is_address
from .queues import NAME_LENGTH

CLUSTER_NAME_LENGTH = 60
QUEUES = 50
COMPUTE_RESOURCES = 50
TAGS = 40
LOGIN_POOLS = 10
GRACE_MINUTES = (3, 120)
# With Slurm accounting a cluster's name is a database's, too.
ACCOUNTED_NAME_LENGTH = 40
# constants.NVIDIA_OPENRM_UNSUPPORTED_INSTANCE_TYPES: their GPUs need the closed driver, which official images lack since 3.8.
WITHOUT_OPEN_DRIVER = ("g2", "g3", "g3s", "p2", "p3", "p3dn")


def cluster_name_problems(name: str) -> list[str]:
    """ClusterNameValidator, and the command line, which wants two characters."""
    if re.fullmatch(rf"[a-zA-Z][a-zA-Z0-9-]{{1,{CLUSTER_NAME_LENGTH - 1}}}", name):
        return []
    return [
        f"Cluster name {name!r}: ParallelCluster takes 2 to {CLUSTER_NAME_LENGTH} letters, digits and hyphens, a letter first. "
        f"Set cluster_config_cluster_name, for example to {_name_like(name, CLUSTER_NAME_LENGTH)!r}."
    ]


def accounting_problems(name: str, slurm_settings: dict) -> list[str]:
    """ClusterNameValidator, where Slurm keeps its accounting in a database."""
    if "Database" not in slurm_settings or len(name) <= ACCOUNTED_NAME_LENGTH:
        return []
    return [
        f"Cluster name {name!r} has {len(name)} characters; with Slurm accounting (SlurmSettings.Database) ParallelCluster takes at most "
        f"{ACCOUNTED_NAME_LENGTH}. Set cluster_config_cluster_name."
    ]


def network_problems(elastic_ip: str, security_group_ids: Iterable[str]) -> list[str]:
    """ElasticIpValidator and BaseNetworkingSchema: what an address and a security group look like."""
    problems = []
    # ElasticIpValidator looks for the address itself; it does not find the id of one.
    if elastic_ip and elastic_ip.lower() != "true" and not is_address(elastic_ip):
        problems.append(
            f"cluster_config_elastic_ip is {elastic_ip!r}. Set it to true for a new address, or to one of yours, such as 203.0.113.7."
        )
    wrong = [group for group in security_group_ids if not re.fullmatch(r"sg-([0-9a-f]{8}|[0-9a-f]{17})", group)]
    if wrong:
        problems.append(f"cluster_config_security_group_ids names {', '.join(wrong)}: give the ids of security groups, sg-…")
    return problems


def login_pool_problems(pools: Iterable[dict]) -> list[str]:
    """LoginNodesPoolSchema: names, counts and the time that users get before their node goes."""
    pools = list(pools)
    problems = []
    low, high = GRACE_MINUTES
    for pool in pools:
        where = f"Login nodes {pool['name']!r}"
        if pool.get("count", 1) < 0:
            problems.append(f"{where}: count is {pool['count']}; give 0 or more.")
        if not low <= pool.get("grace_minutes", low) <= high:
            problems.append(f"{where}: grace_minutes is {pool['grace_minutes']}; ParallelCluster takes {low} to {high}.")
    names = [pool["name"] for pool in pools]
    problems += [f"Login nodes {name!r} are listed twice. Rename one." for name in dict.fromkeys(names) if names.count(name) > 1]
    if len(pools) > LOGIN_POOLS:
        problems.append(f"{len(pools)} pools of login nodes: ParallelCluster takes at most {LOGIN_POOLS}.")
    return problems


def reservation_problems(where: str, types: Iterable[InstanceType], reservation: str) -> list[str]:
    """CapacityReservationValidator: what reserved capacity goes with."""
    if not reservation:
        return []
    names = [kind.name for kind in types]
    if re.fullmatch(r"arn:aws[\w-]*:resource-groups:.+:group/.+", reservation):
        return []
    if not re.fullmatch(r"cr-[0-9a-f]{8,17}", reservation):
        return [f"{where}: {reservation!r} is neither a capacity reservation, cr-…, nor the ARN of a resource group of them."]
    if len(names) > 1:
        return [
            f"{where}: capacity reservation {reservation} is for one instance type, and the queue lists {', '.join(names)}. Leave one, or "
            "name a resource group with a reservation for each."
        ]
    return []


def queue_name_problems(names: Iterable[str]) -> list[str]:
    """NameValidator and DuplicateNameValidator."""
    names = list(names)
    problems = []
    for name in dict.fromkeys(names):
        if not re.fullmatch(rf"[a-z][a-z0-9-]{{0,{NAME_LENGTH - 1}}}", name) or name == "default":
            problems.append(
                f"Queue name {name!r}: ParallelCluster takes at most {NAME_LENGTH} lower-case letters, digits and hyphens, a letter "
                f"first, and not 'default'. Rename the queue, for example to {_name_like(name, NAME_LENGTH).lower()!r}."
            )
        if names.count(name) > 1:
            problems.append(f"Queue name {name!r} is used {names.count(name)} times. Give each queue a name of its own.")
    if len(names) > QUEUES:
        problems.append(f"{len(names)} queues: ParallelCluster takes at most {QUEUES} (MaxCountValidator). Join some of them.")
    return problems


def instance_type_problems(name: str, where: str) -> list[str]:
    """A type that EC2 does not have."""
    kind = find_instance_type(name)
    if kind is None:
        nearest = nearest_instance_types(name)
        fix = f"Did you mean {' or '.join(nearest)}?" if nearest else "See `aws ec2 describe-instance-types`."
        return [f"{where}: EC2 has no instance type {name!r}. {fix}"]
    return []


def image_problems(kinds: Iterable[InstanceType], custom_ami: str, where: str) -> list[str]:
    """InstanceTypeBaseAMICompatibleValidator: types that the official images refuse."""
    refused = [kind.name for kind in kinds if needs_closed_driver(kind)]
    if custom_ami or not refused:
        return []
    return [
        f"{where}: {', '.join(refused)} {'is' if len(refused) == 1 else 'are'} refused by ParallelCluster's official images since 3.8, "
        "whose GPU driver needs a Turing or newer GPU. Use g4dn, g5 or g6 types, set cluster_config_custom_ami to an image with "
        "NVIDIA's closed driver, or set cluster_config_unsupported_types to drop to leave them out."
    ]


def needs_closed_driver(kind: InstanceType) -> bool:
    return kind.name.partition(".")[0] in WITHOUT_OPEN_DRIVER


def capacity_problems(where: str, kinds: Iterable[InstanceType], capacity_type: str, strategy: str, counts: tuple[int, int]) -> list[str]:
    """CapacityTypeValidator, InstancesAllocationStrategyValidator, and the counts of a capacity block.

    counts: (min_count, max_count) of the queue.
    """
    if capacity_type not in ALLOCATION_STRATEGIES:
        return [f"{where}: capacity_type {capacity_type!r} is none of {', '.join(ALLOCATION_STRATEGIES)}."]
    problems = []
    offered = {"ONDEMAND": "on_demand", "SPOT": "spot", "CAPACITY_BLOCK": "capacity_block"}[capacity_type]
    # The catalogue says nothing of how a retired type was sold.
    missing = [kind.name for kind in kinds if not kind.retired and not getattr(kind, offered)]
    if missing:
        problems.append(
            f"{where}: {', '.join(missing)} cannot be had as {capacity_type}. Change capacity_type or the instance types of the queue."
        )
    allowed = ALLOCATION_STRATEGIES[capacity_type]
    if strategy and strategy not in allowed:
        fix = f"Choose from {', '.join(allowed)}." if allowed else "Leave it out."
        problems.append(f"{where}: allocation_strategy {strategy!r} does not go with capacity_type {capacity_type}. {fix}")
    low, high = counts
    if capacity_type == "CAPACITY_BLOCK" and low != high:
        problems.append(f"{where}: a capacity block needs min_count equal to max_count, not {low} and {high}. Set both to its size.")
    return problems


def count_problems(where: str, min_count: int, max_count: int) -> list[str]:
    """MaxCount of a compute resource is at least 1, MinCount at least 0 and at most MaxCount."""
    if max_count < 1:
        return [f"{where}: max_count is {max_count}, and ParallelCluster wants at least 1. Remove the queue, or raise max_count."]
    if not 0 <= min_count <= max_count:
        return [f"{where}: min_count {min_count} is not between 0 and max_count {max_count}. Change one of them."]
    return []


def head_memory_needed_gib(total_nodes: int) -> float:
    """HeadNodeMemorySizeValidator: GiB of memory for a number of compute nodes."""
    return min(total_nodes / 25 + 0.6, 16)


def head_node_problems(name: str, total_nodes: int) -> list[str]:
    """A head node too small for the sum of the queues' max_count; the fix names the next larger type."""
    kind = find_instance_type(name)
    needed = head_memory_needed_gib(total_nodes)
    if kind is None or kind.memory_mib / 1024 >= needed:
        return []
    larger = next_larger(kind, needed)
    fix = f"Use {larger}: set compute.head_node in the seed, or cluster_config_head_node." if larger else "Lower max_count."
    return [
        f"Head node {name} has {kind.memory_mib / 1024:g} GiB of memory; ParallelCluster wants {needed:g} GiB for {total_nodes} compute "
        f"nodes (HeadNodeMemorySizeValidator). {fix}"
    ]


def next_larger(kind: InstanceType, memory_gib: float) -> str | None:
    """Return the smallest type of the same family with that much memory, or None."""
    family = kind.name.partition(".")[0] + "."
    relatives = [find_instance_type(name) for name in instance_type_names() if name.startswith(family)]
    enough = [relative for relative in relatives if relative and relative.memory_mib / 1024 >= memory_gib]
    return min(enough, key=lambda relative: (relative.memory_mib, relative.vcpus)).name if enough else None


def architecture_problems(head_node: InstanceType, kinds: Iterable[InstanceType]) -> list[str]:
    """InstanceArchitectureCompatibilityValidator: one architecture in a cluster."""
    others = dict.fromkeys(kind.name for kind in kinds if kind.architecture != head_node.architecture)
    if not others:
        return []
    return [
        f"The head node {head_node.name} is {head_node.architecture}, and {', '.join(others)} "
        f"{'is' if len(others) == 1 else 'are'} not: ParallelCluster wants one architecture in a cluster. "
        "Change the head node, or move those types to a cluster of their own."
    ]


def tag_problems(tags: dict[str, str]) -> list[str]:
    """Reserved keys and the limit on their number."""
    problems = [
        f"Tag {key!r}: ParallelCluster keeps the prefix 'parallelcluster:' for itself. Rename the tag."
        for key in tags
        if key.startswith("parallelcluster:")
    ]
    if len(tags) > TAGS:
        problems.append(f"{len(tags)} tags: ParallelCluster takes at most {TAGS}, ours included. Remove some from cluster_config_tags.")
    return problems


def _name_like(name: str, length: int) -> str:
    """Return a permitted name that resembles a refused one."""
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")
    if not plain[:1].isalpha() or plain == "default":
        plain = f"q-{plain}".rstrip("-")
    return plain[:length].rstrip("-")
