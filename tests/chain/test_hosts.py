"""The lab's hosts behave as instances do, and leave nothing behind."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.chain.instance import Instance
from tests.lab.client import Lab
from tests.lab.fixtures import lab_hosts  # noqa: F401

pytestmark = pytest.mark.hosts
ROOT = pathlib.Path(__file__).resolve().parents[2]
USER_DATA = "#!/bin/sh\necho from user data > /var/tmp/user-data\n"


@pytest.fixture(scope="module")
def instance(lab_hosts):  # noqa: F811
    """An instance that several tests use; each leaves it running and without volumes."""
    launched = Instance(lab_hosts, UserData=USER_DATA)
    yield launched
    launched.terminate()


def host_folder(lab, instance):
    return pathlib.Path(lab.variables["lab_state_dir"], "hosts", instance.id)


def release(lab, instance, volume):
    """Detach and delete a volume."""
    ec2 = lab.client("ec2")
    ec2.detach_volume(VolumeId=volume, InstanceId=instance.id)
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    ec2.delete_volume(VolumeId=volume)


def test_an_instance_answers_ssh_seconds_after_its_launch(lab_hosts):  # noqa: F811
    started = time.monotonic()
    instance = Instance(lab_hosts)
    seconds = time.monotonic() - started
    instance.terminate()
    assert seconds < 15  # one on a quiet machine


def test_the_api_knows_the_address_of_the_host(instance):
    addresses = instance.run("hostname --all-ip-addresses").split()
    assert addresses == [instance.description["PrivateIpAddress"]] == [instance.description["PublicIpAddress"]]


@pytest.mark.parametrize("user", ["root", "ec2-user", "ubuntu", "rocky"])
def test_login_users_may_use_sudo_without_a_password(instance, user):
    assert instance.run("id --user --name && sudo --non-interactive id --user --name", user=user).split() == [user, "root"]


def test_a_user_data_script_runs_at_the_first_boot(instance):
    assert instance.run("cat /var/tmp/user-data") == "from user data"


def test_a_host_reaches_nothing_outside_of_the_lab_and_learns_so_at_once(instance):
    started = time.monotonic()
    assert instance.ssh("exec 3<> /dev/tcp/192.0.2.1/80").returncode != 0
    assert time.monotonic() - started < 5


def test_the_key_of_the_key_pair_opens_the_instance(lab_hosts, tmp_path):  # noqa: F811
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "own"], check=True)
    ec2 = lab_hosts.client("ec2")
    ec2.import_key_pair(KeyName="own", PublicKeyMaterial=(tmp_path / "own.pub").read_bytes())
    instance = Instance(lab_hosts, KeyName="own", private_key=str(tmp_path / "own"))
    instance.private_key = lab_hosts.variables["build_host_private_key_file"]
    assert instance.ssh("true").returncode != 0
    instance.terminate()


def test_an_attached_volume_is_a_block_device_under_its_by_id_name(lab_hosts, instance):  # noqa: F811
    volume, device = instance.attach_new_volume(size_gib=3)
    assert instance.run(f"readlink --canonicalize {device}") == "/dev/nvme1n1"
    assert instance.run(f"sudo blockdev --getsize64 {device}") == str(3 * 2**30)
    release(lab_hosts, instance, volume)
    assert instance.ssh(f"ls {device} /dev/nvme1n1").returncode != 0


def test_a_mounted_volume_cannot_be_detached(lab_hosts, instance):  # noqa: F811
    volume, device = instance.attach_new_volume()
    instance.run(f"sudo mkfs.ext4 -q {device} && sudo mount {device} /mnt")
    with pytest.raises(ClientError, match="still mounted"):
        lab_hosts.client("ec2").detach_volume(VolumeId=volume, InstanceId=instance.id)
    instance.run("sudo umount /mnt")
    release(lab_hosts, instance, volume)


def test_files_and_volumes_survive_a_stop_and_a_reboot(lab_hosts, instance):  # noqa: F811
    ec2 = lab_hosts.client("ec2")
    volume, device = instance.attach_new_volume()
    instance.run("sudo rm /var/tmp/user-data; touch ~/kept")
    ec2.stop_instances(InstanceIds=[instance.id])
    assert instance.ssh("true").returncode != 0
    ec2.start_instances(InstanceIds=[instance.id])
    instance.wait()
    instance.run(f"test -b {device} && test -e ~/kept && test ! -e /var/tmp/user-data")
    first_boot = instance.run("cat /proc/1/stat").split()[21]
    ec2.reboot_instances(InstanceIds=[instance.id])
    instance.wait()
    assert instance.run("cat /proc/1/stat").split()[21] != first_boot
    instance.run(f"test -b {device}")
    release(lab_hosts, instance, volume)


@pytest.mark.parametrize(("behavior", "state"), [("terminate", "terminated"), ("stop", "stopped")])
def test_a_host_that_powers_itself_off_changes_its_instance(lab_hosts, behavior, state):  # noqa: F811
    instance = Instance(lab_hosts, InstanceInitiatedShutdownBehavior=behavior)
    instance.ssh("sudo systemctl poweroff")
    instance.wait_for_state(state)
    instance.terminate()


def test_terminating_removes_the_host_and_keeps_other_volumes(lab_hosts):  # noqa: F811
    ec2 = lab_hosts.client("ec2")
    instance = Instance(lab_hosts)
    volume, device = instance.attach_new_volume()
    instance.run(f"sudo mkfs.ext4 -q {device} && sudo mount {device} /mnt")
    instance.terminate()
    assert not host_folder(lab_hosts, instance).exists()
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    ec2.delete_volume(VolumeId=volume)


class Labs:
    """Labs with a TMPDIR of their own, driven by the command line."""

    def __init__(self, folder):
        self.folder = folder
        self._environment = {**os.environ, "TMPDIR": str(folder)}

    def command(self, *arguments):
        command = [sys.executable, "-m", "tests.lab", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    def start(self, name):
        answer = json.loads(self.command("start", "--name", name))
        variables = json.loads(pathlib.Path(answer["vars.json"]).read_text())
        return Lab(answer["endpoint"], variables, None)

    def traces(self, lab):
        """Return what the machine holds of a lab: namespaces, loop devices, and processes that belong to it or see its mounts."""
        folder, name = lab.variables["lab_state_dir"], lab.variables["lab_name"]
        namespaces = {path.name for path in pathlib.Path("/run/netns").glob(f"petal-{name}*")}
        loops = {line for line in subprocess.check_output(["losetup", "--list"], text=True).splitlines() if folder in line}
        files = [path for path in pathlib.Path("/proc").glob("[0-9]*/*") if path.name in ("cmdline", "mountinfo")]
        processes = {str(path) for path in files if folder in read(path)}
        return namespaces | loops | processes | {str(path) for path in self.folder.glob(f"petal-lab/*{name}*")}

    def kill_server(self, lab):
        (pid,) = [
            int(path.parent.name)
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if {"tests.lab.server", lab.variables["lab_state_dir"]} <= set(read(path).split("\0"))
        ]
        os.kill(pid, signal.SIGKILL)


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:  # the process has ended
        return ""


@pytest.fixture
def labs(lab_hosts, tmp_path):  # noqa: F811
    started = Labs(tmp_path)
    yield started
    started.command("clean", "--all")


def test_two_labs_side_by_side_and_a_killed_one_is_cleaned_without_a_trace(labs):
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(labs.start, (f"t{os.getpid()}-a", f"t{os.getpid()}-b"))
    here, there = Instance(first), Instance(second)
    here.attach_new_volume()
    assert there.ssh("true").returncode == 0
    assert here.ssh(f"exec 3<> /dev/tcp/{there.address}/22").returncode != 0

    labs.kill_server(first)
    assert here.ssh("true").returncode == 0
    labs.command("clean")
    assert labs.traces(first) == set()
    assert labs.traces(second)
    assert there.ssh("true").returncode == 0

    labs.command("stop", "--name", second.variables["lab_name"])
    assert labs.traces(second) == set()
    assert labs.command("clean") == "Nothing to remove.\n"


def test_starting_a_lab_that_runs_changes_nothing(lab_hosts):  # noqa: F811
    command = [sys.executable, "-m", "tests.lab", "start", "--name", lab_hosts.variables["lab_name"]]
    answer = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    assert answer["endpoint"] == lab_hosts.endpoint
