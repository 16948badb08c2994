"""Where AWS refuses to answer, or to launch, nothing is paid for that nobody uses, and what is left is told."""

import json
import pathlib

import pytest

from tests.chain.playbook import ROOT, Playbook, left_over, run
from tests.lab.client import Lab

SEED = ROOT / "tests/data/seeds/toy.yaml"


@pytest.fixture
def lab():
    with Lab.start(data_plane=False) as running:
        subnets = running.client("ec2").describe_subnets(Filters=[{"Name": "availability-zone", "Values": ["us-east-1a"]}])["Subnets"]
        variables = {"seed": str(SEED), "region": "us-east-1", "lint_seed": False, "build_host_subnet_id": subnets[0]["SubnetId"]}
        (pathlib.Path(running.state_dir) / "vars.json").write_text(json.dumps(variables))
        yield running


def refuse(lab, action, code, **more):
    lab.faults([{"action": action, "code": code, "message": f"The lab says {code}.", **more}])


def words(playbook):
    """The output without its line breaks, which follow the width of the terminal."""
    return " ".join(playbook.text.split())


@pytest.mark.parametrize("playbook", ["build_seed.yml", "deploy_cluster.yml"])
def test_a_refused_look_up_ends_a_run_before_it_costs_anything(lab, playbook):
    refuse(lab, "DescribeSnapshots", "UnauthorizedOperation", times=1, status=403)
    refused = run(playbook, lab, build_if_missing=True, cluster_config_subnet_id="subnet-0123456789abcdef0")
    assert not refused.ok
    assert "Nobody knows whether there is a snapshot of sha256:" in words(refused) and "UnauthorizedOperation" in refused.text
    assert "to be built" not in refused.text
    assert not {"RunInstances", "CreateVolume"} & lab.calls().keys()


def test_a_registry_that_cannot_be_read_is_told_before_anything_is_paid_for(lab, tmp_path):
    planned = run("build_seed.yml", lab, "--check", registry=str(tmp_path / "registry"))
    assert planned.ok, planned.text[-3000:]
    (line,) = [line for line in planned.output if line.startswith("petal |") and "| unread" in line]
    assert f"registry {tmp_path}/registry is left out" in line


def test_a_refused_launch_leaves_nothing_that_costs(lab):
    refuse(lab, "RunInstances", "VcpuLimitExceeded")
    refused = run("build_seed.yml", lab)
    assert not refused.ok
    assert left_over(lab) == [], refused.text[-3000:]
    text = words(refused)
    assert "RunInstances answered VcpuLimitExceeded: The lab says VcpuLimitExceeded" in text
    assert "(500 GiB), made for this build and still empty, is deleted: nothing is left." in text
    assert "Service Quotas" in text and "What is installed already stays" not in text


def test_a_refused_launch_keeps_the_volume_of_an_earlier_run_and_says_what_it_costs(lab):
    # The first run is killed while EC2 thinks about the launch.
    lab.faults([{"action": "RunInstances", "delay": 60}])
    killed = Playbook("build_seed.yml", lab)
    assert "volume" in killed.stages(), killed.text[-3000:]
    killed.kill()
    refuse(lab, "RunInstances", "InvalidKeyPair.NotFound")
    refused = run("build_seed.yml", lab, build_host_key_name="nobody")
    assert not refused.ok
    (volume,) = lab.client("ec2").describe_volumes()["Volumes"]
    tags = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
    assert "petal:lease" not in tags and "InvalidKeyPair.NotFound" in tags["petal:failure"], refused.text[-3000:]
    text = words(refused)
    assert f"The volume {volume['VolumeId']} of an earlier run stays (500 GiB, costs about 40.00 USD a month)" in text
    assert f"petal.hpc.build_cancel -e build_id={tags['petal:build-id']} -e region=us-east-1 -e delete_volume=true" in text
    cancelled = run("build_cancel.yml", lab, seed=None, build_id=tags["petal:build-id"], delete_volume=True)
    assert cancelled.ok and left_over(lab) == [], cancelled.text[-3000:]


def test_a_resumed_build_without_a_host_gives_its_lease_back(lab):
    lab.faults([{"action": "RunInstances", "delay": 60}])
    killed = Playbook("build_seed.yml", lab)
    assert "volume" in killed.stages(), killed.text[-3000:]
    killed.kill()
    (volume,) = lab.client("ec2").describe_volumes()["Volumes"]
    tags = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
    refuse(lab, "RunInstances", "Unsupported")
    refused = run("build_resume.yml", lab, seed="", build_id=tags["petal:build-id"])
    assert not refused.ok
    assert f"The volume {volume['VolumeId']} of an earlier run stays" in words(refused), refused.text[-3000:]
    (volume,) = lab.client("ec2").describe_volumes()["Volumes"]
    left = {tag["Key"] for tag in volume["Tags"]}
    assert "petal:lease" not in left and "petal:failure" in left
