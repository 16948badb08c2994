"""How the role spack_bootstrap starts the unit of a build, on the systemd of each operating system."""

import os
import subprocess

import pytest
import yaml

from tests.unit.docs.pages import ROOT


def start_of_a_build():
    """Return the command with which the role starts the unit of a build."""
    tasks = yaml.safe_load((ROOT / "roles/spack_bootstrap/tasks/build.yml").read_text())
    (task,) = [task for block in tasks for task in block.get("block", ()) if "ansible.builtin.shell" in task]
    return task["ansible.builtin.shell"]["cmd"]


def start(folder, version):
    """Run the task's command where systemd is of a version and nothing runs; return the options of the unit."""
    for name, body in {
        "systemctl": f'[ "$1" = --version ] || exit 3\nprintf "systemd {version} ({version}.1-2)\\n+PAM\\n"',
        "systemd-run": 'printf "%s\\n" "$@"',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    variables = dict.fromkeys(("UNIT", "MOUNT_PATH", "OWNER", "GROUP", "PROGRAM", "SETTINGS", "LOG"), "x")
    environment = {**os.environ, **variables, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", start_of_a_build()], env=environment, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize(("version", "knows"), [("239", False), ("252", True), ("257~rc1", True)])
def test_a_compiler_without_memory_fails_its_package_and_not_the_build(tmp_path, version, knows):
    options = start(tmp_path, version)
    assert ("--property=OOMPolicy=continue" in options) == knows
    assert {"--property=CPUAccounting=yes", "--uid=x", "/bin/sh"} <= set(options)
