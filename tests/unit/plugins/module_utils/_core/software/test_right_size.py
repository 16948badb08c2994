"""The size of a volume that holds a build's software and room to grow, held against the file systems themselves."""

import re
import shutil
import subprocess

import pytest

from plugins.filter.right_size import FilterModule
from plugins.module_utils._core.software.right_size import GIB, MARGIN, right_size

MILLION = 1_000_000


def fit(used_gib, used_inodes=1000, file_system="ext4", volume_size_gib=500, volume_type="gp3", **options):
    return right_size(int(used_gib * GIB), used_inodes, file_system, volume_size_gib=volume_size_gib, volume_type=volume_type, **options)


@pytest.mark.parametrize(
    ("used_gib", "used_inodes", "file_system", "volume_type", "size_gib"),
    [
        (0, 0, "ext4", "gp3", 2),  # a GiB of room, and what the file system takes
        (0.4, 1000, "ext4", "gp3", 2),
        (9.1, 200_000, "ext4", "gp3", 11),
        (9.1, 200_000, "xfs", "gp3", 11),
        (100, MILLION, "ext4", "gp3", 116),
        (9.1, MILLION, "ext4", "gp3", 17),  # files of 10 KB: their inodes decide
        (9.1, MILLION, "xfs", "gp3", 12),
        (0.4, 1000, "ext4", "io2", 4),  # EC2 has no smaller io2 volume
        (0.4, 1000, "ext4", "st1", 125),
    ],
)
def test_the_size_follows_bytes_and_files(used_gib, used_inodes, file_system, volume_type, size_gib):
    assert fit(used_gib, used_inodes, file_system, volume_type=volume_type).size_gib == size_gib


@pytest.mark.parametrize(("volume_size_gib", "size_gib"), [(10, None), (11, None), (12, 11)])
def test_a_volume_that_would_not_become_smaller_stays(volume_size_gib, size_gib):
    assert fit(9.1, volume_size_gib=volume_size_gib).size_gib == size_gib


def test_more_software_never_gets_a_smaller_volume():
    for file_system in ("ext4", "xfs"):
        sizes = [fit(tenths / 10, tenths * 5000, file_system, 10**6).size_gib for tenths in range(1000)]
        assert sizes == sorted(sizes)


def test_the_reason_is_told_in_words():
    assert fit(9.1).summary == "11 GiB for 9.1 GiB of software, instead of 500"
    assert fit(0.01).summary == "2 GiB for 0.1 GiB of software, instead of 500"
    assert fit(9.1, 250_000, volume_size_gib=10).summary == (
        "stays at 10 GiB: 9.1 GiB of software in 250000 files need 11 GiB with room to grow"
    )


def test_a_volume_that_was_made_from_a_snapshot_stays_because_a_new_one_would_store_everything_again():
    kept = fit(9.1, parent_snapshot="snap-1")
    assert kept.size_gib is None
    assert "snap-1" in kept.summary and "from_scratch=true" in kept.summary


def test_the_filter_takes_what_role_module_and_filter_return():
    decide = FilterModule().filters()["right_size"]
    content = {"bytes": 5 * GIB, "inodes": 1000, "file_system": "ext4"}
    volume = {"size_gib": 500, "volume_type": "gp3"}
    assert decide(content, volume, {}) == {"size_gib": 7, "summary": "7 GiB for 5.0 GiB of software, instead of 500"}
    assert decide(content, volume, {"snapshot_id": "snap-1", "generation": 1})["size_gib"] is None


def free_bytes_and_inodes_of_ext4(image):
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    said = subprocess.run(["dumpe2fs", "-h", image], capture_output=True, text=True, check=True).stdout
    numbers = {name: int(value) for name, value in re.findall(r"^([\w ]+): +(\d+)$", said, re.MULTILINE)}
    return numbers["Free blocks"] * numbers["Block size"], numbers["Free inodes"]


def free_bytes_and_inodes_of_xfs(image):
    subprocess.run(["mkfs.xfs", "-q", "-f", image], check=True)
    said = subprocess.run(
        ["xfs_db", "-r", "-c", "sb 0", "-c", "print fdblocks blocksize", image], capture_output=True, text=True, check=True
    )
    blocks, block_size = map(int, re.findall(r"= (\d+)", said.stdout))
    return blocks * block_size, blocks * block_size // 512


@pytest.mark.parametrize(("used_gib", "file_size"), [(0.1, 10**6), (6, 2_000), (6, 10**6), (150, 10**6)])
@pytest.mark.parametrize("free", [free_bytes_and_inodes_of_ext4, free_bytes_and_inodes_of_xfs], ids=["ext4", "xfs"])
def test_a_file_system_of_that_size_has_room_for_the_software_and_the_margin(tmp_path, used_gib, file_size, free):
    file_system = "ext4" if free is free_bytes_and_inodes_of_ext4 else "xfs"
    if not shutil.which(f"mkfs.{file_system}"):
        pytest.skip(f"mkfs.{file_system} is not installed")
    used_inodes = int(used_gib * GIB / file_size)
    size_gib = fit(used_gib, used_inodes, file_system, volume_size_gib=10**5).size_gib
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(size_gib * GIB)
    free_bytes, free_inodes = free(image)
    image.unlink()
    inode_bytes = 512 * used_inodes if file_system == "xfs" else 0
    assert free_bytes >= used_gib * GIB + max(used_gib * GIB * MARGIN, GIB) + inode_bytes
    assert free_inodes >= used_inodes * (1 + MARGIN)
