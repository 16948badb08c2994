"""A tree of files is copied, measured, and proven to be a copy. See roles/shared_volume/files."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
PROGRAMS = ROLES / "shared_volume/files"
LIST = ".petal/files.sha256"


@pytest.fixture
def source(tmp_path):
    """A tree with all that is easily lost by copying, and the list of its hashes."""
    top = tmp_path / "source"
    for name, content in {".petal/spack.lock": "{}", "bin/zlib": "\0code", "odd\nname": "x", "back\\slash": "y", "empty": ""}.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(content)
    (top / "bin/zlib").chmod(0o4755)
    (top / "bin").chmod(0o1777)
    (top / "bin/alias").hardlink_to(top / "bin/zlib")
    (top / "current").symlink_to("bin")
    (top / "broken").symlink_to("nowhere")
    with (top / "sparse").open("wb") as file:
        file.truncate(8 * 2**20)
    os.setxattr(top / "empty", "user.note", b"kept")
    os.utime(top / "empty", ns=(1, 1_000_000_001))
    (top / LIST).touch()
    subprocess.run([sys.executable, ROLES / "spack_bootstrap/files/hash_files.py", top, top / LIST], check=True, stdout=subprocess.DEVNULL)
    return top


@pytest.fixture
def copy(tmp_path):
    (tmp_path / "copy").mkdir()
    return tmp_path / "copy"


def copy_tree(source, copy):
    return subprocess.run(["sh", PROGRAMS / "copy_tree.sh", source, copy], capture_output=True, text=True, check=False)


def prove(source, copy):
    said = subprocess.run([sys.executable, PROGRAMS / "prove_copy.py", source, copy, LIST], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def measure(path):
    return json.loads(subprocess.run(["sh", PROGRAMS / "measure.sh", path], capture_output=True, text=True, check=True).stdout)


def test_a_copy_is_proven_and_takes_no_more_room(source, copy):
    assert copy_tree(source, copy).returncode == 0
    assert prove(source, copy) == {"files": 8, "problems": []}
    of_source, of_copy = measure(source), measure(copy)
    assert of_source["inodes"] == of_copy["inodes"] == 12  # a file with two names is one
    assert of_copy["bytes"] <= of_source["bytes"] < 2**20, "holes take no room"


def test_a_copy_that_was_broken_off_or_overtaken_is_begun_again(source, copy):
    (copy / "bin").mkdir()
    (copy / "bin/zlib").write_text("half")
    (copy / "gone since").write_text("x")
    (copy / "current").mkdir()
    (copy / "lost+found").mkdir()
    assert copy_tree(source, copy).returncode == 0
    assert (copy / "lost+found").is_dir()
    assert prove(source, copy)["problems"] == []


def test_a_copy_waits_for_one_that_still_runs(source, copy):
    earlier = subprocess.Popen(["flock", copy, "sh", "-c", "echo runs; sleep 0.5; touch late"], cwd=copy, stdout=subprocess.PIPE)
    earlier.stdout.readline()
    assert copy_tree(source, copy).returncode == 0
    earlier.communicate()
    assert prove(source, copy)["problems"] == []


def test_a_disk_that_is_full_is_told_in_a_few_lines(source, copy, tmp_path, monkeypatch):
    program = tmp_path / "programs/cp"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nseq --format 'cp: %g: No space left on device' 1000 >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    failed = copy_tree(source, copy)
    assert (failed.returncode, len(failed.stderr.splitlines())) == (1, 5)


CHANGES = {
    "bin/zlib is only in {source}": lambda copy: (copy / "bin/zlib").unlink(),
    "more is only in {copy}": lambda copy: (copy / "more").touch(),
    r"odd\nname: FAILED": lambda copy: write(copy / "odd\nname", "z"),
    "bin/zlib has another mode": lambda copy: (copy / "bin/zlib").chmod(0o755),
    "current has another target": lambda copy: relink(copy / "current", "bim"),
    "empty has another attributes": lambda copy: os.setxattr(copy / "empty", "user.note", b"lost"),
    "empty has another time": lambda copy: os.utime(copy / "empty", ns=(1, 1)),
    "bin/alias has another names": lambda copy: unlink_and_copy(copy / "bin/alias", copy / "bin/zlib"),
    f"{LIST} is another one": lambda copy: write(copy / LIST, "# nothing"),
}


def write(path, text):
    """Change the content and nothing else."""
    before = path.stat()
    path.write_text(text.ljust(before.st_size)[: before.st_size])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def relink(path, target):
    before = path.lstat()
    path.unlink()
    path.symlink_to(target)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)


def unlink_and_copy(path, other):
    path.unlink()
    subprocess.run(["cp", "--archive", other, path], check=True)


@pytest.mark.parametrize("problem", CHANGES)
def test_whatever_differs_is_named(source, copy, problem):
    copy_tree(source, copy)
    CHANGES[problem](copy)
    found = prove(source, copy)["problems"]
    assert problem.format(source=source, copy=copy) in "\n".join(found)


def test_a_list_that_does_not_name_every_file_proves_nothing(source, copy):
    (source / "not listed").touch()
    copy_tree(source, copy)
    assert prove(source, copy)["problems"] == [f"{LIST} names 7 of 8 files"]
