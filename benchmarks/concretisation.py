"""Concretise a seed's packages with the real Spack and the real recipes: one by one, and as one environment.

python -m benchmarks.concretisation SEED ...   mends each seed, concretises it as one environment, prints one line for each

Needs the mirrors that scripts/spack_mirror.sh makes. Nothing is installed. `targets` is for benchmarks/spack.py; without
mirrors there are none.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
from collections.abc import Sequence

from benchmarks.report import ROOT, Target
from plugins.module_utils._core.positioned_yaml import read_document
from plugins.module_utils._core.recipe_index import Recipes
from plugins.module_utils._core.seed_lint import mend_seed
from plugins.module_utils._core.spack import RECIPES_VERSION
from plugins.module_utils._git.recipes import load_index
from tests.spack import real_recipes

# Of the bioinformatics seed, with versions that the recipes of RECIPES_VERSION have.
PACKAGES = (
    "openmpi@4.1.6",
    "samtools@1.17",
    "bcftools@1.17",
    "bwa@0.7.17",
    "bowtie2@2.5.2",
    "hisat2@2.2.1",
    "star@2.7.11b",
    "bedtools2@2.31.1",
    "fastqc@0.12.1",
    "salmon@1.10.2",
    "subread@2.0.6",
    "htslib@1.17",
    "picard@3.1.1",
    "blast-plus@2.14.1",
)
MOST_CPU_SECONDS = 25
# Each alone takes nearly as long as the others; a few are enough, the rest is multiplication.
ALONE = 2


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


def targets() -> list[Target]:
    """Return what design promises of real recipes, as measured; nothing where a mirror is missing."""
    found = measure(one_by_one=ALONE)
    if found is None:
        return []
    what = f"{len(PACKAGES)} packages with real recipes, concretised"
    ratio = found.one_by_one_seconds / found.together_seconds
    fast = found.packages > 0 and found.together_seconds <= MOST_CPU_SECONDS
    order = "the same hashes" if found.same_in_any_order else "other hashes"
    measured = f"{found.together_seconds:.0f} CPU s for {found.packages} packages; one by one {ratio:.0f} times as long"
    return [
        Target(what, f"≤ {MOST_CPU_SECONDS} CPU s as one environment", measured, fast),
        Target(what, "the same hashes in any order", order, found.same_in_any_order),
    ]


def report(seeds: Sequence[pathlib.Path]) -> int:
    """Mend and concretise seeds, one line each; return how many have no solution."""
    schema = json.loads((ROOT / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))
    recipes = Recipes([load_index(str(real_recipes.RECIPES), RECIPES_VERSION, real_recipes.CACHE / "recipe-index")[1]])
    failures = 0
    with tempfile.TemporaryDirectory(prefix="petal-concretise-") as folder:
        real = real_recipes.RealSpack(pathlib.Path(folder))
        for seed in seeds:
            mended = mend_seed(seed.read_text(encoding="utf-8"), schema, seed.name, recipes, comment_out=True)
            if mended.left:
                problem = "; ".join(finding.located(seed.name) for finding in mended.left)
            else:
                software = read_document(mended.text, seed.name).data.get("software") or {}
                packages = software.get("spack_packages") or []
                found = real.concretise(packages, seed.stem, software.get("compiler")) if packages else None
                problem = found.problem if found else ""
            failures += bool(problem)
            counts = f"{len(mended.mended)} mended, {len(mended.commented_out)} without a recipe"
            outcome = problem.replace("\n", " | ") or (
                f"{len(found.hashes)} packages, {found.cpu_seconds:.0f} CPU s" if found else "no packages"
            )
            print(f"{seed.name}: {counts}: {outcome}", flush=True)
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description="Mend and concretise seeds with the real Spack and the real recipes.")
    parser.add_argument("seeds", nargs="+", type=pathlib.Path, metavar="SEED")
    if missing := real_recipes.what_is_missing():
        print(missing, file=sys.stderr)
        return 3
    return 1 if report(parser.parse_args().seeds) else 0


if __name__ == "__main__":
    sys.exit(main())
