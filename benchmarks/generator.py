"""Measure the way from a seed to a cluster configuration that aws-parallelcluster accepts: many seeds in one process, and one each.

python -m benchmarks.generator [--no-page]

Writes the section "Cluster configurations" of docs/benchmarks.md and exits 1 where a target is missed. CPU time counts, because other
programs on the machine hardly change it. Needs .venv-pcluster; takes three minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable

from benchmarks.report import ROOT, Target, cpu_of_children, machine, table, targets_table, write_section
from tests.judge.running import PYTHON
from tests.judge.seeds import cases, random_seed, read, render

SEEDS, MANY, ALONE = 41, 1000, 8
CPU_PER_SEED = 0.2
LEVELS = ("schema", "validators", "dryrun")


@dataclasses.dataclass(frozen=True)
class Run:
    """One process that checked so many files, in seconds; accepted: how many of them aws-parallelcluster takes."""

    files: int
    accepted: int
    wall: float
    cpu: float

    def cpu_per_file(self, start: Run) -> float:
        """Return what one more file costs on top of what `start` checked."""
        return (self.cpu - start.cpu) / (self.files - start.files)


@dataclasses.dataclass(frozen=True)
class Measured:
    """levels: (one file, SEEDS files), each in one process. alone: ALONE files that are spread over the seeds, a process each."""

    known: int
    rendering_cpu: float
    levels: dict[str, tuple[Run, Run]]
    many: Run
    many_rendering_cpu: float
    alone: list[Run]

    @property
    def alone_cpu(self) -> float:
        """Return what a process for each of the SEEDS takes, from the few that were measured."""
        return SEEDS * sum(run.cpu for run in self.alone) / len(self.alone)


def write_configurations(folder: pathlib.Path) -> tuple[list[pathlib.Path], int]:
    """Render the seeds we know, as many that nobody wrote as make SEEDS, then up to MANY; return the files and the number of known ones."""
    known = ((read(path), options) for path, options in cases().values())
    made_up = ((random_seed(number), {}) for number in itertools.count())
    files = []
    for number, (seed, options) in enumerate(itertools.islice(itertools.chain(known, made_up), MANY)):
        problems, text = render(seed, **options)
        if problems:
            raise SystemExit(f"Seed {number} is refused: {problems}")
        files.append(folder / f"seed-{number}.yaml")
        files[-1].write_text(text)
    return files, len(cases())


def rendering_cpu(seeds: Iterable[dict]) -> float:
    """Return CPU seconds per seed from a seed to its configuration's text."""
    listed = list(seeds)
    began = time.process_time()
    for seed in listed:
        render(seed)
    return (time.process_time() - began) / len(listed)


def check(files: list[pathlib.Path], level: str) -> Run:
    """Let one process check the files in an account that holds what they name."""
    cpu_before, began = cpu_of_children(), time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [str(PYTHON), "-m", "tests.judge", "--level", level, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    wall, cpu = time.monotonic() - began, cpu_of_children() - cpu_before
    accepted = sum(line.startswith("ok ") for line in done.stdout.splitlines())
    if accepted + sum(line.startswith("refuse ") for line in done.stdout.splitlines()) != len(files):
        raise SystemExit(f"The check at level {level} broke off:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Run(len(files), accepted, wall, cpu)


def measure() -> Measured:
    with tempfile.TemporaryDirectory(prefix="petal-bench-") as folder:
        files, known = write_configurations(pathlib.Path(folder))
        check(files[:1], "dryrun")  # so that all modules are compiled
        levels = {level: (check(files[:1], level), check(files[:SEEDS], level)) for level in LEVELS}
        return Measured(
            known,
            rendering_cpu(read(path) for path, options in cases().values() if not options),
            levels,
            check(files, "validators"),
            rendering_cpu(random_seed(number) for number in range(MANY)),
            [check([file], "validators") for file in files[: SEEDS : SEEDS // ALONE][:ALONE]],
        )


def judge(measured: Measured) -> list[Target]:
    """Compare with what was promised."""
    start, runs = measured.levels["validators"]
    per_seed = measured.rendering_cpu + runs.cpu_per_file(start)
    many = measured.many_rendering_cpu + measured.many.cpu_per_file(start)
    promise = f"≤ {CPU_PER_SEED:g} s CPU a seed on top of one start"
    accepted = [*(run.accepted == run.files for _start, run in measured.levels.values()), measured.many.accepted == MANY]
    return [
        Target(f"{SEEDS} seeds rendered and validated", promise, f"{per_seed:.3f} s", per_seed <= CPU_PER_SEED),
        Target(f"{MANY} seeds rendered and validated", promise, f"{many:.3f} s", many <= CPU_PER_SEED),
        Target("configurations accepted by aws-parallelcluster", "all", _accepted(measured), all(accepted)),
    ]


def _accepted(measured: Measured) -> str:
    at_levels = [f"{run.accepted} of {run.files} ({level})" for level, (_start, run) in measured.levels.items()]
    return ", ".join([*at_levels, f"{measured.many.accepted} of {MANY} (validators)"])


def report(measured: Measured, targets: list[Target]) -> str:
    rows = [_row(f"{level}, one process", start, run) for level, (start, run) in measured.levels.items()]
    rows.append(_row("validators, one process", measured.levels["validators"][0], measured.many))
    alone, wall = measured.alone_cpu, SEEDS * sum(run.wall for run in measured.alone) / ALONE
    rows.append((f"validators, a process each (from {ALONE})", str(SEEDS), f"{alone:.0f}", f"{alone / SEEDS:.3f}", f"{wall:.0f}"))
    ratio = alone / measured.levels["validators"][1].cpu
    return f"""\
`make bench-generator`, {datetime.date.today().isoformat()}: {machine("jinja2", "pyyaml")}, {_parallelcluster()}.

{targets_table(targets)}

{measured.known} of the {SEEDS} seeds are those of `tests/data/seeds` that are accepted as they are or with an option; the others, and the
{MANY}, were made up at random. Rendering alone takes {1000 * measured.rendering_cpu:.0f} ms CPU a seed, the made-up ones
{1000 * measured.many_rendering_cpu:.0f} ms. A process each takes {ratio:.1f} times the CPU of one process for all {SEEDS}.

{table(("check", "files", "CPU, s", "CPU for one more file, s", "wall, s"), rows)}

Each file has to pass `schema` before it goes on to `validators` or `dryrun`. The start, on top of which a file counts, is a process that
checks one file. The CPU holds the simulated account of the judge, too, which answers every question that ParallelCluster asks of AWS.
"""


def _row(what: str, start: Run, run: Run) -> tuple[str, ...]:
    return (what, str(run.files), f"{run.cpu:.1f}", f"{run.cpu_per_file(start):.3f}", f"{run.wall:.0f}")


def _parallelcluster() -> str:
    asked = [str(PYTHON), "-c", "from importlib.metadata import version; print(version('aws-parallelcluster'), version('moto'))"]
    package, moto = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    return f"aws-parallelcluster {package}, moto {moto}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--no-page", action="store_true", help="print the report only; leave docs/benchmarks.md as it is")
    arguments = parser.parse_args()
    if not PYTHON.exists():
        sys.exit("aws-parallelcluster is missing: run `sh scripts/bootstrap.sh .venv-pcluster requirements/pcluster.txt`.")
    measured = measure()
    targets = judge(measured)
    text = report(measured, targets)
    print(text)
    if not arguments.no_page:
        write_section("Cluster configurations", text)
    sys.exit(any(not target.kept for target in targets))


if __name__ == "__main__":
    main()
