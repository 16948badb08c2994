"""The real Spack with the real recipes: says what a list of specs becomes. Nothing is installed.

Needs two mirrors in the tests' cache folder: `sh scripts/spack_mirror.sh` and `sh scripts/spack_mirror.sh recipes`.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from plugins.module_utils._core.software.configuration import configuration
from plugins.module_utils._core.software.environment import environment
from plugins.module_utils._core.software.layout import layout
from plugins.module_utils._core.software.releases import RECIPES_VERSION
from plugins.module_utils._core.software.spec import canonical_spec
from tests.spack.make_stand_in import CACHE, TAG

SPACK, RECIPES = CACHE / "spack.git", CACHE / "spack-packages.git"
# The compiler of Amazon Linux 2023, the operating system of a seed that names none. It is described, and need not be here.
COMPILER = {"version": "11.5.0", "c": "/usr/bin/gcc", "cxx": "/usr/bin/g++", "fortran": "/usr/bin/gfortran"}
TARGET = "x86_64_v3"


def what_is_missing() -> str | None:
    """Return why the real Spack cannot concretise real recipes here, or None."""
    for mirror, argument in ((SPACK, ""), (RECIPES, " recipes")):
        if not mirror.is_dir():
            return f"no mirror {mirror}: run sh scripts/spack_mirror.sh{argument}"
    return None if importlib.util.find_spec("clingo") else "this Python cannot import clingo, Spack's solver: pip install clingo"


@dataclasses.dataclass(frozen=True)
class Concretisation:
    """What a list of specs became.

    hashes: of every package of the lock, by name and hash; externals left out.
    problem: what Spack says where there is no solution; "" where there is one.
    cpu_seconds: of Spack and its solver.
    """

    hashes: frozenset[str]
    problem: str
    cpu_seconds: float


class RealSpack:
    """A checkout of Spack and of the recipes in a folder, with what Spack has to know of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = layout(str(folder / "shared"))
        self._check_out(SPACK, TAG, self.paths["root"])
        self._check_out(RECIPES, RECIPES_VERSION, self.paths["recipes"])
        self.configuration = configuration(self.paths, TARGET, COMPILER, build_stage=str(folder / "stage"))
        for name, content in self.configuration.items():
            path = Path(self.paths["configuration"], name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content))

    def concretise(
        self,
        packages: Sequence[str],
        name: str = "environment",
        compiler: str | None = None,
        cpu_limit: int | None = None,
        settings: Sequence[str] = (),
    ) -> Concretisation:
        """Concretise specs as one environment, which is kept as `name` in the folder.

        settings: of Spack, in the place of ours: "concretizer:static_analysis:false".
        cpu_limit: CPU seconds after which there is no solution; Spack takes hours to be sure that there is none.
        """
        place = self.folder / name
        place.mkdir(exist_ok=True)
        lock = place / "spack.lock"
        lock.unlink(missing_ok=True)
        specs = [canonical_spec(package) for package in packages]
        (place / "spack.yaml").write_text(yaml.safe_dump(environment(specs, self.paths, compiler)))
        options = [part for setting in settings for part in ("-c", setting)]
        output = place / "output"
        code, cpu_seconds = self._spack(output, cpu_limit, *options, "-D", str(place), "concretize", "--force")
        if code == 0:
            return Concretisation(_packages_of(lock), "", cpu_seconds)
        if code == -signal.SIGXCPU:
            return Concretisation(frozenset(), f"no answer within {cpu_limit} CPU seconds", cpu_seconds)
        return Concretisation(frozenset(), _shortened(output.read_text()), cpu_seconds)

    def _spack(self, output: Path, cpu_limit: int | None, *arguments: str) -> tuple[int, float]:
        """Run Spack, what it says into a file; return its exit code and the CPU seconds that it took."""
        environment = {
            "HOME": str(self.folder),
            "PATH": "/usr/bin:/bin",
            "SPACK_DISABLE_LOCAL_CONFIG": "1",
            "SPACK_USER_CACHE_PATH": self.paths["cache"],
            "SPACK_PYTHON": sys.executable,
        }
        command = [sys.executable, f"{self.paths['root']}/bin/spack", *arguments]
        with output.open("wb") as said:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
            if cpu_limit:
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (cpu_limit, resource.RLIM_INFINITY))
            # Of this process, whatever else runs beside it.
            _process_id, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage.ru_utime + usage.ru_stime

    @staticmethod
    def _check_out(mirror: Path, tag: str, folder: str) -> None:
        if not Path(folder).is_dir():
            subprocess.run(
                ["git", "clone", "--quiet", "--depth=1", f"--branch={tag}", f"file://{mirror}", folder],
                check=True,
                stderr=subprocess.DEVNULL,
            )


def _packages_of(lock: Path) -> frozenset[str]:
    if not lock.exists():
        return frozenset()
    nodes = json.loads(lock.read_text())["concrete_specs"]
    return frozenset(f"{node['name']}-{hash_}" for hash_, node in nodes.items() if "external" not in node)


def _shortened(output: str) -> str:
    """Return Spack's reasons without colour and without what it says before them."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    reasons = plain[max(plain.find("==> Error"), 0) :]
    return "\n".join(line.strip() for line in reasons.splitlines() if line.strip())[:3000]
