"""The seeds that benchmarks and tests render: those we know, and as many as wanted that nobody wrote, with fixed random numbers."""

from __future__ import annotations

import json
import pathlib
import random

from plugins.lookup.cluster_text import render_cluster
from plugins.module_utils._core.cluster.plan import ClusterOptions, plan_cluster
from plugins.module_utils._core.facts.instance_types import find_instance_type
from plugins.module_utils._core.seed.read import read_seed
from plugins.module_utils._core.seed.rules import ALLOCATION_STRATEGIES
from tests.judge.running import ROOT

SEEDS = sorted((ROOT / "tests/data/seeds").rglob("*.yaml"))
SCHEMA = json.loads((ROOT / "schemas/seed.schema.json").read_text())
SITE = {
    "subnet_id": "subnet-0123456789abcdef0",
    "key_name": "my-key",
    "snapshot_id": "snap-0123456789abcdef0",
    "snapshot_size_gib": 200,
    "hooks": "s3://my-site/petal",
    "iam_policies": ("arn:aws:iam::aws:policy/AmazonS3FullAccess",),
    "target": "x86_64_v3",
}
# The seed's mistake or ParallelCluster's rule, in words of the refusal that also say what to do.
REFUSED = {
    "petal/rna-seq.yaml": "line 25",
    "petal/machine-learning.yaml": "p3.2xlarge is refused by ParallelCluster's official images since 3.8",
    "petal/ml-inference.yaml": "p3.8xlarge is refused by ParallelCluster's official images since 3.8",
    "petal/spot-compute.yaml": "(HeadNodeMemorySizeValidator). Use t3.xlarge",
}
# With these options the refused seeds that can be mended by options alone are accepted.
MENDED = {
    "petal/machine-learning.yaml": {"unsupported_types": "drop"},
    "petal/ml-inference.yaml": {"unsupported_types": "drop"},
    "petal/spot-compute.yaml": {"head_node": "t3.xlarge"},
}
# A user's own script, and file systems that ParallelCluster makes and that exist.
SHARED = {
    "scripts": ({"script": "s3://my-site/own/tune.sh", "args": ["fast"]},),
    "shared_storage": (
        {"Name": "home", "MountDir": "/efs", "StorageType": "Efs", "EfsSettings": {"Encrypted": True, "DeletionPolicy": "Retain"}},
        {"Name": "old", "MountDir": "/old", "StorageType": "Efs", "EfsSettings": {"FileSystemId": "fs-0123456789abcdef0"}},
        {"Name": "scratch", "MountDir": "/fsx", "StorageType": "FsxLustre", "FsxLustreSettings": {"StorageCapacity": 1200}},
    ),
}
# What a site gives every node, and an address that stays.
NETWORK = {
    "elastic_ip": "203.0.113.7",
    "security_group_ids": ("sg-0123456789abcdef0",),
    "login_nodes": ({"name": "login", "instance_type": "c6i.large"},),
}
# Capacity that is reserved, for one type of instances and for a group of them.
RESERVED = {
    "reservation": {"capacity_reservations": {"compute": "cr-0123456789abcdef0"}},
    "reservation group": {"capacity_reservations": {"compute": "arn:aws:resource-groups:us-east-1:123456789012:group/reserved"}},
}
# Families that us-east-1 offers in all of their sizes, with and without GPUs, EFA and several network cards.
FAMILIES = ["c5", "c5a", "c5n", "c6a", "c6i", "m5", "m6a", "r5", "r6i", "t3", "g4dn", "g5"]
SIZES = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "9xlarge", "12xlarge", "16xlarge", "24xlarge"]
TYPES = [name for family in FAMILIES for size in SIZES if find_instance_type(name := f"{family}.{size}")]


def name_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOT / "tests/data/seeds").as_posix()


def read(path: pathlib.Path) -> dict:
    return read_seed(path.read_text(), SCHEMA, path.name).seed


def render(seed: dict, **options) -> tuple[list[str], str]:
    """Return (problems, text); the text is empty where there are problems."""
    plan = plan_cluster(seed, ClusterOptions(**{**SITE, **options}))
    return plan.problems, "" if plan.problems else render_cluster([str(ROOT / "templates/cluster")], plan.model)


def cases() -> dict[str, tuple[pathlib.Path, dict]]:
    """Return name -> (seed, options) of every seed that has to be accepted, also the refused ones as they are mended."""
    whole = {name_of(path): (path, {}) for path in SEEDS if name_of(path) not in REFUSED}
    minimal = next(path for path in SEEDS if name_of(path) == "petal/minimal.yaml")
    sites = {"shared": SHARED, "network": NETWORK, **RESERVED}
    whole |= {f"{name} minimal.yaml": (minimal, options) for name, options in sites.items()}
    return whole | {f"mended {name}": (ROOT / "tests/data/seeds" / name, options) for name, options in MENDED.items()}


def random_queue(number: int, dice: random.Random) -> dict:
    types = dice.sample(TYPES, dice.randint(1, 8))
    capacity_type = dice.choice(["ONDEMAND", "SPOT"])
    # Every size needs a node.
    max_count = dice.randint(len(types), 100)
    return {
        "name": f"queue{number}",
        "instance_types": types,
        "min_count": dice.randint(0, max_count),
        "max_count": max_count,
        "capacity_type": capacity_type,
        "allocation_strategy": dice.choice([None, *ALLOCATION_STRATEGIES[capacity_type]]),
        "efa": None,
        "placement_group": dice.choice([None, False]),
        "disable_smt": dice.random() < 0.2,
        "custom_ami": None,
    }


def random_seed(number: int) -> dict:
    dice = random.Random(number)
    return {
        "cluster": {
            "name": f"random-{number}",
            "region": "us-east-1",
            "os": dice.choice(["alinux2023", "ubuntu2404", "rhel9"]),
            "custom_ami": None,
        },
        "compute": {
            "head_node": "m6a.2xlarge",
            "head_node_root_volume_gib": dice.choice([None, 100]),
            "queues": [random_queue(position, dice) for position in range(dice.randint(1, 6))],
            "login_nodes": None,
        },
        "software": {"spack_packages": ["zlib"]},
        "users": [{"name": f"user{n}", "uid": 5000 + n, "gid": 5000 + n, "groups": []} for n in range(dice.randint(0, 4))],
        "data": {
            "s3_mounts": [
                {"bucket": f"bucket-{n}", "mount_point": f"{dice.choice(['/shared', '/data'])}/{n}", "read_only": dice.random() < 0.5}
                for n in range(dice.randint(0, 4))
            ]
        },
    }
