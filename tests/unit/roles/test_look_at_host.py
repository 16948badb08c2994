"""What a build host has is found by its own tools' answers, not by what they print when they fail. See look_at_host.py."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

ROLE = pathlib.Path(__file__).resolve().parents[3] / "roles/spack_bootstrap"
PROGRAM = ROLE / "files/look_at_host.py"

SPEC = """\
Name: {name}
Version: 1
Release: 1
Summary: A package
License: GPL
BuildArch: noarch
Provides: {provides}
%description
A package.
%files
"""
# As the systems of docs/seed.md say of themselves: ID and ID_LIKE of /etc/os-release.
RELEASES = {
    "alinux2023": {"ID": "amzn", "ID_LIKE": "fedora"},
    "ubuntu2204": {"ID": "ubuntu", "ID_LIKE": "debian"},
    "ubuntu2404": {"ID": "ubuntu", "ID_LIKE": "debian"},
    "rhel8": {"ID": "rhel", "ID_LIKE": "fedora"},
    "rhel9": {"ID": "rhel", "ID_LIKE": "fedora"},
    "rocky8": {"ID": "rocky", "ID_LIKE": "rhel centos fedora"},
    "rocky9": {"ID": "rocky", "ID_LIKE": "rhel centos fedora"},
}


@pytest.fixture
def look():
    spec = importlib.util.spec_from_file_location("look_at_host", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def only(tmp_path, monkeypatch):
    """Leave a PATH with nothing but the named programs, each the real one or a few lines of shell."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def leave(**programs):
        for name, script in programs.items():
            program = folder / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return leave


@pytest.fixture
def rpm(tmp_path, only, monkeypatch):
    """The real rpm with an empty database of its own; returns what puts a package into it."""
    found = {name: shutil.which(name) for name in ("rpm", "rpmbuild")}
    if not all(found.values()):
        pytest.skip("rpm is missing; run: apt-get install --no-install-recommends rpm")
    path = os.environ["PATH"]
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".rpmmacros").write_text(f"%_dbpath {tmp_path}/database\n%_topdir {tmp_path}/built\n")
    subprocess.run([found["rpm"], "--initdb"], check=True)
    only(rpm=f'exec {found["rpm"]} "$@"')

    def install(name, provides):
        (tmp_path / f"{name}.spec").write_text(SPEC.format(name=name, provides=provides))
        environment = dict(os.environ, PATH=path)
        subprocess.run([found["rpmbuild"], "-bb", "--quiet", tmp_path / f"{name}.spec"], check=True, env=environment, capture_output=True)
        (package,) = (tmp_path / "built/RPMS").rglob(f"{name}-*.rpm")
        command = [found["rpm"], "--install", "--nodeps", "--justdb", "--force-debian", package]
        subprocess.run(command, check=True, env=environment, capture_output=True)

    return install


@pytest.mark.usefixtures("rpm")
def test_nothing_is_installed_where_the_database_of_rpm_is_empty(look):
    names = ["gcc-gfortran", "zstd", "no-such-package"]
    assert look.missing_packages(names) == names


def test_what_rpm_has_is_found_by_its_name_and_by_what_it_provides(look, rpm):
    rpm("gnupg2", provides="gnupg2-full")
    assert look.missing_packages(["gnupg2", "gnupg2-full", "zstd"]) == ["zstd"]


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs a Debian or Ubuntu machine")
def test_dpkg_knows_what_is_there_and_what_is_not(look):
    assert look.missing_packages(["no-such-package", "base-files", "dpkg"]) == ["no-such-package"]


def test_a_package_that_dpkg_only_remembers_is_missing(look, only):
    only(dpkg_query="case $4 in removed) echo config-files ;; half) echo half-installed ;; there) echo installed ;; *) exit 1 ;; esac")
    assert look.missing_packages(["removed", "half", "there", "never"]) == ["removed", "half", "never"]


def test_what_a_program_prints_when_it_fails_is_no_answer(look, only):
    only(gcc='echo "gcc: fatal error"; exit 1', bash='echo "Modules Release 5.2.0"; exit 1', findmnt="echo /shared; exit 1")
    assert (look.compiler(), look.environment_modules(), look.mount("/shared")) == ({}, "", "")


@pytest.mark.parametrize("system", RELEASES)
def test_packages_go_by_the_names_of_the_system(look, system):
    release = RELEASES[system]
    packages = yaml.safe_load((ROLE / "defaults/main.yml").read_text())["spack_bootstrap_system_packages"]
    names = look.names_here(packages[look.family(release)], release)
    assert ("g++" in names) == system.startswith("ubuntu")
    assert ("gcc-c++" in names) == (not system.startswith("ubuntu"))
    gnupg = {"alinux2023": "gnupg2-full", "ubuntu2204": "gnupg", "ubuntu2404": "gnupg"}.get(system, "gnupg2")
    assert [name for name in names if name.startswith("gnupg")] == [gnupg]


def test_a_version_that_a_failing_program_prints_does_not_count(tmp_path):
    program = tmp_path / "bin/sinfo"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho slurm 24.05.8\nexit 1\n")
    program.chmod(0o755)
    wanted = f'[{{"name": "slurm", "version": "24.05.8", "prefix": "{tmp_path}", "version_from": "bin/sinfo --version"}}]'
    said = subprocess.run([sys.executable, ROLE / "files/image_software.py", wanted], check=True, capture_output=True, text=True)
    assert '"found": ""' in said.stdout
