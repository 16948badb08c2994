"""A lab that ends, in whatever way, leaves nothing behind."""

import os
import subprocess
import sys
import time

import pytest

from tests.lab import devices, places
from tests.lab.client import Lab

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="block devices need root")


def loops():
    return devices.run("losetup", "--list", "--noheadings", "--output", "BACK-FILE")


def test_the_server_ends_with_the_process_that_started_it_and_leaves_no_device(tmp_path):
    command = [sys.executable, "-m", "tests.lab.server", "--state-dir", str(tmp_path), "--until-stdin-closes"]
    server = subprocess.Popen(command, cwd=places.REPOSITORY, stdin=subprocess.PIPE)
    while not (tmp_path / "port").exists():
        assert server.poll() is None
        time.sleep(0.05)
    lab = Lab(f"http://127.0.0.1:{(tmp_path / 'port').read_text()}", {}, None)
    ec2 = lab.client("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=lab.run_instance(), Device="/dev/sdf")
    server.stdin.close()
    assert server.wait(timeout=60) == 0
    assert volume not in loops()
    assert not (devices.BY_ID / devices.link_name(volume)).is_symlink()


@needs_root
def test_release_finds_the_devices_of_a_killed_lab(tmp_path):
    image, other = tmp_path / "lab" / "vol-0123456789abcdef0.img", tmp_path / "other.img"
    image.parent.mkdir()
    for file in (image, other):
        file.touch()
        os.truncate(file, 1 << 20)
        devices.run("losetup", "--find", str(file))
    try:
        assert len(devices.release(tmp_path / "lab")) == 1
        assert str(image) not in loops()
        assert str(other) in loops()
    finally:
        devices.release(tmp_path)


def test_the_server_names_its_port_once_it_answers(lab):
    with open(os.path.join(lab.state_dir, "port")) as file:
        assert lab.endpoint.endswith(f":{file.read()}")


def test_the_environment_points_to_the_lab_only(lab):
    environment = lab.environment(account="111122223333")
    assert environment["AWS_ENDPOINT_URL"] == lab.endpoint
    assert {environment["AWS_CONFIG_FILE"], environment["AWS_SHARED_CREDENTIALS_FILE"]} == {os.devnull}
    assert environment["AWS_ACCESS_KEY_ID"] != lab.environment()["AWS_ACCESS_KEY_ID"]
