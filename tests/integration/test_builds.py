"""What is known of builds is in tags: any machine lists them, follows them, and stops them."""

import json
import pathlib
import time

import pytest

from plugins.module_utils._core.build.lease import Lease
from plugins.module_utils._core.build.marks import build_tags
from tests.chain.playbook import ROOT, Playbook, run
from tests.lab.client import Lab

VARIANT = {"fingerprint": "sha256:ab", "os": "alinux2023", "arch": "x86_64", "target": "x86_64_v3", "spack_version": "v1.2.2"}


@pytest.fixture
def lab():
    with Lab.start(data_plane=False) as running:
        (pathlib.Path(running.state_dir) / "vars.json").write_text(json.dumps({"region": "us-east-1"}))
        yield running


def tagged(kind, build_id, **more):
    tags = {**build_tags(build_id, VARIANT, seed="genomics"), "Name": f"genomics-{build_id}", **more}
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def make_build(lab, build_id):
    """A build in the middle, as another controller has left it: volume, host, lease and progress."""
    now = {
        "petal:lease": Lease("elsewhere/7", int(time.time()) + 600).to_tag(),
        "petal:progress": "40% 2/5 packages",
        "petal:stage": "mounted",
    }
    host = lab.run_instance(TagSpecifications=tagged("instance", build_id))
    return host, make_volume(lab, build_id, **now)


def make_volume(lab, build_id, **tags):
    made = lab.client("ec2").create_volume(Size=10, AvailabilityZone="us-east-1a", TagSpecifications=tagged("volume", build_id, **tags))
    return made["VolumeId"]


def volume_tags(lab, volume):
    found = lab.client("ec2").describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])["Volumes"]
    return {tag["Key"]: tag["Value"] for tag in found[0]["Tags"]} if found else None


def test_builds_are_listed_with_their_progress_and_followed_to_their_end(lab):
    host, volume = make_build(lab, "ab12ab12ab12")
    listed = run("build_list.yml", lab)
    assert listed.ok, listed.text[-3000:]
    assert all(text in listed.text for text in ("ab12ab12ab12", "40% 2/5 packages", host, volume, "elsewhere/7 works on it"))

    watched = Playbook("build_status.yml", lab, build_id="ab12ab12ab12", watch=True, watch_interval=1)
    for line in watched.process.stdout:
        watched.output.append(line)
        if "elsewhere/7 works on it" in line:
            failure = {"Key": "petal:failure", "Value": "Take the snapshot: too many"}
            lab.client("ec2").create_tags(Resources=[volume], Tags=[failure])
            lab.client("ec2").delete_tags(Resources=[volume], Tags=[{"Key": "petal:lease"}])
    watched.finish()
    assert watched.ok, watched.text[-3000:]
    assert "elsewhere/7" in watched.text and "elsewhere/7" not in watched.text.split("petal |")[-1]
    assert "failed: Take the snapshot: too many" in watched.text.split("petal |")[-1]


def test_a_cancelled_build_leaves_its_volume_to_the_next_run_unless_that_is_to_go(lab):
    host, volume = make_build(lab, "ab12ab12ab12")
    copy = make_volume(lab, "ab12ab12ab12", **{"Name": "genomics-fitted", "petal:copy-of": volume})
    other_host, other_volume = make_build(lab, "cd34cd34cd34")
    cancelled = run("build_cancel.yml", lab, build_id="ab12ab12ab12")
    assert cancelled.ok, cancelled.text[-3000:]
    assert volume_tags(lab, volume)["petal:progress"] == "cancelled"
    assert "petal:lease" not in volume_tags(lab, volume) and volume_tags(lab, copy)
    again = run("build_cancel.yml", lab, build_id="ab12ab12ab12", delete_volume=True)
    assert again.ok, again.text[-3000:]
    assert volume_tags(lab, volume) is volume_tags(lab, copy) is None
    assert "petal:lease" in volume_tags(lab, other_volume)
    reservations = lab.client("ec2").describe_instances(InstanceIds=[host, other_host])["Reservations"]
    states = {instance["InstanceId"]: instance["State"]["Name"] for found in reservations for instance in found["Instances"]}
    assert states == {host: "terminated", other_host: "running"}


def test_a_build_host_can_be_a_spot_instance(lab, tmp_path):
    role = {"name": "petal.hpc.build_host"}
    tasks = [{"name": "Launch", "ansible.builtin.include_role": role}]
    play = {"name": "Launch a build host", "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    subnet = lab.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    host = {"build_id": "ab12", "name": "one", "subnet_id": subnet, "spot": True, "os": "ubuntu2404"}
    variables = {f"build_host_{name}": value for name, value in host.items()}
    for _again in (False, True):
        launched = run(str(tmp_path / "play.yml"), lab, **variables)
        assert launched.ok, launched.text[-3000:]
    assert "changed=0" in launched.text, launched.text[-3000:]
    filters = [{"Name": "tag:petal:build-id", "Values": ["ab12"]}]
    ((instance,),) = [found["Instances"] for found in lab.client("ec2").describe_instances(Filters=filters)["Reservations"]]
    assert instance["InstanceLifecycle"] == "spot"


def test_a_build_that_nobody_named_is_not_guessed(lab):
    refused = run("build_cancel.yml", lab)
    assert not refused.ok and "seed or build_id and region is missing: add -e seed=" in refused.text


def test_leaving_a_build_to_its_host_needs_an_instance_profile(lab):
    refused = run("build_seed.yml", lab, seed=str(ROOT / "tests/data/seeds/interrupted.yaml"), detach=True)
    assert not refused.ok and "build_host_instance_profile" in refused.text


def test_a_build_on_a_system_that_ansible_cannot_work_on_makes_nothing(lab):
    refused = run("build_seed.yml", lab, seed=str(ROOT / "tests/data/seeds/interrupted.yaml"), os="rhel8", lint_seed=False)
    assert not refused.ok and "Nothing can be built on rhel8" in refused.text
    assert lab.client("ec2").describe_volumes()["Volumes"] == []
