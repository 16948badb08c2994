# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what the role needs to know of a build host, as JSON, in one go: a task for each question would take longer than the answers.

usage: look_at_host.py QUESTIONS
QUESTIONS is JSON: {"mount_path", "owner", "system_packages": {"debian": [names], "redhat": [names]}}. A name is that of Debian or of
Red Hat's family; where a system of the family has another one for it, that one is looked for and said.
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
# By ID of /etc/os-release. Amazon Linux 2023 comes with gnupg2-minimal, for the signatures of its packages; the whole is gnupg2-full.
# Source: "GNU Privacy Guard (GNUPG)" in the AL2023 user guide.
OTHER_NAMES = {"amzn": {"gnupg2": "gnupg2-full"}}


def output(*command):
    """Return what a command prints; nothing where it fails or does not exist, as rpm prints "no package provides" where it finds none."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def mount(mount_path):
    """Return findmnt's answer: mount point, source, type and options of the file system that a path is on."""
    return output("findmnt", "--noheadings", "--output", "TARGET,SOURCE,FSTYPE,OPTIONS", "--target", mount_path)


def os_release():
    with open("/etc/os-release", encoding="utf-8") as release:
        pairs = [line.rstrip("\n").split("=", 1) for line in release if "=" in line]
    return {name: value.strip("\"'") for name, value in pairs}


def family(release):
    return "debian" if "debian" in (release.get("ID"), *release.get("ID_LIKE", "").split()) else "redhat"


def names_here(names, release):
    """Return the packages as this very system calls them."""
    other = OTHER_NAMES.get(release.get("ID"), {})
    return [other.get(name, name) for name in names]


def missing_packages(names):
    """Return the packages of the operating system that are not installed."""
    is_installed = is_installed_deb if shutil.which("dpkg-query") else is_installed_rpm
    return [name for name in names if not is_installed(name)]


def is_installed_deb(name):
    # A package that was removed is still known, with the status config-files.
    return "installed" in output("dpkg-query", "--show", "--showformat", "${db:Status-Status}\n", name).splitlines()


def is_installed_rpm(name):
    return output("rpm", "--query", "--whatprovides", name) != ""


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
    return {
        "mount": mount(questions["mount_path"]),
        "operating_system": release.get("PRETTY_NAME", ""),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "family": family(release),
        "missing_packages": missing_packages(names_here(questions["system_packages"][family(release)], release)),
        "compiler": compiler(),
        "environment_modules": environment_modules(),
        # Spack starts itself again with this one when it can import the solver.
        "python_with_solver": output("python3", "-c", "import clingo, sys; print(sys.executable)"),
        "owner": owner(questions["owner"]),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
