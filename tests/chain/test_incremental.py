"""A seed that has two packages more than one that is built builds these two, and its snapshot stores little else."""

import os
import pathlib

import pytest

from tests.chain.playbook import file_of_snapshot, installs, left_over, run, snapshots, write_seed
from tests.lab.data_plane import image_of
from tests.lab.fixtures import lab_hosts  # noqa: F401

pytestmark = pytest.mark.hosts
BLOCK = 512 * 1024  # of an EBS snapshot


def blocks(image):
    """Return the blocks of an image that hold anything, by number; holes are not read."""
    found = {}
    with image.open("rb") as file:
        position, end = 0, image.stat().st_size
        while position < end:
            try:
                position = os.lseek(file.fileno(), position, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:  # nothing but a hole is left
                break
            content = os.pread(file.fileno(), BLOCK, position)
            if content.strip(b"\0"):
                found[position // BLOCK] = content
            position += BLOCK
    return found


def changed(lab, parent, child):
    """Return how many blocks a snapshot stores beyond its parent's, and how many it has."""
    first, second = (blocks(image_of(pathlib.Path(lab.variables["lab_state_dir"]), name)) for name in (parent, child))
    return sum(first.get(number) != content for number, content in second.items()), len(second)


def build(lab, folder, name, packages, **options):
    """Build a seed; returns the run and its one snapshot."""
    built = run("build_seed.yml", lab, seed=write_seed(folder, name, packages), volume_size_gib=4, **options)
    assert built.ok, built.text[-4000:]
    (snapshot,) = snapshots(lab, name)
    return built, snapshot


def test_a_second_seed_builds_the_packages_it_has_more_on_a_copy_of_the_first(lab_hosts, tmp_path, record_property):  # noqa: F811
    _first, parent = build(lab_hosts, tmp_path, "parent", [1, 8], from_scratch=True)
    second, child = build(lab_hosts, tmp_path, "child", [1, 2, 3, 8])
    assert f"starts from {parent['SnapshotId']}, which lacks 2 of 4 packages" in second.text
    compiled, there = installs(file_of_snapshot(lab_hosts, child["SnapshotId"], ".petal/build.log"))[-1]
    assert compiled == {"sleeper02@1.0", "sleeper03@1.0"} <= there
    tags = {snapshot["SnapshotId"]: {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} for snapshot in (parent, child)}
    assert tags[child["SnapshotId"]]["petal:parent"] == tags[parent["SnapshotId"]]["petal:fingerprint"]
    assert "petal:parent" not in tags[parent["SnapshotId"]]
    stored, held = changed(lab_hosts, parent["SnapshotId"], child["SnapshotId"])
    record_property("blocks", f"the child stores {stored} of its {held} blocks")
    print(f"the child stores {stored} of its {held} blocks of 512 KiB")
    assert stored < held / 2
    assert left_over(lab_hosts) == []
