# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what the role needs to know of a build host, as JSON, in one go: a task for each question would take longer than the answers.

usage: look_at_host.py QUESTIONS
QUESTIONS is JSON: {"mount_path", "owner", "system_packages": {"debian": [names], "redhat": [names]}}.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import json
import os
import platform
import pwd
import re
import shutil
import subprocess
import sys

COMPILERS = {"c": "gcc", "cxx": "g++", "fortran": "gfortran"}


def output(*command):
    """Return what a command prints; nothing where it fails or does not exist."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode().strip()
    except OSError:
        return ""


def mount(mount_path):
    """Return findmnt's answer: mount point, source, type and options of the file system that a path is on."""
    return output("findmnt", "--noheadings", "--output", "TARGET,SOURCE,FSTYPE,OPTIONS", "--target", mount_path)


def os_release():
    with open("/etc/os-release", encoding="utf-8") as release:
        pairs = [line.rstrip("\n").split("=", 1) for line in release if "=" in line]
    return {name: value.strip("\"'") for name, value in pairs}


def missing_packages(names):
    """Return the packages of the operating system that are not installed."""
    if shutil.which("dpkg-query"):
        installed = output("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n", *names).splitlines()
        found = {line.split()[1] for line in installed if line.startswith("installed ")}
    else:
        found = {name for name in names if output("rpm", "--query", "--whatprovides", name)}
    return [name for name in names if name not in found]


def compiler():
    """Return the host's GCC: its version and the paths of its programs; empty without gcc."""
    version = output("gcc", "-dumpfullversion")
    return dict({language: shutil.which(name) or "" for language, name in COMPILERS.items()}, version=version) if version else {}


def environment_modules():
    """Return the version of Environment Modules that a login shell has; empty where it has none."""
    found = re.search(r"^Modules Release ([0-9.]+)", output("bash", "-lc", "module --version 2>&1"), re.MULTILINE)
    return found.group(1) if found else ""


def owner(name):
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return {}
    return {"uid": found.pw_uid, "gid": found.pw_gid}


def main(questions):
    release = os_release()
    family = "debian" if "debian" in (release.get("ID"), *release.get("ID_LIKE", "").split()) else "redhat"
    return {
        "mount": mount(questions["mount_path"]),
        "operating_system": release.get("PRETTY_NAME", ""),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "missing_packages": missing_packages(questions["system_packages"][family]),
        "compiler": compiler(),
        "environment_modules": environment_modules(),
        # Spack starts itself again with this one when it can import the solver.
        "python_with_solver": output("python3", "-c", "import clingo, sys; print(sys.executable)"),
        "owner": owner(questions["owner"]),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
