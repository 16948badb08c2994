"""Lay the stand-in for Spack out as a bare Git repository with the tag of a release, so that the role clones it like the real one.

usage: python -m tests.spack.make_stand_in [REPOSITORY]   default: in the tests' cache folder
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from plugins.module_utils._core.software.releases import SPACK_VERSION

# What a seed that names no version gets is what the tests run.
TAG = SPACK_VERSION
STAND_IN = Path(__file__).with_name("stand_in") / "spack.py"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "petal-tests"
# Fixed, so that the same stand-in always has the same commit.
IDENTITY = {
    f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "petal.hpc"), ("EMAIL", "petal.hpc"))
}
DATES = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
EMPTY_REPOSITORY = "var/spack/test_repos/spack_repo/builtin_mock"


def ensure(folder: Path) -> Path:
    """Return the repository of today's stand-in in a folder, made once: others may be cloning from it."""
    content = hashlib.sha256(b"".join([STAND_IN.read_bytes(), Path(__file__).read_bytes(), TAG.encode(), yaml.__version__.encode()]))
    repository = folder / f"spack-stand-in-{content.hexdigest()[:12]}.git"
    return repository if repository.is_dir() else make(repository)


def make(repository: Path) -> Path:
    """Make the repository anew, in one step for whoever reads it."""
    repository.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=repository.parent) as scratch:
        tree, bare = Path(scratch) / "tree", Path(scratch) / "bare"
        lay_out(tree)
        environment = {**os.environ, **IDENTITY, **DATES, "GIT_CONFIG_GLOBAL": os.devnull}
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The stand-in"], ["tag", TAG]):
            subprocess.run(["git", "-C", str(tree), *command], check=True, env=environment)
        subprocess.run(["git", "clone", "--quiet", "--bare", str(tree), str(bare)], check=True, env=environment)
        shutil.rmtree(repository, ignore_errors=True)
        bare.rename(repository)
    return repository


def lay_out(tree: Path) -> None:
    """Write the working tree: the program where Spack has it, PyYAML, and the place of Spack's own test recipes, empty."""
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "spack").write_text("#!/usr/bin/env python3\n" + STAND_IN.read_text())
    (tree / "bin" / "spack").chmod(0o755)
    shutil.copytree(Path(yaml.__file__).parent, tree / "lib" / "yaml", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    (tree / EMPTY_REPOSITORY / "packages").mkdir(parents=True)
    (tree / EMPTY_REPOSITORY / "repo.yaml").write_text("repo:\n  namespace: builtin_mock\n  api: v2.2\n")
    (tree / EMPTY_REPOSITORY / "packages" / ".keep").touch()
    (tree / ".gitignore").write_text("/etc/\n__pycache__/\n")


if __name__ == "__main__":
    print(make(Path(sys.argv[1])) if len(sys.argv) > 1 else ensure(CACHE))
