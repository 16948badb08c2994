"""Where the software of a cluster is mounted, found on its head node: a program of ours, with a findmnt that prints what it is told."""

import os
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[3] / "playbooks" / "files" / "find_software.sh"
OLD, NEW = "sha256:" + "0f3a" * 16, "sha256:" + "1e2d" * 16


@pytest.fixture
def find(tmp_path):
    """Looks for a fingerprint on a host with two volumes of software, one of them under a name that findmnt writes with escapes."""
    places = {OLD: tmp_path / "shared", NEW: tmp_path / "sw" / "my genomics"}
    for fingerprint, place in places.items():
        (place / ".petal").mkdir(parents=True)
        (place / ".petal" / "manifest.json").write_text(f'{{"fingerprint": "{fingerprint}"}}')
    mounts = ["/", "/nonexistent", *(str(place).replace(" ", "\\x20") for place in places.values())]
    (tmp_path / "mounts").write_text("\n".join(mounts) + "\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "findmnt").write_text(f'#!/bin/sh\ncat "{tmp_path}/mounts"\n')
    (tmp_path / "bin" / "findmnt").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    def run(fingerprint):
        return subprocess.run([str(PROGRAM), fingerprint], env=environment, capture_output=True, text=True, check=True).stdout.splitlines()

    return run, places


@pytest.mark.parametrize("fingerprint", [OLD, NEW])
def test_the_volume_is_found_by_what_it_holds(find, fingerprint):
    run, places = find
    assert run(fingerprint) == [str(places[fingerprint])]


def test_nothing_is_found_where_nothing_holds_it(find):
    assert find[0]("sha256:" + "9" * 64) == []
