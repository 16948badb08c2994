"""One lab for all tests in this folder; each test makes what it needs, and finds nothing slow and no fault."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab import devices
from tests.lab.client import Lab
from tests.lab_rules.expectations import OTHER_ACCOUNT, ZONE


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(*rules): fails when these rules of the lab are not in force")


@pytest.fixture(scope="session")
def running_lab() -> Iterator[Lab]:
    """The lab of all tests; when it has stopped, nothing of it may be left."""
    with Lab.start() as lab:
        yield lab
    assert not os.path.exists(lab.state_dir)
    assert lab.state_dir not in devices.run("losetup", "--list", "--noheadings", "--output", "BACK-FILE")


@pytest.fixture
def lab(running_lab: Lab) -> Iterator[Lab]:
    """The lab, as it was at start as far as time and faults go."""
    yield running_lab
    running_lab.slow(dict.fromkeys(running_lab.slow({}), 0))
    running_lab.faults([])


@pytest.fixture
def ec2(lab: Lab) -> Any:
    """EC2 in us-east-1, without repeated calls."""
    return lab.client("ec2", retries=0)


@pytest.fixture
def other(lab: Lab) -> Any:
    """The same for another account."""
    return lab.client("ec2", account=OTHER_ACCOUNT, retries=0)


@pytest.fixture
def instance(lab: Lab) -> str:
    """The id of a running instance."""
    return lab.run_instance()


@pytest.fixture
def make_volume(ec2: Any) -> Callable[..., str]:
    """Makes a volume, 1 GiB unless asked otherwise, and returns its id."""

    def make(**parameters: Any) -> str:
        size = {} if "SnapshotId" in parameters else {"Size": 1}
        return ec2.create_volume(**{"AvailabilityZone": ZONE, **size, **parameters})["VolumeId"]

    return make


@pytest.fixture
def volume(make_volume: Callable[..., str]) -> str:
    """The id of a volume of 1 GiB."""
    return make_volume()


@pytest.fixture
def attach(ec2: Any) -> Callable[..., dict[str, Any]]:
    """Attaches a volume to an instance, under a device name not used before in the test unless one is given."""
    names = (f"/dev/sd{letter}" for letter in itertools.chain("fghijklmnop"))

    def attach(volume: str, instance: str, device: str | None = None) -> dict[str, Any]:
        return ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device or next(names))

    return attach


@pytest.fixture
def snapshot(ec2: Any, make_volume: Callable[..., str]) -> str:
    """The id of a snapshot of 10 GiB."""
    return ec2.create_snapshot(VolumeId=make_volume(Size=10))["SnapshotId"]


@pytest.fixture
def describe(ec2: Any) -> Callable[[str], dict[str, Any]]:
    """Describes a volume or snapshot by its id."""

    def describe(identifier: str) -> dict[str, Any]:
        if identifier.startswith("vol-"):
            return ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]
        return ec2.describe_snapshots(SnapshotIds=[identifier])["Snapshots"][0]

    return describe
