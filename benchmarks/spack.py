"""Measure petal's serial `spack install` loop and our one environment side by side, with real Spack and the toy packages.

python -m benchmarks.spack [--no-page]

Writes the section "Builds" of docs/benchmarks.md and exits 1 where a target is missed. Takes about five minutes.
Needs the mirror of Spack that scripts/spack_mirror.sh makes, and gcc; no root, no network.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.report import Target, machine, table, targets_table, write_section
from tests.spack.make_stand_in import TAG
from tests.spack.volume import REAL, Volume, reason_against_the_real_one

PACKAGES = [f"sleeper{number:02d}" for number in range(1, 13)]
# What one package takes to build; it sleeps, so that the order in which Spack works is measured and not this machine.
SECONDS_TO_BUILD = 6.0
# As many as there are packages: the usual build host has 16 cores. Sleeping needs none of this machine's.
JOBS = len(PACKAGES)
# The best of so many, as other programs on the machine can only make a run slower.
REPETITIONS = 2
# What this run must reach; see the table it prints.
TIMES_FASTER, TIMES_THE_CRITICAL_PATH = 6, 1.3


@dataclasses.dataclass(frozen=True)
class Run:
    """One way to build. wall and cpu in seconds; stages: seconds of each of its parts, where they are known."""

    wall: float
    cpu: float
    stages: dict[str, float]


class Bench:
    """One checkout of Spack with warm caches; every run gets an empty volume around it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.checkout, self.runs = folder, folder / "spack", 0
        clone = ["git", "-c", "advice.detachedHead=false", "clone", "--quiet", "--depth=1", f"--branch={TAG}"]
        subprocess.run([*clone, f"file://{REAL}", self.checkout], check=True)
        self.environment(PACKAGES[:1], sleep=0)

    def volume(self, sleep: float = SECONDS_TO_BUILD) -> Volume:
        self.runs += 1
        return Volume(self.folder / f"run{self.runs}", self.checkout, jobs=JOBS, sleep=sleep)

    def environment(self, packages: list[str], sleep: float = SECONDS_TO_BUILD) -> Run:
        """Build as the role does: choose versions once, install all together, tidy up, write both module trees."""
        volume = self.volume(sleep)
        volume.ask_for(*packages)
        with measured() as times:
            code = volume.build()
        if code:
            raise SystemExit(f"The build failed: {volume.read('status')['message']}")
        return Run(*times, volume.read("status")["stages"])

    def one_by_one(self, packages: list[str]) -> Run:
        """Build as petal's script does: one `spack install` after the other, reusing what is there, then the Lmod tree."""
        volume = self.volume()
        commands = [["install", package] for package in packages] + [
            ["-c", "modules:default:enable:[lmod]", "module", "lmod", "refresh", "--delete-tree", "-y"]
        ]
        with measured() as times:
            for command in commands:
                done = subprocess.run(
                    [volume.paths["spack"], "-c", "concretizer:reuse:true", *command],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    raise SystemExit(f"spack {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return Run(*times, {})


@contextlib.contextmanager
def measured() -> Iterator[list[float]]:
    """Yield a list that holds the seconds of wall clock and of CPU, of this process's children, once the block is done."""
    times: list[float] = []
    before, began = _cpu_of_children(), time.monotonic()
    yield times
    times += [time.monotonic() - began, _cpu_of_children() - before]


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


PEER, OURS, CRITICAL_PATH = "petal's way: `spack install` one by one", "one environment", "one environment, the longest chain alone"


def measure_all(bench: Bench) -> dict[str, Run]:
    """Return the best run of each. They take turns, so that whatever else the machine does strikes them alike."""
    ways = {
        PEER: lambda: bench.one_by_one(PACKAGES),
        OURS: lambda: bench.environment(PACKAGES),
        # The packages do not need each other, so the longest chain is any one of them.
        CRITICAL_PATH: lambda: bench.environment(PACKAGES[:1]),
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(REPETITIONS):
        for name, way in ways.items():
            runs[name].append(way())
    return {name: min(found, key=lambda run: run.wall) for name, found in runs.items()}


def judge(runs: dict[str, Run]) -> list[Target]:
    """Compare with what was promised."""
    faster = runs[PEER].wall / runs[OURS].wall
    over = runs[OURS].wall / runs[CRITICAL_PATH].wall
    what = f"{len(PACKAGES)} packages, concretised, installed, with modules"
    return [
        Target(what, f"≥ {TIMES_FASTER} times faster than one by one", f"{faster:.1f} times", faster >= TIMES_FASTER),
        Target(
            what,
            f"≤ {TIMES_THE_CRITICAL_PATH} times the critical path plus one concretisation",
            f"{over:.2f} times",
            over <= TIMES_THE_CRITICAL_PATH,
        ),
    ]


def report(runs: dict[str, Run], targets: list[Target]) -> str:
    rows = [
        (name, f"{run.wall:.1f}", f"{run.cpu:.1f}", ", ".join(f"{stage} {seconds}" for stage, seconds in run.stages.items()))
        for name, run in runs.items()
    ]
    return f"""\
`make bench-spack`, {datetime.date.today().isoformat()}: {machine("clingo")}, Spack {TAG}.

{targets_table(targets)}

{len(PACKAGES)} packages that do not need each other; each sleeps {SECONDS_TO_BUILD:g} s in the place of a compiler.
The best of {REPETITIONS} runs.
Both ways build with {JOBS} processes and the same configuration, on an empty volume. Ours also pushes every package into the volume's
cache, which makes a killed build safe, and writes two module trees; petal's way does not. The critical path plus one concretisation is
the same build with the longest chain alone, here one package.

{table(("way", "wall, s", "CPU, s", "stages, s"), rows)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--no-page", action="store_true", help="print the report only; leave docs/benchmarks.md as it is")
    arguments = parser.parse_args()
    if reason := reason_against_the_real_one():
        raise SystemExit(f"The benchmark needs real Spack: {reason}.")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users have compiled modules
    with tempfile.TemporaryDirectory(prefix="petal-bench-") as folder:
        runs = measure_all(Bench(pathlib.Path(folder)))
    targets = judge(runs)
    text = report(runs, targets)
    print(text)
    if not arguments.no_page:
        write_section("Builds", text)
    sys.exit(any(not target.kept for target in targets))


if __name__ == "__main__":
    main()
