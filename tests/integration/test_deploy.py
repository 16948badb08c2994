"""The playbooks of a deployment, one after the other, against the lab; a stand-in takes the place of ParallelCluster's command."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import yaml

from tests.chain.playbook import ROOT, run
from tests.judge.running import needs_judge

pytestmark = pytest.mark.lab

NAME = "starter-cluster"
NEXT = "/sw/next"


@pytest.fixture(scope="module")
def journey(lab, pcluster, tmp_path_factory):
    """Plan, deploy, look, delete: {step: run}; the tests look at what came of each."""
    folder = tmp_path_factory.mktemp("deploy")
    # What `python -m tests.lab start` writes for Ansible.
    given = {"region": "us-east-1", "cluster_config_subnet_id": lab.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]}
    (pathlib.Path(lab.state_dir) / "vars.json").write_text(json.dumps(given))
    common = {
        "seed": str(ROOT / "tests/data/seeds/petal/starter.yaml"),
        "registry": str(folder / "registry"),
        "cluster_config_path": str(folder / "starter.cluster.yaml"),
        "cluster_config_validate": "none",
        "pcluster_command": str(pcluster),
        "interval": 0.1,
        "volume_size_gib": 8,
        "cluster_config_hooks": "s3://my-site/petal",
        "cluster_name": NAME,
    }
    steps = {
        "build": ("../tests/lab/playbooks/stand_for_software.yml", {}),
        "deploy": ("deploy_cluster.yml", {"create": True}),
        "plan": ("deploy_plan.yml", {"plan_path": str(folder)}),
        "build next": ("../tests/lab/playbooks/stand_for_software.yml", {"mount_path": NEXT}),
        "upgrade": ("upgrade_software.yml", {"mount_path": NEXT, "apply": True, "config": common["cluster_config_path"]}),
        "status": ("cluster_status.yml", {}),
        "delete unconfirmed": ("delete_cluster.yml", {}),
        "delete": ("delete_cluster.yml", {"confirm": NAME}),
    }
    runs = {step: run(playbook, lab, **common, **variables) for step, (playbook, variables) in steps.items()}
    return {"folder": folder, **runs}


def test_the_cluster_is_created_followed_and_its_address_told(journey):
    deployed = journey["deploy"]
    assert deployed.ok, deployed.text[-3000:]
    assert re.search(rf"^{NAME} \| +\d+:\d\d \| CREATE_COMPLETE, 1 of 1 resources complete", deployed.text, re.MULTILINE)
    assert "CREATE_COMPLETE: ssh ec2-user@" in deployed.text


def test_the_plan_compares_with_the_running_cluster(journey):
    assert journey["plan"].ok, journey["plan"].text[-3000:]
    plan = json.loads((journey["folder"] / "plan.json").read_text())
    assert plan["ready"] and plan["action"] == "exists"
    assert plan["running"]["status"] == "CREATE_COMPLETE"
    assert plan["snapshot"]["snapshot_id"] == plan["running"]["snapshot_id"]
    assert "tags in us-east-1" in plan["trace"][-1]


@needs_judge
def test_an_upgrade_is_checked_by_parallelcluster_and_made(journey):
    upgraded = journey["upgrade"]
    assert upgraded.ok, upgraded.text[-3000:]
    config = yaml.safe_load((journey["folder"] / "starter.cluster.new.yaml").read_text())
    assert [entry["MountDir"] for entry in config["SharedStorage"]] == ["/shared", NEXT]
    assert "UPDATE_COMPLETE" in journey["status"].text


def test_a_deletion_has_to_be_confirmed(journey):
    refused = journey["delete unconfirmed"]
    assert not refused.ok
    assert f"confirm={NAME}" in refused.text


def test_a_confirmed_deletion_leaves_nothing(journey, lab):
    assert journey["delete"].ok, journey["delete"].text[-3000:]
    assert lab.client("cloudformation").describe_stacks()["Stacks"] == []
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    assert lab.client("ec2").describe_instances(Filters=alive)["Reservations"] == []
