"""scripts/system_packages.sh installs what is missing and says what it does; the lab names the same packages."""

import os
import pathlib
import shutil
import subprocess

import pytest

from tests.lab import control

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/system_packages.sh"
INSTALL = "apt-get install --no-install-recommends not-there"


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose hosts need a package that nobody has, and a PATH whose apt-get only writes down what it is asked."""
    for folder in ("scripts", "tests/lab", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    (tmp_path / "tests/lab/packages.txt").write_text("# a comment\nbase-files  /etc/os-release\ndash  sh\nnot-there  no-such-program\n")
    (tmp_path / "bin/apt-get").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "bin/id").write_text('#!/bin/sh\necho "${TEST_UID:-0}"\n')
    for program in (tmp_path / "bin").iterdir():
        program.chmod(0o755)
    return tmp_path


def run(checkout, **environment):
    path = f"{checkout}/bin:{os.environ['PATH']}"
    script = checkout / "scripts/system_packages.sh"
    return subprocess.run(["sh", script], env={"PATH": path, **environment}, capture_output=True, text=True, check=False)


def test_it_prints_and_installs_exactly_what_is_missing(checkout):
    result = run(checkout)
    assert (result.returncode, result.stdout) == (0, f"system_packages: {INSTALL}\n")
    assert (checkout / "asked").read_text().splitlines()[-1] == "-qq install --yes --no-install-recommends not-there"


def test_it_does_nothing_when_everything_is_there(checkout):
    (checkout / "tests/lab/packages.txt").write_text("dash  sh\n")
    result = run(checkout)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    assert not (checkout / "asked").exists()


@pytest.mark.parametrize(("variable", "status"), [({"PETAL_NO_APT": "1"}, 3), ({"TEST_UID": "1000"}, 1)])
def test_when_it_may_not_install_it_prints_the_line_to_run(checkout, variable, status):
    result = run(checkout, **variable)
    assert (result.returncode, INSTALL in result.stderr) == (status, True)
    assert not (checkout / "asked").exists()


def test_the_lab_names_the_missing_packages_in_one_line(checkout, monkeypatch):
    monkeypatch.setattr(control, "PACKAGES", checkout / "tests/lab/packages.txt")
    assert control.missing()[0] == f"packages are missing; run: {INSTALL}"


def test_the_lab_says_that_hosts_need_root(checkout, monkeypatch):
    monkeypatch.setattr(control, "PACKAGES", checkout / "no-packages")
    (checkout / "no-packages").write_text("")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert control.missing() == ["not root, which hosts and block devices need; run as root"]
