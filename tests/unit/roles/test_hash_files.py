"""The program that writes down the hash of every file on a volume, held against sha256sum."""

from __future__ import annotations

import hashlib
import json
import pathlib
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[3] / "roles/spack_bootstrap/files/hash_files.py"


@pytest.fixture
def volume(tmp_path):
    for name, content in {".petal/spack.lock": "{}", "software/zlib/lib.so": "\0code", "odd\nname": "x", "back\\slash": "y"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "software/current").symlink_to("zlib")
    (tmp_path / "broken").symlink_to("nowhere")
    return tmp_path


def hash_files(volume):
    """Return (whether the list has changed, the hash of the list, that of the lock)."""
    command = [sys.executable, str(PROGRAM), str(volume), str(volume / ".petal/files.sha256"), str(volume / ".petal/spack.lock")]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return said["changed"], said["hashes"][command[3]], said["hashes"][command[4]]


def test_a_volume_is_looked_at_without_writing_to_it(volume):
    _changed, root, _lock = hash_files(volume)
    command = [sys.executable, str(PROGRAM), "--check", str(volume), str(volume / ".petal/files.sha256")]
    look = lambda: json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: E731
    assert look() == {"changed": False, "hashes": {command[4]: root}}
    before = (volume / ".petal/files.sha256").read_bytes()
    (volume / "software/zlib/lib.so").write_text("other")
    found = look()
    assert found["changed"] and found["hashes"][command[4]] != root
    assert (volume / ".petal/files.sha256").read_bytes() == before
    (volume / ".petal/files.sha256").unlink()
    assert look() == found


def check(volume):
    command = ["sha256sum", "--check", "--strict", "--quiet", ".petal/files.sha256"]
    return subprocess.run(command, cwd=volume, capture_output=True, text=True, check=False)


def test_sha256sum_agrees_and_names_what_was_changed(volume):
    _changed, root, lock = hash_files(volume)
    assert lock == f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    assert root == f"sha256:{hashlib.sha256((volume / '.petal/files.sha256').read_bytes()).hexdigest()}"
    assert check(volume).returncode == 0, check(volume).stderr
    assert len((volume / ".petal/files.sha256").read_text().splitlines()) == 6
    (volume / "software/zlib/lib.so").write_text("\0c0de")
    assert "software/zlib/lib.so: FAILED" in check(volume).stdout


@pytest.mark.parametrize("change", ["content", "link", "new file", "lost file", "new name"])
def test_whatever_changes_gives_another_root_and_nothing_else_does(volume, change):
    _changed, before, _lock = hash_files(volume)
    assert hash_files(volume)[:2] == (False, before)
    library = volume / "software/zlib/lib.so"
    if change == "content":
        library.write_text("other")
    elif change == "link":
        (volume / "broken").unlink()
        (volume / "broken").symlink_to("elsewhere")
    elif change == "new file":
        (volume / "software/more").write_text("")
    elif change == "lost file":
        library.unlink()
    else:
        library.rename(library.with_name("other.so"))
    changed, after, _lock = hash_files(volume)
    assert changed and after != before
