"""The tasks by which deploy_cluster creates a cluster, where the creation fails, and where the run is killed on the way."""

from __future__ import annotations

import pathlib
import textwrap

import pytest
import yaml

from tests.chain.playbook import ROOT, Playbook
from tests.integration.test_clusters import make_stack

pytestmark = pytest.mark.lab

NAME = "genomics"
FINGERPRINT = f"sha256:{'a' * 64}"
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  module_defaults:
    group/petal.hpc.ebs:
      region: us-east-1
  tasks:
    - ansible.builtin.include_tasks: {root}/playbooks/tasks/create_cluster.yml
"""
OWN = {"CreatedBy": "petal.hpc", "petal:fingerprint": FINGERPRINT}
GOOD = {
    "Region": "us-east-1",
    "SharedStorage": [{"Name": "software"}],
    "Tags": [{"Key": key, "Value": value} for key, value in OWN.items()],
}


@pytest.fixture(scope="module")
def create(lab, pcluster, tmp_path_factory):
    """Start the tasks with a configuration; return the run."""
    folder = tmp_path_factory.mktemp("create")
    (pathlib.Path(lab.state_dir) / "vars.json").write_text("{}")
    play, config = folder / "play.yml", folder / "cluster.yaml"
    play.write_text(textwrap.dedent(PLAY).format(root=ROOT))

    def start(broken):
        subnet = lab.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        head_node = {"InstanceType": "m6a.large", "Networking": {"SubnetId": subnet}}
        storage = [{"Name": "broken" if broken else "software"}]
        config.write_text(yaml.safe_dump({**GOOD, "HeadNode": head_node, "SharedStorage": storage}))
        variables = {
            "petal_cluster_name": NAME,
            "petal_pcluster": str(pcluster),
            "cluster_config_file": str(config),
            "petal_variant": {"fingerprint": FINGERPRINT},
            "interval": 0.2,
        }
        return Playbook(str(play), lab, **variables)

    return start


def stacks(lab):
    return {stack["StackName"]: stack["StackStatus"] for stack in lab.client("cloudformation").describe_stacks()["Stacks"]}


def test_a_creation_that_fails_after_its_run_was_killed_is_cleared_up_by_the_next_run(lab, create):
    make_stack(lab, "by-hand", {})
    lab.slow({"stack": 3600})
    killed = create(broken=True)
    for line in killed.process.stdout:
        if "CREATE_IN_PROGRESS" in line:
            break
    killed.kill()
    assert stacks(lab)[NAME] == "CREATE_IN_PROGRESS"

    lab.slow({"stack": 0})
    again = create(broken=True).finish()
    assert not again.ok
    assert "Broken (AWS::EC2::NetworkInterface)" in again.text and "subnet-00000000000000bad" in again.text
    assert stacks(lab) == {"by-hand": "CREATE_COMPLETE"}


def test_what_a_failed_creation_has_left_gives_way_to_the_next(lab, create):
    make_stack(lab, NAME, OWN, broken=True)
    assert stacks(lab)[NAME] == "ROLLBACK_COMPLETE"
    made = create(broken=False).finish()
    assert made.ok, made.text[-3000:]
    assert f"What is left of {NAME} is deleted" in made.text and "subnet-00000000000000bad" in made.text
    assert stacks(lab)[NAME] == "CREATE_COMPLETE"
