# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a seed asks for and a cluster configuration lacks.

Read from the finished configuration, after templates and overrides, and hence a check on our own work as well.
"""

from __future__ import annotations

from typing import Any

from .hooks import BUCKETS, SOFTWARE, USERS, people_arguments


def find_losses(config: dict[str, Any], seed: dict[str, Any]) -> list[str]:
    """Return a sentence for each loss.

    config: the parsed configuration.
    seed: what the lookup petal.hpc.seed returns.
    """
    queues = {queue.get("Name"): queue for queue in config["Scheduling"]["SlurmQueues"]}
    losses = []
    for queue in seed["compute"]["queues"]:
        if queue["name"] in queues:
            losses += _queue_losses(queues[queue["name"]], queue)
        else:
            losses.append(f"Queue {queue['name']!r} is missing.")
    for where, node in _kinds_of_nodes(config):
        losses += _node_losses(where, node, config, seed)
    return losses


def _queue_losses(rendered: dict, queue: dict) -> list[str]:
    """Compare counts, types and how the capacity is bought."""
    resources = rendered["ComputeResources"]
    kept = {entry["InstanceType"] for resource in resources for entry in _instances(resource)}
    counts = {
        "min_count": sum(resource.get("MinCount", 0) for resource in resources),
        "max_count": sum(resource.get("MaxCount", 0) for resource in resources),
    }
    wanted = {
        "capacity_type": (rendered.get("CapacityType", "ONDEMAND"), queue["capacity_type"]),
        "allocation_strategy": (rendered.get("AllocationStrategy"), queue["allocation_strategy"]),
        **{name: (count, queue[name]) for name, count in counts.items()},
    }
    where = f"Queue {queue['name']!r}"
    losses = [f"{where}: {name} is {found}, not {asked}." for name, (found, asked) in wanted.items() if found != asked]
    missing = [name for name in queue["instance_types"] if name not in kept]
    if missing:
        losses.append(f"{where}: {', '.join(missing)} left out.")
    if queue["efa"] and not all((resource.get("Efa") or {}).get("Enabled") for resource in resources):
        losses.append(f"{where}: EFA is not enabled.")
    if queue["disable_smt"] and not all(resource.get("DisableSimultaneousMultithreading") for resource in resources):
        losses.append(f"{where}: simultaneous multithreading is not disabled.")
    return losses


def _instances(resource: dict) -> list[dict]:
    return resource.get("Instances") or [{"InstanceType": resource.get("InstanceType")}]


def _kinds_of_nodes(config: dict) -> list[tuple[str, dict]]:
    """Return (words for a person, section) for the head node, each queue and each login pool."""
    pools = (config.get("LoginNodes") or {}).get("Pools") or []
    return [
        ("The head node", config["HeadNode"]),
        *((f"Queue {queue.get('Name')!r}", queue) for queue in config["Scheduling"]["SlurmQueues"]),
        *((f"Login pool {pool.get('Name')!r}", pool) for pool in pools),
    ]


def _node_losses(where: str, node: dict, config: dict, seed: dict) -> list[str]:
    """Compare what the nodes of one section set up with the seed's software, users and buckets."""
    arguments = _hook_arguments(node)
    losses = []
    mount_dirs = [entry["MountDir"] for entry in config.get("SharedStorage") or [] if entry.get("Name") == "software"]
    if any(path not in arguments.get(SOFTWARE, []) for path in mount_dirs):
        losses.append(f"{where} lacks the module command for {mount_dirs[0]}.")
    lost = [one for one in people_arguments(seed["users"], seed.get("groups", [])) if one not in arguments.get(USERS, [])]
    for kind, names in (("groups", _names(lost, colons=1)), ("users", _names(lost, colons=3))):
        if names:
            losses.append(f"{where} lacks the {kind} {', '.join(names)}.")
    for mount in seed["data"]["s3_mounts"]:
        if not any(_mounts(argument, mount) for argument in arguments.get(BUCKETS, [])):
            losses.append(f"{where} lacks the S3 bucket {mount['bucket']} at {mount['mount_point']}.")
        elif "Count" not in node and not _may_use(node, mount):
            losses.append(f"{where} may not {'read' if mount['read_only'] else 'write'} the S3 bucket {mount['bucket']}.")
    return losses


def _hook_arguments(node: dict) -> dict[str, list[str]]:
    """Return {name of our script: its arguments} of a section's custom actions."""
    action = (node.get("CustomActions") or {}).get("OnNodeConfigured") or {}
    steps = action.get("Sequence") or ([action] if action.get("Script") else [])
    return {step["Script"].rpartition("/")[2]: step.get("Args") or [] for step in steps}


def _names(arguments: list[str], colons: int) -> list[str]:
    return [argument.partition(":")[0] for argument in arguments if argument.count(":") == colons]


def _mounts(argument: str, mount: dict) -> bool:
    bucket, mount_point, link, mode = argument.split(":")
    return (bucket, link or mount_point, mode) == (mount["bucket"], mount["mount_point"], "ro" if mount["read_only"] else "rw")


def _may_use(node: dict, mount: dict) -> bool:
    access = (node.get("Iam") or {}).get("S3Access") or []
    mine = [entry for entry in access if entry["BucketName"] == mount["bucket"] and not entry.get("KeyName")]
    return any(mount["read_only"] or entry.get("EnableWriteAccess") for entry in mine)
