"""The list of files that the proof reads, made by the kernel's own account of what it keeps."""

from __future__ import annotations

import os
import subprocess

import pytest

from roles.spack_bootstrap.files import hot_list


@pytest.fixture
def volume(tmp_path):
    """A volume on a disk; in a file system that lies in memory nothing can be forgotten."""
    kind = subprocess.run(["stat", "--file-system", "--format=%T", tmp_path], capture_output=True, text=True, check=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        pytest.skip(f"{tmp_path} lies in memory")
    names = ["software/zlib/lib.so", "software/zlib/doc", "modules/zlib.lua", ".petal/packages.json", "empty", "odd\nname"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"" if name == "empty" else os.urandom(3 * 4096 + 5))
    (tmp_path / "current").symlink_to("software")
    return tmp_path


def test_what_was_read_is_listed_and_nothing_else(volume):
    hot_list.forget(str(volume))
    assert hot_list.read_since(str(volume)) == []
    for name in ("software/zlib/lib.so", ".petal/packages.json"):
        (volume / name).read_bytes()
    with (volume / "modules/zlib.lua").open("rb") as content:
        content.read(1)
    assert hot_list.read_since(str(volume)) == ["modules/zlib.lua", "software/zlib/lib.so"]
