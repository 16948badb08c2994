"""What docs/volume_safety.md says of two instances that mount one volume, shown with one file behind two block devices.

Each device has its own cache, as each of two instances would.
"""

import contextlib
import hashlib
import os
import subprocess

import pytest

pytestmark = [pytest.mark.blocks, pytest.mark.skipif(os.geteuid() != 0, reason="block devices need root")]

FILES = [f"file-{number}" for number in range(20)]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def mounted(image, folder, *options):
    """Mount the image as one instance would: through a device of its own."""
    folder.mkdir(exist_ok=True)
    device = run("losetup", "--find", "--show", str(image))
    try:
        run("mount", *options, device, str(folder))
        try:
            yield folder
        finally:
            run("umount", str(folder))
    finally:
        run("losetup", "--detach", device)


@pytest.fixture
def volume(tmp_path):
    """An ext4 file system of 64 MiB with one file."""
    image = tmp_path / "volume"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    run("mkfs.ext4", "-q", "-F", str(image))
    with mounted(image, tmp_path / "before") as folder:
        (folder / "dataset").write_text("data")
    return image


def test_two_writers_of_one_ext4_file_system_do_not_see_each_other_and_lose_files(volume, tmp_path):
    with mounted(volume, tmp_path / "one") as one, mounted(volume, tmp_path / "two") as two:
        for folder in (one, two):
            (folder / f"of-{folder.name}").mkdir()
            for name in FILES:
                (folder / f"of-{folder.name}" / name).write_text(folder.name)
        assert not (two / "of-one").exists()
        assert not (one / "of-two").exists()
    with mounted(volume, tmp_path / "after", "-o", "ro") as after:
        found = [(after / f"of-{writer}" / name).exists() for writer in ("one", "two") for name in FILES]
    assert not all(found)


def test_two_readers_of_one_ext4_file_system_change_no_byte(volume, tmp_path):
    before = hashlib.sha256(volume.read_bytes()).hexdigest()
    read_only = ("-o", "ro,noload")
    with mounted(volume, tmp_path / "one", *read_only) as one, mounted(volume, tmp_path / "two", *read_only) as two:
        assert [(folder / "dataset").read_text() for folder in (one, two)] == ["data", "data"]
        with pytest.raises(OSError, match="Read-only file system"):
            (one / "more").touch()
    assert hashlib.sha256(volume.read_bytes()).hexdigest() == before
