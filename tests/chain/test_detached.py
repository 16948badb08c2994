"""Long builds: they go on without a controller, after a kill and on another host, and a seed that asks for more starts from what there is.

Nothing that one run has finished is built again by another.
"""

import json
import pathlib
import re
import subprocess
import time

import pytest

from tests.chain.playbook import ROOT, Playbook, file_of_snapshot, installs, left_over, run, snapshots, write_seed
from tests.lab import wheels
from tests.lab.data_plane import image_of
from tests.lab.fixtures import lab_hosts  # noqa: F401
from tests.lab.roles import make_profile

pytestmark = pytest.mark.hosts
POLICY = json.loads((ROOT / "playbooks/files/build_host_policy.json").read_text())
PATIENCE = 600  # seconds; a build of the toy packages takes 40 on a quiet machine
LOG = "root/var/log/petal-detached.log"
IN_THE_MIDDLE = re.compile(r"\b[2-5]/\d packages")


@pytest.fixture(scope="module")
def options(lab_hosts):  # noqa: F811
    """The variables of a detached build, on hosts that may do no more than the documented policy says."""
    make_profile(lab_hosts, "petal-build", POLICY)
    return {
        "volume_size_gib": 4,
        "spack_bootstrap_connection_timeout": 5,
        "build_host_instance_profile": "petal-build",
        "detach_environment": {
            "AWS_ENDPOINT_URL": lab_hosts.variables["lab_endpoint_for_hosts"],
            "PIP_NO_INDEX": 1,
            "PIP_FIND_LINKS": wheels.ensure(),
            "PIP_NO_COMPILE": 1,  # Python compiles what it uses, which is a small part
        },
    }


def wait_until(true, what):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what} has not happened within {PATIENCE} seconds"
        time.sleep(1)


def host_of(lab):
    """Return the id, the address and the folder of the one host that runs."""
    alive = [{"Name": "instance-state-name", "Values": ["running"]}]
    (instance,) = [i for r in lab.client("ec2").describe_instances(Filters=alive)["Reservations"] for i in r["Instances"]]
    return (
        instance["InstanceId"],
        instance["PrivateIpAddress"],
        pathlib.Path(lab.variables["lab_state_dir"]) / "hosts" / instance["InstanceId"],
    )


def run_on(lab, address, command):
    config = pathlib.Path(lab.variables["lab_state_dir"]) / "ssh_config"
    subprocess.run(["ssh", "-F", str(config), address, command], check=True)


def file_system_gib(lab, snapshot_id):
    """Return the size of a snapshot's file system, which may be smaller than its volume."""
    image = image_of(pathlib.Path(lab.variables["lab_state_dir"]), snapshot_id)
    said = subprocess.run(["dumpe2fs", "-h", str(image)], capture_output=True, text=True, check=True).stdout
    blocks, block_size = (int(re.search(rf"^{name}: +(\d+)", said, re.MULTILINE)[1]) for name in ("Block count", "Block size"))
    return blocks * block_size / 2**30


def wait_for_the_middle(folder):
    wait_until(lambda: (folder / LOG).exists() and IN_THE_MIDDLE.search((folder / LOG).read_text()), "the middle of the build")


def wait_for_line(playbook, pattern):
    for line in playbook.process.stdout:
        playbook.output.append(line)
        if pattern.search(line):
            return
    raise AssertionError(f"{pattern.pattern} is in no line of:\n{playbook.text[-6000:]}")


def assert_nothing_finished_was_built_again(lab, seed, packages):
    """The one snapshot of a seed holds what was asked for, and no run has built what an earlier one had finished."""
    (snapshot,) = snapshots(lab, seed)
    assert snapshot["State"] == "completed"
    runs = installs(file_of_snapshot(lab, snapshot["SnapshotId"], ".petal/build.log"))
    finished = set()
    for built, done in runs:
        assert not built & finished
        finished |= done
    assert len(finished) == packages
    return len(runs)


@pytest.fixture(scope="module")
def detached(lab_hosts, options, tmp_path_factory):  # noqa: F811
    """The snapshot of a build that its controller left and whose run on the host was killed in the middle."""
    seed = write_seed(tmp_path_factory.mktemp("seeds"), "detached", [1, 2, 3, 4, 5, 6])
    started = run("build_seed.yml", lab_hosts, seed=seed, detach=True, from_scratch=True, right_size=True, **options)
    assert started.ok, started.text[-4000:]
    assert "goes on alone" in started.text
    _instance, address, folder = host_of(lab_hosts)
    wait_for_the_middle(folder)
    run_on(lab_hosts, address, "systemctl kill --signal=KILL petal-detached")
    wait_until(lambda: left_over(lab_hosts) == [], "the end of the host and its volume")
    (snapshot,) = snapshots(lab_hosts, "detached")
    return snapshot


def test_a_detached_build_ends_as_one_snapshot_with_nothing_left_though_its_run_is_killed(lab_hosts, detached):  # noqa: F811
    assert (detached["State"], detached["VolumeSize"]) == ("completed", 2), "of a volume of 4 GiB, fitted by the host"
    assert_nothing_finished_was_built_again(lab_hosts, "detached", 6)


def test_a_seed_that_asks_for_two_packages_more_builds_these_two_on_a_copy_of_the_first(lab_hosts, options, detached, tmp_path):  # noqa: F811
    seed = write_seed(tmp_path, "child", [1, 2, 3, 4, 5, 6, 9, 10])
    second = run("build_seed.yml", lab_hosts, seed=seed, right_size=True, **options)
    assert second.ok, second.text[-4000:]
    assert f"starts from {detached['SnapshotId']}, which lacks 2 of 8 packages" in second.text
    assert f"stays at 4 GiB: its snapshot stores only what differs from {detached['SnapshotId']}" in second.text
    (child,) = snapshots(lab_hosts, "child")
    assert file_system_gib(lab_hosts, child["SnapshotId"]) == child["VolumeSize"] == 4
    compiled, there = installs(file_of_snapshot(lab_hosts, child["SnapshotId"], ".petal/build.log"))[-1]
    assert compiled == {"sleeper09@1.0", "sleeper10@1.0"} <= there
    tags = {snapshot["SnapshotId"]: {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} for snapshot in (detached, child)}
    assert tags[child["SnapshotId"]]["petal:parent"] == tags[detached["SnapshotId"]]["petal:fingerprint"]
    assert "petal:parent" not in tags[detached["SnapshotId"]]
    stored = float(re.search(rf"stores ([\d.]+) GiB beside {detached['SnapshotId']}", second.text)[1])
    # What a build writes anew each time, its records and the file system's own, is most of what the stand-in for Spack makes.
    assert 0 < stored <= child["FullSnapshotSizeInBytes"] / 2**30
    assert left_over(lab_hosts) == []


def test_a_lost_host_is_replaced_within_the_run_and_a_killed_run_is_resumed_by_its_id_alone(lab_hosts, options, tmp_path):  # noqa: F811
    seed = write_seed(tmp_path, "replaced", [1, 2, 3, 4, 6, 8])
    killed = Playbook("build_seed.yml", lab_hosts, seed=seed, replace_lost_hosts=True, from_scratch=True, **options)
    wait_for_line(killed, IN_THE_MIDDLE)
    lab_hosts.client("ec2").terminate_instances(InstanceIds=[host_of(lab_hosts)[0]])
    wait_for_line(killed, re.compile(r"\| lost"))
    wait_for_line(killed, re.compile(r"\| mounted"))
    killed.kill()
    (volume,) = lab_hosts.client("ec2").describe_volumes(Filters=[{"Name": "tag:petal:seed", "Values": ["replaced"]}])["Volumes"]
    (build_id,) = (tag["Value"] for tag in volume["Tags"] if tag["Key"] == "petal:build-id")
    resumed = run("build_resume.yml", lab_hosts, build_id=build_id, **options)
    assert resumed.ok, resumed.text[-6000:]
    assert left_over(lab_hosts) == []
    assert assert_nothing_finished_was_built_again(lab_hosts, "replaced", 6) == 2
