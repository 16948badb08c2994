"""Seeds that nobody wrote: whatever a valid seed asks for, ParallelCluster accepts what we render, and nothing is lost.

The random numbers are fixed, so that a failure can be seen again; one process judges all.
"""

from __future__ import annotations

import random

import pytest
import yaml

from plugins.lookup.cluster_text import render_cluster
from plugins.module_utils._core.cluster import ClusterOptions, plan_cluster
from plugins.module_utils._core.cluster_losses import find_losses
from plugins.module_utils._core.instance_types import find_instance_type
from plugins.module_utils._core.seed_rules import ALLOCATION_STRATEGIES
from tests.judge.running import ROOT, judged, needs_judge

pytestmark = [pytest.mark.judge, needs_judge]

SEEDS = 40
# Families that us-east-1 offers in all of their sizes, with and without GPUs, EFA and several network cards.
FAMILIES = ["c5", "c5a", "c5n", "c6a", "c6i", "m5", "m6a", "r5", "r6i", "t3", "g4dn", "g5"]
SIZES = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "9xlarge", "12xlarge", "16xlarge", "24xlarge"]
TYPES = [name for family in FAMILIES for size in SIZES if find_instance_type(name := f"{family}.{size}")]
SITE = ClusterOptions(
    subnet_id="subnet-0123456789abcdef0", snapshot_id="snap-0123456789abcdef0", snapshot_size_gib=200, hooks="s3://my-site/petal"
)


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


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Seed number -> its file."""
    folder = tmp_path_factory.mktemp("random")
    files = {}
    for number in range(SEEDS):
        plan = plan_cluster(random_seed(number), SITE)
        assert plan.problems == [], number
        files[number] = folder / f"random-{number}.yaml"
        files[number].write_text(render_cluster([str(ROOT / "templates/cluster")], plan.model))
    return files


@pytest.fixture(scope="module")
def answers(rendered):
    return judged(rendered.values())


@pytest.mark.parametrize("number", range(SEEDS))
def test_parallelcluster_accepts_any_seed(rendered, answers, number):
    assert [finding for finding in answers[str(rendered[number])] if finding["level"] == "ERROR"] == []


@pytest.mark.parametrize("number", range(SEEDS))
def test_nothing_of_any_seed_is_lost(rendered, number):
    assert find_losses(yaml.safe_load(rendered[number].read_text()), random_seed(number)) == []
