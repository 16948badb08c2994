"""A directory in the place of a software volume, with what the role would write there: for tests and benchmarks without a host."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from plugins.module_utils._core.software.configuration import configuration
from plugins.module_utils._core.software.environment import environment
from plugins.module_utils._core.software.layout import layout
from tests.spack.make_stand_in import CACHE

BUILD = Path(__file__).resolve().parents[2] / "roles/spack_bootstrap/files/build.py"
TOY_REPOSITORY = Path(__file__).with_name("toyrepo") / "spack_repo" / "toy"
REAL = CACHE / "spack.git"


def reason_against_the_real_one() -> str | None:
    """Return why real Spack cannot run here, or None."""
    if not REAL.exists():
        return f"no mirror of Spack in {REAL}: run scripts/spack_mirror.sh"
    if not importlib.util.find_spec("clingo"):
        return "this Python cannot import clingo, Spack's solver: pip install clingo"
    if not shutil.which("gcc"):
        return "no gcc"
    return None


class Volume:
    """A directory in the place of a software volume, with what the role would write there.

    jobs: processes at a time. sleep: seconds that each of the toy sleepers takes to build.
    mirrors, push_to: caches to take finished packages from, and the one to copy them to.
    modules: how modules are laid out. compiler: the seed's own.
    keyring: a directory for the keys whose signatures count.
    """

    def __init__(self, folder, checkout, jobs=2, sleep=0.2, mirrors=(), push_to="", keyring="/nonexistent", modules=None, compiler=None):
        self.sleep, self.mirrors, self.keyring, self.modules, self.compiler = sleep, list(mirrors), keyring, modules, compiler
        self.paths = layout(str(folder / "shared"), str(checkout))
        self.settings = {
            "paths": self.paths,
            "jobs": jobs,
            "repos": [],
            "mirrors": bool(mirrors),
            "push_to": {"url": push_to, "endpoint_url": ""},
            "smoke": {},
            "module_defaults": (modules or {}).get("defaults", {}),
            "keep_build_cache": False,
            "keep_build_dependencies": False,
        }
        for name in ("programs", "software"):
            Path(self.paths[name]).mkdir(parents=True)
        self.write("settings", json.dumps(self.settings))
        self.write("spack", self.wrapper(folder))
        Path(self.paths["spack"]).chmod(0o755)
        self.configure(folder)

    def wrapper(self, folder):
        variables = {
            "HOME": folder,
            "PATH": "/usr/bin:/bin",
            "SPACK_DISABLE_LOCAL_CONFIG": "1",
            "SPACK_USER_CACHE_PATH": self.paths["cache"],
            "SPACK_PYTHON": sys.executable,
            "SPACK_GNUPGHOME": self.keyring,
            "TOY_SLEEP": str(self.sleep),
        }
        assignments = " ".join(f"{name}={value}" for name, value in variables.items())
        return f'#!/bin/sh\nexec env {assignments} {sys.executable} {self.paths["root"]}/bin/spack "$@"\n'

    def configure(self, folder):
        version = subprocess.run(["gcc", "-dumpfullversion"], check=True, capture_output=True, text=True).stdout.strip()
        repos = [
            {"name": "toy", "path": str(TOY_REPOSITORY)},
            {"name": "builtin_mock", "path": "$spack/var/spack/test_repos/spack_repo/builtin_mock"},
        ]
        compiler = {"version": version, "c": "/usr/bin/gcc", "cxx": "/usr/bin/g++"}
        mirrors = {"mirrors": self.mirrors, "signatures_count": True, "modules": self.modules, "compiler": self.compiler}
        options = {"repos": repos, "repos_override": True, "build_stage": str(folder / "stage"), **mirrors}
        files = configuration(self.paths, "x86_64", compiler, **options)
        for name, content in files.items():
            path = Path(self.paths["configuration"], name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content))

    def write(self, name, text):
        Path(self.paths[name]).write_text(text)

    def ask_for(self, *packages):
        self.write("environment", yaml.safe_dump(environment(list(packages), self.paths)))

    def read(self, name):
        return json.loads(Path(self.paths[name]).read_text())

    def log(self):
        return Path(self.paths["log"]).read_text()

    def spack(self, *arguments):
        subprocess.run([self.paths["spack"], "-e", self.paths["petal"], *arguments], check=True, stdout=subprocess.DEVNULL)

    def build(self):
        return subprocess.run([sys.executable, BUILD, self.paths["settings"]], check=False).returncode

    def report(self):
        answer = subprocess.run([sys.executable, BUILD, self.paths["settings"], "--report"], check=True, capture_output=True, text=True)
        return json.loads(answer.stdout)

    def roots(self):
        return [(package["name"], package["version"], package["module"]) for package in self.read("packages") if package["root"]]

    def run(self, package, program):
        prefix = next(found["prefix"] for found in self.read("packages") if found["name"] == package)
        return subprocess.run([f"{prefix}/bin/{program}"], check=True, capture_output=True, text=True).stdout.strip()
