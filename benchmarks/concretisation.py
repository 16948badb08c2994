"""Lint seeds, and concretise packages with the real Spack, both with the real recipes. Nothing is installed.

`targets` is for benchmarks/spack.py; without the mirrors that scripts/spack_mirror.sh makes there are none.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
import time
from collections.abc import Sequence

from benchmarks.report import ROOT, Target
from plugins.module_utils._core.recipe_index import Recipes
from plugins.module_utils._core.seed_lint import lint_seed
from plugins.module_utils._core.spack import RECIPES_VERSION
from plugins.module_utils._git.recipes import load_index
from tests.spack import real_recipes

# What a genomics seed asks for, with versions that the pinned recipes have and that go together in one round of the solver.
PACKAGES = (
    "samtools@1.17",
    "bcftools@1.17",
    "htslib@1.17",
    "bwa@0.7.17",
    "bowtie2@2.5.2",
    "bedtools2@2.31.1",
    "fastqc@0.12.1",
    "star@2.7.11b",
    "subread@2.0.6",
    "openmpi@4.1.6",
    "python@3.10.20",
    "perl",
    "cmake@3.26.6",
    "gcc@11.5.0",
)
MOST_CPU_SECONDS, MOST_LINT_SECONDS = 25, 1
# Each alone takes nearly as long as the others; one is enough, the rest is multiplication.
ALONE = 1


@dataclasses.dataclass(frozen=True)
class Measured:
    """cpu seconds of one environment and of all packages one by one; packages of the environment; whether the order changed a hash."""

    together_seconds: float
    one_by_one_seconds: float
    packages: int
    same_in_any_order: bool


def measure(packages: Sequence[str] = PACKAGES, one_by_one: int | None = None) -> Measured | None:
    """Measure both ways; None where a mirror is missing.

    one_by_one: concretise only so many packages alone, and take the others to cost as much.
    """
    if real_recipes.what_is_missing():
        return None
    with tempfile.TemporaryDirectory(prefix="petal-concretise-") as folder:
        real = real_recipes.RealSpack(pathlib.Path(folder))
        # The first call of all fills Spack's caches of the recipes, for both ways alike.
        real.concretise(packages[:1])
        together, reverse = real.concretise(packages), real.concretise(packages[::-1])
        alone = [real.concretise([package]).cpu_seconds for package in packages[:one_by_one]]
    return Measured(
        together.cpu_seconds,
        sum(alone) / len(alone) * len(packages),
        len(together.hashes),
        bool(together.hashes) and together.hashes == reverse.hashes,
    )


def measure_lint(seeds: Sequence[pathlib.Path]) -> list[float]:
    """Return the CPU seconds of each seed's lint with an index that is there already, which each reads anew."""
    schema = json.loads((ROOT / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))
    cache = real_recipes.CACHE / "recipe-index"
    load_index(str(real_recipes.RECIPES), RECIPES_VERSION, cache)
    seconds = []
    for seed in seeds:
        before = time.process_time()
        recipes = Recipes([load_index(str(real_recipes.RECIPES), RECIPES_VERSION, cache)[1]])
        lint_seed(seed.read_text(encoding="utf-8"), schema, seed.name, recipes)
        seconds.append(time.process_time() - before)
    return seconds


def targets() -> list[Target]:
    """Return what design promises of real recipes, as measured; nothing where a mirror is missing."""
    found = measure(one_by_one=ALONE)
    if found is None:
        return []
    lint = measure_lint(sorted((ROOT / "tests/data/seeds/petal").glob("*.yaml")))
    what = f"{len(PACKAGES)} packages with real recipes, concretised"
    ratio = found.one_by_one_seconds / found.together_seconds
    fast = found.packages > 0 and found.together_seconds <= MOST_CPU_SECONDS
    order = "the same hashes" if found.same_in_any_order else "other hashes"
    measured = f"{found.together_seconds:.0f} CPU s for {found.packages} packages; one by one {ratio:.0f} times as long"
    slowest = f"{max(lint):.2f} CPU s, the slowest of {len(lint)} seeds"
    return [
        Target("a seed linted, index cached", f"< {MOST_LINT_SECONDS} s", slowest, max(lint) < MOST_LINT_SECONDS),
        Target(what, f"≤ {MOST_CPU_SECONDS} CPU s as one environment", measured, fast),
        Target(what, "the same hashes in any order", order, found.same_in_any_order),
    ]
