"""Lint and mend seeds, and have the real Spack concretise them with the real recipes; name each package that it cannot.

python -m benchmarks.real_seeds [--cpu-seconds N] [--no-page] SEED|FOLDER ...

Writes docs/real_seeds.md. Nothing is installed. What was found is kept in the tests' cache folder for as long as neither the seed's
packages nor Spack nor the recipes change, so that a run that is broken off goes on where it stopped.
Needs the mirrors that scripts/spack_mirror.sh makes.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence

from benchmarks.report import ROOT, machine, table
from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.positioned_yaml import read_document
from plugins.module_utils._core.recipe_index import Recipes
from plugins.module_utils._core.seed_lint import mend_seed
from plugins.module_utils._core.spack import RECIPES_VERSION
from plugins.module_utils._core.spack_spec import canonical_spec
from plugins.module_utils._git.recipes import load_index
from tests.spack import real_recipes
from tests.spack.make_stand_in import TAG

PAGE = ROOT / "docs" / "real_seeds.md"
KEPT = real_recipes.CACHE / "real-seeds"
# A seed of forty packages takes half of it on a quiet machine.
CPU_SECONDS = 300
# For finding the packages at fault, that many times as much again.
TIMES_FOR_THE_SEARCH = 3

Concretise = Callable[[Sequence[str]], real_recipes.Concretisation]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one seed.

    wrong, mended, commented_out: findings of the lint, those that were mended, and packages that no recipe builds.
    asked: packages that were given to Spack; packages: what they became, with all that they need; cpu_seconds: of Spack.
    cannot: what has no solution, and why: a spec, several that have one only apart, or the seed where it cannot be read.
    """

    wrong: int = 0
    mended: int = 0
    commented_out: tuple[str, ...] = ()
    asked: int = 0
    packages: int = 0
    cpu_seconds: float = 0
    cannot: tuple[tuple[str, str], ...] = ()


def concretise_seed(text: str, source: str, schema: dict, recipes: Recipes, concretise: Concretise, cpu_seconds: float) -> Outcome:
    """Mend a seed and concretise what is left of it; recipes and concretise say what there is.

    cpu_seconds: how much the search for the packages at fault may take.
    """
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
    found, cannot = search(packages, concretise, cpu_seconds)
    return Outcome(**counts, asked=len(packages), packages=len(found.hashes), cpu_seconds=found.cpu_seconds, cannot=tuple(cannot.items()))


def search(packages: Sequence[str], concretise: Concretise, cpu_seconds: float) -> tuple[real_recipes.Concretisation, dict[str, str]]:
    """Return what Spack makes of all packages together and, where it makes nothing of them, which of them are at fault and why.

    Spack often names them; where it does not, halves are tried, and halves of these, for as long as cpu_seconds last.
    """
    whole = concretise(packages)
    left = cpu_seconds

    def at_fault(specs: Sequence[str], found: real_recipes.Concretisation | None = None) -> dict[str, str]:
        nonlocal left
        if found is None:
            if left <= 0:
                return {", ".join(specs): "was not looked into any further"}
            found = concretise(specs)
            left -= found.cpu_seconds
        if not found.problem:
            return {}
        if len(specs) == 1:
            return {specs[0]: found.problem}
        parts = [[spec] for spec in found.unsolved] or [specs[: len(specs) // 2], specs[len(specs) // 2 :]]
        inside = {spec: why for part in parts for spec, why in at_fault(part).items()}
        return inside or {", ".join(found.unsolved or specs): f"only apart: {found.problem}"}

    return whole, at_fault(packages, whole)


def kept(folder: pathlib.Path, text: str, cpu_seconds: int, find: Callable[[], Outcome]) -> Outcome:
    """Return what was found for this text before, else find it and keep it."""
    inputs = "\n".join([TAG, RECIPES_VERSION, str(cpu_seconds), pathlib.Path(__file__).read_text(encoding="utf-8"), text])
    path = folder / f"{hashlib.sha256(inputs.encode()).hexdigest()[:20]}.json"
    if path.exists():
        content = json.loads(path.read_text(encoding="utf-8"))
        return Outcome(**{**content, "commented_out": tuple(content["commented_out"]), "cannot": tuple(map(tuple, content["cannot"]))})
    outcome = find()
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dataclasses.asdict(outcome)), encoding="utf-8")
    return outcome


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

Seeds that others wrote, as they are: linted, mended and given to the real Spack with the real recipes, each as one environment, as a
build does it. Nothing is installed. Written by `make concretise-seeds`; [seed_lint.md](seed_lint.md) explains what is mended.

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
    return f"{found.packages} packages, {found.cpu_seconds:.0f} CPU s" if found.asked else "asks for no packages"


def first_sentence(why: str) -> str:
    """Return a reason as one line, without what Spack says before it."""
    lines = [line for line in why.splitlines() if not line.startswith("==> Warning")]
    return " ".join(lines).removeprefix("==> Error: ")[:400]


def seeds_in(places: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    found = [sorted(place.glob("*.yaml")) if place.is_dir() else [place] for place in places]
    return [seed for seeds in found for seed in seeds]


def main() -> int:
    parser = argparse.ArgumentParser(description="Mend and concretise seeds with the real Spack and the real recipes.")
    parser.add_argument("seeds", nargs="+", type=pathlib.Path, metavar="SEED|FOLDER")
    parser.add_argument("--cpu-seconds", type=int, default=CPU_SECONDS, help=f"for one attempt of Spack ({CPU_SECONDS})")
    parser.add_argument("--no-page", action="store_true", help="print only; leave docs/real_seeds.md as it is")
    arguments = parser.parse_args()
    if missing := real_recipes.what_is_missing():
        print(missing, file=sys.stderr)
        return 3
    schema = json.loads((ROOT / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))
    recipes = Recipes([load_index(str(real_recipes.RECIPES), RECIPES_VERSION, real_recipes.CACHE / "recipe-index")[1]])
    outcomes = {}
    with tempfile.TemporaryDirectory(prefix="petal-concretise-") as folder:
        real = real_recipes.RealSpack(pathlib.Path(folder))
        limit = arguments.cpu_seconds
        # Seeds often differ in their cluster alone.
        answers: dict[tuple[str, ...], real_recipes.Concretisation] = {}

        def concretise(packages: Sequence[str]) -> real_recipes.Concretisation:
            key = tuple(sorted(map(canonical_spec, packages)))
            if key not in answers:
                answers[key] = real.concretise(packages, cpu_limit=limit)
            return answers[key]

        seeds = seeds_in(arguments.seeds)
        for number, seed in enumerate(seeds, start=1):
            text = seed.read_text(encoding="utf-8")
            find = lambda: concretise_seed(text, seed.name, schema, recipes, concretise, TIMES_FOR_THE_SEARCH * limit)  # noqa: E731, B023
            found = outcomes[seed.name] = kept(KEPT, text, limit, find)
            print(f"{seed.name}: {found.wrong} wrong, {found.mended} mended, {len(found.commented_out)} without a recipe: ", end="")
            print(verdict(found), *(f"  {spec}: {first_sentence(why)}" for spec, why in found.cannot), sep="\n", flush=True)
            if not arguments.no_page:
                PAGE.write_text(page(outcomes, limit, [later.name for later in seeds[number:]]), encoding="utf-8")
    return int(any(found.cannot for found in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
