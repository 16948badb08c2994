"""A device is blank only when it reads as zeros everywhere that tells. See roles/shared_volume/files/prove_blank.py."""

import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[3] / "roles/shared_volume/files/prove_blank.py"
KIB, MIB, GIB = 2**10, 2**20, 2**30

_spec = importlib.util.spec_from_file_location("prove_blank", PROGRAM)
prove_blank = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(prove_blank)


@pytest.fixture
def device(tmp_path):
    """A sparse file, as long as a volume of 1 GiB."""
    path = tmp_path / "device"
    with path.open("wb") as file:
        file.truncate(GIB)
    return path


def prove(device):
    return json.loads(subprocess.run([sys.executable, PROGRAM, device], capture_output=True, text=True, check=True).stdout)


def write(device, offset, content):
    with device.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def make(device, *command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (tests/lab/packages.txt)")
    subprocess.run([*command, device], check=True, capture_output=True)


@pytest.mark.parametrize("size", [4 * KIB, MIB + 512, GIB, 3 * GIB + 512])
def test_what_was_never_written_is_blank(device, size):
    with device.open("r+b") as file:
        file.truncate(size)
    assert prove(device) == {"in_use": False, "data": []}


@pytest.mark.parametrize(
    "offset",
    [
        *[0, 511, 4 * KIB, MIB - 1, 4 * MIB],  # the beginning
        *[8 * MIB + KIB, 64 * MIB, 128 * MIB, 256 * MIB, 384 * MIB],  # spare copies
        *[GIB - MIB, GIB - 64 * KIB, GIB - 8 * KIB, GIB - 512, GIB - 1],  # the end
    ],
)
def test_a_single_byte_is_seen(device, offset):
    write(device, offset, b"\x01")
    (found,) = prove(device)["data"]
    assert (found["offset"], found["bytes"][:2], found["like"]) == (offset, "01", None)


@pytest.mark.parametrize(
    ("command", "like"),
    [
        (("mkfs.ext4", "-q", "-F", "-b", "4096"), "a spare superblock of ext4"),
        (("mkfs.ext4", "-q", "-F", "-b", "2048"), "a spare superblock of ext4"),
        (("mkfs.ext4", "-q", "-F", "-b", "1024"), "a spare superblock of ext4"),
        (("mkfs.ext4", "-q", "-F", "-E", "packed_meta_blocks=1"), "a spare superblock of ext4"),
        (("mkfs.xfs", "-q", "-f"), "a superblock of XFS"),
    ],
)
@pytest.mark.parametrize("lost", [4 * KIB, 16 * MIB])
def test_a_file_system_that_has_lost_its_beginning_is_named(device, command, like, lost):
    make(device, *command)
    write(device, 0, bytes(lost))
    assert prove(device)["data"][0]["like"] == like


@pytest.mark.parametrize(
    ("offset", "magic", "like"),
    [
        (GIB - 512, b"EFI PART", "a spare partition table"),
        (GIB - 64 * KIB, b"\xfc\x4e\x2b\xa9", "a superblock of Linux RAID"),
        (GIB - 8 * KIB, b"\xfc\x4e\x2b\xa9", "a superblock of Linux RAID"),
        (512, b"LABELONE", "a label of LVM"),
        (4 * MIB, b"SKUL\xba\xbe", "a spare header of LUKS"),
        (64 * MIB + 64, b"_BHRfS_M", "a superblock of btrfs"),
    ],
)
def test_other_spare_copies_are_named(device, offset, magic, like):
    write(device, offset, magic)
    (found,) = prove(device)["data"]
    assert (found["offset"], found["like"]) == (offset, like)


def test_data_without_any_signature_is_seen(device):
    """The pages that are read all over the rest are 256 KiB apart on a volume of 1 GiB."""
    write(device, 700 * MIB + 1, b"my thesis " * 30_000)
    assert prove(device)["data"]


@pytest.mark.parametrize("size", [GIB, 500 * GIB, 16 * 2**40])
def test_a_device_of_any_size_is_read_in_seconds(size):
    wanted = prove_blank.places(size)
    assert sum(length for _offset, length in wanted) <= 128 * MIB
    assert all(offset >= 0 and offset + length <= size for offset, length in wanted)


def test_a_device_is_not_written_to(device):
    before = device.stat()
    prove(device)
    assert device.stat().st_mtime_ns == before.st_mtime_ns
