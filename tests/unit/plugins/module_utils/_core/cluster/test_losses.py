"""Each loss is taken from a complete configuration by one change, and told by one sentence or more."""

import copy

import pytest
import yaml

from plugins.lookup.cluster_text import render_cluster
from plugins.module_utils._core.cluster.losses import find_losses
from plugins.module_utils._core.cluster.plan import ClusterOptions, plan_cluster
from tests.unit.conftest import ROOT

SEED = {
    "cluster": {"name": "genomics", "region": "us-east-1", "os": "alinux2023", "custom_ami": None},
    "compute": {
        "head_node": "m6a.large",
        "head_node_root_volume_gib": None,
        "login_nodes": None,
        "queues": [
            {
                "name": "compute",
                "instance_types": ["c5n.18xlarge", "c5n.9xlarge"],
                "min_count": 1,
                "max_count": 10,
                "capacity_type": "SPOT",
                "allocation_strategy": "capacity-optimized",
                "efa": None,
                "placement_group": None,
                "disable_smt": True,
                "custom_ami": None,
            }
        ],
    },
    "software": {"spack_packages": ["samtools"]},
    "users": [{"name": "ada", "uid": 5001, "gid": 5001, "groups": ["chem"]}],
    "groups": [{"name": "chem", "gid": 6001}],
    "data": {"s3_mounts": [{"bucket": "data", "mount_point": "/shared/data", "read_only": False}]},
}
OPTIONS = ClusterOptions(
    subnet_id="subnet-0123456789abcdef0", snapshot_id="snap-0123456789abcdef0", snapshot_size_gib=200, hooks="s3://site/petal"
)
FOLDER = ROOT / "templates" / "cluster"


@pytest.fixture(scope="module")
def config():
    return yaml.safe_load(render_cluster([str(FOLDER)], plan_cluster(SEED, OPTIONS).model))


def queue_of(config):
    return config["Scheduling"]["SlurmQueues"][0]


def steps_of(node):
    return node["CustomActions"]["OnNodeConfigured"]["Sequence"]


def test_what_we_render_loses_nothing(config):
    assert find_losses(config, SEED) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: queue_of(c)["ComputeResources"][0].update(MaxCount=1), "Queue 'compute': max_count is 6, not 10."),
        (lambda c: queue_of(c)["ComputeResources"][0].update(MinCount=4), "Queue 'compute': min_count is 4, not 1."),
        (lambda c: queue_of(c).update(CapacityType="ONDEMAND"), "Queue 'compute': capacity_type is ONDEMAND, not SPOT."),
        (lambda c: queue_of(c).pop("AllocationStrategy"), "Queue 'compute': allocation_strategy is None, not capacity-optimized."),
        (lambda c: queue_of(c)["ComputeResources"].pop(), "Queue 'compute': c5n.9xlarge left out."),
        (lambda c: queue_of(c)["ComputeResources"][0].pop("DisableSimultaneousMultithreading"), "multithreading is not disabled"),
        (lambda c: queue_of(c).update(Name="other"), "Queue 'compute' is missing."),
        (lambda c: c["HeadNode"].pop("CustomActions"), "The head node lacks the users ada."),
        (lambda c: steps_of(queue_of(c)).pop(0), "Queue 'compute' lacks the module command for /shared."),
        (lambda c: steps_of(queue_of(c))[1].update(Args=["chem:6001", "ada:5002:5001:chem"]), "Queue 'compute' lacks the users ada."),
        (lambda c: steps_of(queue_of(c))[1].update(Args=["ada:5001:5001:chem"]), "Queue 'compute' lacks the groups chem."),
        (lambda c: steps_of(queue_of(c))[1].update(Args=["chem:6001", "ada:5001:5001:"]), "Queue 'compute' lacks the users ada."),
        (lambda c: steps_of(queue_of(c)).pop(2), "Queue 'compute' lacks the S3 bucket data at /shared/data."),
        (lambda c: queue_of(c).pop("Iam"), "Queue 'compute' may not write the S3 bucket data."),
        (lambda c: c["HeadNode"]["Iam"]["S3Access"][0].update(EnableWriteAccess=False), "The head node may not write the S3 bucket data."),
    ],
)
def test_each_loss_is_told(config, change, sentence):
    changed = copy.deepcopy(config)
    change(changed)
    assert any(sentence in loss for loss in find_losses(changed, SEED)), find_losses(changed, SEED)


def test_efa_that_the_seed_asks_for_is_missed(config):
    seed, changed = copy.deepcopy(SEED), copy.deepcopy(config)
    seed["compute"]["queues"][0].update(efa=True)
    assert find_losses(changed, seed) == []
    del queue_of(changed)["ComputeResources"][0]["Efa"]
    assert find_losses(changed, seed) == ["Queue 'compute': EFA is not enabled."]
