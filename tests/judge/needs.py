"""What an AWS account has to hold for a cluster configuration, read from the configuration itself.

A need is an id or name and its properties, ("subnet-…", {"zone": "us-east-1a"}), in a table of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Needs = dict[str, dict[str, dict[str, Any]]]

# Keys of ParallelCluster's YAML whose text names something in the account.
KIND_OF_KEY = {
    "KeyName": "keys",
    "CustomAmi": "images",
    "KmsKeyId": "kms_keys",
    "ElasticIp": "addresses",
    "InstanceRole": "roles",
    "InstanceProfile": "instance_profiles",
    "Policy": "policies",
    "CapacityReservationId": "capacity_reservations",
}
# The same for lists, and for keys that mean something else in another place.
KIND_OF_PARENT = {
    ("AdditionalSecurityGroups", None): "security_groups",
    ("SecurityGroups", None): "security_groups",
    ("PlacementGroup", "Name"): "placement_groups",
    ("EfsSettings", "FileSystemId"): "efs",
    ("FsxLustreSettings", "FileSystemId"): "fsx",
    ("S3Access", "BucketName"): "buckets",
}
DEFAULT_EBS_GIB = 40


def needs_of(config: dict[str, Any], region: str) -> Needs:
    """Return kind -> {id or name: properties}."""
    needs: Needs = {}

    def put(kind: str, name: str, **properties: Any) -> None:
        needs.setdefault(kind, {}).setdefault(name, properties)

    operating_system = (config.get("Image") or {}).get("Os")
    head_subnet = ((config.get("HeadNode") or {}).get("Networking") or {}).get("SubnetId")
    if head_subnet:
        put("subnets", head_subnet, zone=f"{region}a")
    for path, value in walk(config):
        if path[-1] == "SubnetIds":
            for letter, subnet in zip("abcdef", value, strict=False):
                put("subnets", subnet, zone=region + letter)
        elif path[-1] == "EbsSettings":
            size = value.get("Size", DEFAULT_EBS_GIB)
            if value.get("SnapshotId"):
                put("snapshots", value["SnapshotId"], size_gib=size)
            if value.get("VolumeId"):
                put("volumes", value["VolumeId"], size_gib=size, zone=f"{region}a")
        elif path[-1] == "CapacityReservationResourceGroupArn":
            put("reservation_groups", value, instance_types=_types_of(config, path))
        elif isinstance(value, str):
            kind = _kind(path)
            if value.startswith("s3://"):
                put("objects", value.removeprefix("s3://"))
            elif kind == "images":
                put(kind, value, os=operating_system, head_node=config["HeadNode"]["InstanceType"])
            elif kind:
                put(kind, value)
    return needs


def _types_of(config: dict[str, Any], path: tuple[Any, ...]) -> list[str]:
    """Return the instance types of all compute resources of the queue in which path lies: Scheduling, SlurmQueues, number, …"""
    queue = config[path[0]][path[1]][path[2]]
    return [entry["InstanceType"] for resource in queue["ComputeResources"] for entry in resource["Instances"]]


def _kind(path: tuple[Any, ...]) -> str | None:
    names = [name for name in path if isinstance(name, str)]
    parent = names[-2] if len(names) > 1 else None
    if isinstance(path[-1], int):
        return KIND_OF_PARENT.get((names[-1], None))
    if path[-1] == "KeyName" and parent != "Ssh":
        return None  # the prefix of an S3Access
    return KIND_OF_PARENT.get((parent, path[-1])) or KIND_OF_KEY.get(path[-1])


def walk(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (path, value) for everything below a node of parsed YAML."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield (*path, key), value
        yield from walk(value, (*path, key))


def merge(all_needs: list[Needs]) -> Needs:
    """Join the needs of several configurations; of two with the same name the first counts."""
    merged: Needs = {}
    for needs in all_needs:
        for kind, named in needs.items():
            for name, properties in named.items():
                merged.setdefault(kind, {}).setdefault(name, properties)
    return merged


def correct(needs: Needs, world: Needs) -> Needs:
    """Return the needs as the world really is: properties that it names replace those that a configuration hopes for."""
    return {
        kind: {
            name: {**needs.get(kind, {}).get(name, {}), **world.get(kind, {}).get(name, {})}
            for name in {**needs.get(kind, {}), **world.get(kind, {})}
        }
        for kind in {**needs, **world}
    }
