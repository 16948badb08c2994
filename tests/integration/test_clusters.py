"""petal.hpc.cluster_info and petal.hpc.cluster against the lab's CloudFormation and EC2; the stacks stand for those of ParallelCluster."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from plugins.module_utils._aws.clusters import ClusterGateway
from plugins.module_utils._core.errors import ExplainedError
from plugins.modules.cluster import ARGUMENT_SPEC as CLUSTER_SPEC
from plugins.modules.cluster import run as run_cluster
from plugins.modules.cluster_info import run
from tests.chain.playbook import ROOT

pytestmark = pytest.mark.lab

SNAPSHOT = "snap-0123456789abcdef0"
OWN = {"CreatedBy": "petal.hpc", "petal:seed": "genomics", "petal:snapshot-id": SNAPSHOT, "petal:fingerprint": "sha256:aa"}
BROKEN = {"Type": "AWS::EC2::NetworkInterface", "DependsOn": "Group", "Properties": {"SubnetId": "subnet-00000000000000bad"}}


def tag_list(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def make_stack(lab, name, tags, *, parallelcluster=True, broken=False):
    """Create a stack as ParallelCluster's looks from outside: tagged, with a volume that goes with it and a security group."""
    own = {"parallelcluster:cluster-name": name, "parallelcluster:version": "3.16.1"} if parallelcluster else {}
    volume = {"Type": "AWS::EC2::Volume", "DeletionPolicy": "Delete", "Properties": {"AvailabilityZone": "us-east-1a", "Size": 8}}
    group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "cluster"}}
    resources = {"Scratch": volume, "Group": group, **({"Broken": BROKEN} if broken else {})}
    body = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    lab.client("cloudformation").create_stack(StackName=name, TemplateBody=body, Tags=tag_list({**tags, **own}))


def run_node(lab, cluster, kind):
    tags = tag_list({"parallelcluster:cluster-name": cluster, "parallelcluster:node-type": kind})
    image = lab.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    lab.client("ec2").run_instances(
        ImageId=image,
        InstanceType="m6a.large",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )


@pytest.fixture(scope="module")
def account(lab):
    """An account with two clusters, and a stack that is none."""
    make_stack(lab, "genomics", OWN)
    make_stack(lab, "by-hand", {})
    make_stack(lab, "website", {}, parallelcluster=False)
    for kind in ("HeadNode", "Compute"):
        run_node(lab, "genomics", kind)
    return ClusterGateway(lab.client("cloudformation"), lab.client("ec2"))


def described(account, name=None, details=False):
    return run({"name": name, "details": details, "config": False}, account)["clusters"]


def test_clusters_are_listed_and_other_stacks_are_not(account):
    assert [(one["name"], one["managed"]) for one in described(account)] == [("by-hand", False), ("genomics", True)]


def test_a_cluster_is_described_from_stack_and_tags(account):
    (cluster,) = described(account, "genomics", details=True)
    assert cluster["status"] == "CREATE_COMPLETE"
    assert (cluster["seed"], cluster["snapshot_id"], cluster["parallelcluster"]) == ("genomics", SNAPSHOT, "3.16.1")
    assert cluster["head_node"]["kind"] == "HeadNode" and cluster["head_node_ip"]
    assert cluster["compute_nodes"] == 1
    assert [(one["name"], one["deletion_policy"]) for one in cluster["storage"]] == [("Scratch", "Delete")]
    assert cluster["failures"] == []


@pytest.mark.parametrize("name", ["website", "no-such-stack"])
def test_what_is_no_cluster_is_not_found(account, name):
    assert described(account, name) == []


class NoCommand:
    """A command that must not be run."""

    def __getattr__(self, name):
        raise AssertionError(f"pcluster {name} was run")


def test_a_deletion_asks_for_everything_that_would_be_lost(account):
    params = {**{option: spec.get("default") for option, spec in CLUSTER_SPEC.items()}, "name": "genomics", "state": "absent"}
    with pytest.raises(ExplainedError) as refused:
        run_cluster(params, account, NoCommand(), False)
    assert "confirm=genomics" in str(refused.value)
    assert "EBS volume Scratch would be deleted with its data" in str(refused.value)
    assert "1 compute nodes run" in str(refused.value)


def test_the_inventory_names_head_nodes_by_their_cluster(account, lab):
    program = pathlib.Path(sys.executable).parent / "ansible-inventory"
    environment = {**os.environ, **lab.environment(), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections")}
    command = [str(program), "-i", str(ROOT / "docs/inventory/head_nodes.aws_ec2.yml"), "--list"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    inventory = json.loads(listed.stdout)
    assert inventory["head_nodes"]["hosts"] == ["genomics"]
    assert inventory["_meta"]["hostvars"]["genomics"]["ansible_host"]


# Asks AWS who it is, as any program does that is given no credentials of its own, and writes it down.
WHO = """#!{python}
import boto3, json, pathlib
pathlib.Path("{file}").write_text(boto3.client("sts").get_caller_identity()["Account"])
print(json.dumps({{}}))
"""


@pytest.mark.parametrize("way", ["profile", "keys"])
def test_the_command_acts_for_the_account_that_the_task_has_looked_at(lab, tmp_path, way):
    mine = lab.environment(account="111122223333")
    keys = {name.lower(): mine[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN") if name in mine}
    client = lab.client("cloudformation", account="111122223333")
    body = json.dumps({"Resources": {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "cluster"}}}})
    own = {"parallelcluster:cluster-name": way, "parallelcluster:version": "3.16.1"}
    client.create_stack(StackName=way, TemplateBody=body, Tags=tag_list({**OWN, **own}))
    # The shell belongs to the lab's own account, by its default profile.
    shell = lab.environment()
    files = tmp_path / "credentials"
    default = {name.lower(): shell.pop(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    sections = {"default": default, "research": keys}
    lines = [f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in each.items() if value) for name, each in sections.items()]
    files.write_text("".join(lines))
    command = tmp_path / "pcluster"
    command.write_text(WHO.format(python=sys.executable, file=tmp_path / "who"))
    command.chmod(0o755)
    options = {"access_key": "aws_access_key_id", "secret_key": "aws_secret_access_key", "session_token": "aws_session_token"}
    said = {"profile": "research"} if way == "profile" else {name: keys[key] for name, key in options.items() if key in keys}
    arguments = {"name": way, "state": "absent", "confirm": way, "region": "us-east-1", "pcluster": str(command), **said}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **shell,
        "AWS_SHARED_CREDENTIALS_FILE": str(files),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
    }
    program = pathlib.Path(sys.executable).parent / "ansible"
    run = subprocess.run(
        [str(program), "localhost", "-m", "petal.hpc.cluster", "-a", json.dumps(arguments), "-vvv"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
    assert (tmp_path / "who").read_text() == "111122223333"
