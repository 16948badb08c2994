"""Lint and mend seeds, and have the real Spack concretise them with the real recipes; name each package that it cannot.

python -m benchmarks.real_seeds [--cpu-seconds N] [--at-once N] [--no-page] SEED|FOLDER ...

Writes docs/real_seeds.md. Nothing is installed. What Spack has answered is kept in the tests' cache folder for as long as neither Spack nor
the recipes nor our configuration change, so that a run that is broken off goes on where it stopped.
Needs the mirrors that scripts/spack_mirror.sh makes.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from benchmarks.report import ROOT, machine, table
from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.positioned_yaml import read_document
from plugins.module_utils._core.recipes.index import Recipes
from plugins.module_utils._core.recipes.seed_lint import mend_seed
from plugins.module_utils._core.software.releases import RECIPES_VERSION
from plugins.module_utils._core.software.spec import canonical_spec
from plugins.module_utils._git.recipes import load_index
from tests.spack import real_recipes
from tests.spack.make_stand_in import TAG

PAGE = ROOT / "docs" / "real_seeds.md"
KEPT = real_recipes.CACHE / "real-seeds"
# Forty packages that go together take half of it on a quiet machine.
CPU_SECONDS = 300

# As roles/spack_bootstrap/files/build.py asks where there is no answer for all together.
ALONE = "concretizer:unify:false"

Concretise = Callable[..., real_recipes.Concretisation]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one seed.

    wrong, mended, commented_out: findings of the lint, those that were mended, and packages that no recipe builds.
    asked: packages that were given to Spack; packages: what they became, with all that they need; cpu_seconds: of Spack.
    apart: whether each was concretised alone, because there was no answer for all together.
    cannot: what has no solution, and why: a spec, or the seed where it cannot be read.
    """

    wrong: int = 0
    mended: int = 0
    commented_out: tuple[str, ...] = ()
    asked: int = 0
    packages: int = 0
    cpu_seconds: float = 0
    apart: bool = False
    cannot: tuple[tuple[str, str], ...] = ()


class Answers:
    """What Spack makes of lists of packages; each list is asked for once, in this run and, where there is a folder, in later ones.

    real: the Spack that is asked. cpu_limit: CPU seconds for one answer. at_once: so many are looked for side by side.
    """

    def __init__(self, folder: pathlib.Path, real: real_recipes.RealSpack, cpu_limit: int, at_once: int):
        self._folder, self._real, self._cpu_limit = folder, real, cpu_limit
        self._pool, self._lock = ThreadPoolExecutor(at_once), threading.Lock()
        self._answers: dict[str, Future[real_recipes.Concretisation]] = {}

    def __call__(self, packages: Sequence[str], *settings: str) -> real_recipes.Concretisation:
        """settings: of Spack, in the place of ours."""
        inputs = [TAG, RECIPES_VERSION, real_recipes.TARGET, self._real.configuration, settings, sorted(map(canonical_spec, packages))]
        key = hashlib.sha256(json.dumps(inputs, sort_keys=True).replace(str(self._real.folder), "").encode()).hexdigest()[:20]
        with self._lock:
            if key not in self._answers:
                self._answers[key] = self._pool.submit(self._answer, key, packages, settings)
        return self._answers[key].result()

    def _answer(self, key: str, packages: Sequence[str], settings: Sequence[str]) -> real_recipes.Concretisation:
        path = self._folder / f"{key}.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if not kept["problem"] or kept["cpu_limit"] >= self._cpu_limit:
                return real_recipes.Concretisation(frozenset(kept["hashes"]), kept["problem"], kept["cpu_seconds"])
        found = self._real.concretise(packages, key, cpu_limit=self._cpu_limit, settings=settings)
        self._folder.mkdir(parents=True, exist_ok=True)
        content = {**dataclasses.asdict(found), "hashes": sorted(found.hashes), "cpu_limit": self._cpu_limit}
        path.write_text(json.dumps(content), encoding="utf-8")
        return found


def concretise_seed(text: str, source: str, schema: dict, recipes: Recipes, concretise: Concretise) -> Outcome:
    """Mend a seed and concretise what is left of it, as a build does: together, else each package alone."""
    try:
        mended = mend_seed(text, schema, source, recipes, comment_out=True)
        software = read_document(mended.text, source).data.get("software") or {}
    except ManyProblems as error:
        return Outcome(wrong=len(error.problems), cannot=tuple((source, problem) for problem in error.problems))
    counts = {
        "wrong": len(mended.mended) + len(mended.left),
        "mended": len(mended.mended),
        "commented_out": tuple(mended.commented_out),
    }
    if mended.left:
        return Outcome(**counts, cannot=tuple((finding.value or source, finding.sentence) for finding in mended.left))
    compiler = software.get("compiler")
    packages = list(dict.fromkeys([*([compiler] if compiler else []), *(software.get("spack_packages") or [])]))
    if not packages:
        return Outcome(**counts)
    together = concretise(packages)
    alone = {package: concretise([package], ALONE) for package in packages} if together.problem else {}
    found = list(alone.values()) or [together]
    return Outcome(
        **counts,
        asked=len(packages),
        packages=len(frozenset().union(*(one.hashes for one in found))),
        cpu_seconds=sum(one.cpu_seconds for one in found),
        apart=bool(alone),
        cannot=tuple((package, one.problem) for package, one in alone.items() if one.problem),
    )


def page(outcomes: dict[str, Outcome], cpu_seconds: int, to_come: Sequence[str] = ()) -> str:
    """Return docs/real_seeds.md. to_come: seeds of this run that were not looked at yet."""
    rows = [
        (name, *(str(part) for part in (found.wrong, found.mended, len(found.commented_out), found.asked)), verdict(found))
        for name, found in outcomes.items()
    ]
    solved = sum(not found.cannot for found in outcomes.values())
    reasons = [f"- {name}: {spec}: {first_sentence(why)}" for name, found in outcomes.items() for spec, why in found.cannot]
    left_out = [f"- {name}: {', '.join(found.commented_out)}" for name, found in outcomes.items() if found.commented_out]
    return f"""\
# Real seeds, mended and concretised

Seeds that others wrote, as they are: linted, mended and given to the real Spack with the real recipes, as a build does it: all packages
together and, where Spack finds no answer for that in time, each package alone. Nothing is installed. Written by
`make concretise-seeds`; [seed_lint.md](seed_lint.md) explains what is mended.

{machine("clingo")}, Spack {TAG}, recipes {RECIPES_VERSION}, for {real_recipes.TARGET} and GCC {real_recipes.COMPILER["version"]};
at most {cpu_seconds} CPU seconds for an answer. {solved} of {len(outcomes)} seeds concretise with all that is left of them.
{f"{chr(10)}Not looked at yet: {', '.join(to_come)}.{chr(10)}" if to_come else ""}
{table(("seed", "wrong", "mended", "no recipe", "asked for", "concretised"), rows)}

Wrong: what the lint finds. No recipe: packages that no recipe builds, turned into comments. Asked for: packages that were given to Spack.

## What cannot be concretised, and why

{chr(10).join(reasons) or "Nothing."}

## Packages that no recipe builds

{chr(10).join(left_out) or "None."}
"""


def verdict(found: Outcome) -> str:
    if found.cannot:
        return "no: " + ", ".join(spec for spec, _why in found.cannot)
    if not found.asked:
        return "asks for no packages"
    return f"{found.packages} packages, {found.cpu_seconds:.0f} CPU s{', each alone' if found.apart else ''}"


def first_sentence(why: str) -> str:
    """Return a reason as one line, without what Spack says before it."""
    return " ".join(why.rpartition("==> Error: ")[2].splitlines())[:400]


def seeds_in(places: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    found = [sorted(place.glob("*.yaml")) if place.is_dir() else [place] for place in places]
    return [seed for seeds in found for seed in seeds]


def main() -> int:
    parser = argparse.ArgumentParser(description="Mend and concretise seeds with the real Spack and the real recipes.")
    parser.add_argument("seeds", nargs="+", type=pathlib.Path, metavar="SEED|FOLDER")
    parser.add_argument("--cpu-seconds", type=int, default=CPU_SECONDS, help=f"for one attempt of Spack ({CPU_SECONDS})")
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="solvers at a time; each takes up to 2 GiB (one for each core)")
    parser.add_argument("--no-page", action="store_true", help="print only; leave docs/real_seeds.md as it is")
    arguments = parser.parse_args()
    if missing := real_recipes.what_is_missing():
        print(missing, file=sys.stderr)
        return 3
    schema = json.loads((ROOT / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))
    recipes = Recipes([load_index(str(real_recipes.RECIPES), RECIPES_VERSION, real_recipes.CACHE / "recipe-index")[1]])
    outcomes = {}
    seeds = seeds_in(arguments.seeds)
    with tempfile.TemporaryDirectory(prefix="petal-concretise-") as folder, ThreadPoolExecutor(len(seeds)) as pool:
        real = real_recipes.RealSpack(pathlib.Path(folder))
        # The first call of all fills Spack's caches of the recipes, and all others would wait for it until they give up.
        real.concretise(["zlib"])
        answers = Answers(KEPT, real, arguments.cpu_seconds, arguments.at_once)
        outcome_of = lambda seed: concretise_seed(seed.read_text(encoding="utf-8"), seed.name, schema, recipes, answers)  # noqa: E731
        for number, (seed, found) in enumerate(zip(seeds, pool.map(outcome_of, seeds), strict=True), start=1):
            outcomes[seed.name] = found
            print(f"{seed.name}: {found.wrong} wrong, {found.mended} mended, {len(found.commented_out)} without a recipe: ", end="")
            print(verdict(found), *(f"  {spec}: {first_sentence(why)}" for spec, why in found.cannot), sep="\n", flush=True)
            if not arguments.no_page:
                PAGE.write_text(page(outcomes, arguments.cpu_seconds, [later.name for later in seeds[number:]]), encoding="utf-8")
    return int(any(found.cannot for found in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
