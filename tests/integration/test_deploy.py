"""The playbooks of a deployment, one after the other, against the lab; a stand-in takes the place of ParallelCluster's command."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import yaml

from tests.chain.playbook import ROOT, run
from tests.judge.running import needs_judge
from tests.unit.plugins.module_utils._core.build.test_command import given_by

pytestmark = pytest.mark.lab

NAME = "starter-cluster"
NEXT = "/sw/next"
CHANGED = {"cluster_config_overrides": {"HeadNode": {"InstanceType": "m6a.4xlarge"}}}
CHANGE = "HeadNode.InstanceType: t3.large -> m6a.4xlarge"
# Software that nobody has built, and that the seed alone does not say.
UNBUILT = {"mount_path": "/opt/other software", "spack_bootstrap_keep_build_dependencies": True}
OWN, PLANNED = "starter.cluster.yaml", "starter.cluster.planned.yaml"


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
    (folder / "changed").mkdir()
    steps = {
        "build": ("../tests/lab/playbooks/stand_for_software.yml", {}),
        "deploy": ("deploy_cluster.yml", {"create": True}),
        "again": ("deploy_cluster.yml", {"create": True}),
        "changed": ("deploy_cluster.yml", {"create": True, **CHANGED}),
        "changed, not created": ("deploy_cluster.yml", CHANGED),
        "plan": ("deploy_plan.yml", {"plan_path": str(folder)}),
        "plan changed": ("deploy_plan.yml", {"plan_path": str(folder / "changed"), **CHANGED}),
        "build next": ("../tests/lab/playbooks/stand_for_software.yml", {"mount_path": NEXT}),
        "upgrade": ("upgrade_software.yml", {"mount_path": NEXT, "apply": True, "config": str(folder / "drifted.cluster.yaml")}),
        "status": ("cluster_status.yml", {}),
        "delete unconfirmed": ("delete_cluster.yml", {}),
        "delete": ("delete_cluster.yml", {"confirm": NAME}),
    }
    runs, kept = {}, {}
    for step, (playbook, variables) in steps.items():
        if step == "upgrade":
            # A file that is not what the cluster runs with: ParallelCluster would refuse an update of its head node.
            text = (folder / "starter.cluster.yaml").read_text()
            (folder / "drifted.cluster.yaml").write_text(text.replace("t3.large", "m6a.8xlarge"))
        runs[step] = run(playbook, lab, **common, **variables)
        kept[step] = {file.name: file.read_text() for file in folder.glob("*.yaml")}
    wanted = {name: common[name] for name in ("seed", "registry", "cluster_name")} | UNBUILT
    runs["not built"] = run("deploy_cluster.yml", lab, **wanted)
    runs["check"] = run("deploy_cluster.yml", lab, "--check", build_if_missing=True, lint_seed=False, **wanted)
    return {"folder": folder, "kept": kept, **runs}


def test_the_cluster_is_created_followed_and_its_address_told(journey):
    deployed = journey["deploy"]
    assert deployed.ok, deployed.text[-3000:]
    assert re.search(rf"^{NAME} \| +\d+:\d\d \| CREATE_COMPLETE, 1 of 1 resources complete", deployed.text, re.MULTILINE)
    assert "CREATE_COMPLETE: ssh ec2-user@" in deployed.text


def test_a_cluster_that_runs_with_the_seed_exists_already(journey):
    again = journey["again"]
    assert again.ok, again.text[-3000:]
    assert "exists already, as the seed says" in again.text
    assert journey["kept"]["again"] == journey["kept"]["deploy"]


def test_a_changed_seed_is_refused_with_the_difference_and_the_record_stays(journey):
    refused, kept = journey["changed"], journey["kept"]
    assert not refused.ok
    assert CHANGE in refused.text and "petal.hpc.upgrade_software" in refused.text and "pcluster update-cluster" in refused.text
    assert kept["changed"][OWN] == kept["deploy"][OWN]
    assert "m6a.4xlarge" in kept["changed"][PLANNED]


def test_a_config_that_is_only_written_leaves_the_record_too(journey):
    assert journey["changed, not created"].ok, journey["changed, not created"].text[-3000:]
    assert journey["kept"]["changed, not created"][OWN] == journey["kept"]["deploy"][OWN]


def test_the_plan_says_what_would_change(journey):
    assert journey["plan changed"].ok, journey["plan changed"].text[-3000:]
    plan = json.loads((journey["folder"] / "changed/plan.json").read_text())
    assert (plan["ready"], plan["differences"]) == (False, [CHANGE])
    text = (journey["folder"] / "changed/plan.txt").read_text()
    assert "exists, and would change" in text and CHANGE in text


def test_an_upgrade_starts_from_what_the_cluster_runs_with_and_not_from_a_file(journey):
    text = journey["upgrade"].text
    assert "is not what starter-cluster runs with" in text and "m6a.8xlarge" in text
    config = yaml.safe_load((journey["folder"] / "drifted.cluster.new.yaml").read_text())
    assert config["HeadNode"]["InstanceType"] == "t3.large"


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
    config = yaml.safe_load((journey["folder"] / "drifted.cluster.new.yaml").read_text())
    assert [entry["MountDir"] for entry in config["SharedStorage"]] == ["/shared", NEXT]
    assert "UPDATE_COMPLETE" in journey["status"].text


def test_users_are_told_how_they_load_the_software(journey):
    words = " ".join(journey["deploy"].text.split())
    assert re.search(r"module avail; module load (\S+ )*\S+", words)
    assert "petal.hpc.cluster_status shows how it is" in words
    assert re.search(r"mounts snap-\w+ \(tags in us-east-1, account \d{12}, alinux2023, \d+ GiB, of 20", words)


def test_the_command_that_is_printed_builds_what_was_asked_for(journey, lab):
    refused = journey["not built"]
    assert not refused.ok
    printed, *_again = re.findall(r"ansible-playbook petal\.hpc\.build_seed .*", refused.text.replace("\\n", "\n").replace('\\"', '"'))
    planned = run("build_seed.yml", lab, "--check", lint_seed=False, **given_by(printed.strip()))
    assert planned.ok, planned.text[-3000:]
    (asked,) = set(re.findall(r"[\w-]+-alinux2023-x86_64-[0-9a-f]{12}", refused.text))
    assert re.search(rf"{asked} for \w+: to be built", planned.text)


def test_a_check_says_what_would_be_built_first(journey):
    assert journey["check"].ok, journey["check"].text[-3000:]
    assert "would build" in journey["check"].text


def test_a_deletion_has_to_be_confirmed(journey):
    refused = journey["delete unconfirmed"]
    assert not refused.ok
    assert f"confirm={NAME}" in refused.text


def test_a_confirmed_deletion_leaves_nothing(journey, lab):
    assert journey["delete"].ok, journey["delete"].text[-3000:]
    assert lab.client("cloudformation").describe_stacks()["Stacks"] == []
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    assert lab.client("ec2").describe_instances(Filters=alive)["Reservations"] == []
