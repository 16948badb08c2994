"""Measure ebs_volume, amazon.aws.ec2_vol and a plain boto3 script side by side against one lab.

python -m benchmarks.ebs [--no-page]

Writes the section "Volumes" of docs/benchmarks.md and exits 1 where a target is missed. Takes about four minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from benchmarks.report import ROOT, Target, cpu_of_children, machine, table, targets_table, write_section
from tests.integration.racers import Racers
from tests.lab.client import Lab

VOLUMES = 50
# amazon.aws.ec2_vol costs the same for every item, so a few are enough; the rest is multiplication.
LOOPED, LOOPED_SLOWLY = 10, 1
# The best of so many, as other programs on the machine can only make a run slower.
REPETITIONS, LOOP_REPETITIONS = 5, 2
RACES, PEER_RACES, ZONE = 20, 5, "us-east-1a"
SECONDS_PER_CALL, SECONDS_IN_CREATING = 0.08, 2.0
# What this run must reach; see the table it prints.
TIMES_FASTER_THAN_THE_LOOP, TIMES_THE_SCRIPT, SLOW_SECONDS = 20, 2, 6.0

OURS, SCRIPT, LOOP, ASYNC_LOOP = "ebs_volume, one task", "plain boto3 script", "ec2_vol, loop", "ec2_vol, loop with async"
STEPS = ("created", "unchanged")
PLAYBOOKS = pathlib.Path(__file__).parent / "playbooks"
NAMES = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Run:
    """One command. items: how many volumes it was about; wall and cpu in seconds; calls: API calls by action.

    cpu is that of the command and its children; background jobs that outlive it are not in it.
    """

    items: int
    wall: float
    cpu: float
    calls: dict[str, int]

    def wall_for(self, items: int, start: Run) -> float:
        """Return the seconds that so many volumes would take in turn; `start` is an empty playbook."""
        return start.wall + (self.wall - start.wall) * items / self.items


class Bench:
    """Runs commands against a lab and measures them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._ansible_home = tempfile.TemporaryDirectory(prefix="petal-bench-")

    def environment(self) -> dict[str, str]:
        # Without what keeps Python from storing compiled modules: users have them.
        own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {
            **own,
            **self.lab.environment(),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": self._ansible_home.name,
            "ANSIBLE_ASYNC_DIR": f"{self._ansible_home.name}/async",
            "ANSIBLE_NOCOLOR": "1",
        }

    def measure(self, command: list[str], items: int) -> Run:
        """Run a command and measure it; a command that fails ends the benchmark with its output."""
        self.lab.reset_calls()
        cpu_before, began = cpu_of_children(), time.monotonic()
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        wall, cpu = time.monotonic() - began, cpu_of_children() - cpu_before
        if done.returncode:
            raise SystemExit(f"{' '.join(command)[:200]} failed:\n{done.stdout}{done.stderr}")
        return Run(items, wall, cpu, self.lab.calls())

    def playbook(self, name: str, names: list[str]) -> Run:
        return self.measure(playbook_command(name, names), len(names))

    def script(self, names: list[str]) -> Run:
        return self.measure([sys.executable, str(PLAYBOOKS.parent / "plain_boto3.py"), *names], len(names))


def playbook_command(name: str, names: list[str]) -> list[str]:
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    variables = json.dumps({"volumes": [{"name": name} for name in names]})
    return [str(program), str(PLAYBOOKS / f"{name}.yml"), "-e", variables]


def new_names(count: int) -> list[str]:
    return [f"bench-{next(NAMES)}" for _ in range(count)]


def contest(contestants: dict[str, Callable[[list[str]], Run]], count: int, rounds: int = 1) -> dict[str, tuple[Run, ...]]:
    """Let each make volumes, then find them as they should be; return the best run of each for both, in the order of STEPS.

    They take turns, so that whatever else the machine does strikes them alike.
    """
    runs: dict[str, list[tuple[Run, Run]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            names = new_names(count)
            runs[name].append((run(names), run(names)))
    return {name: tuple(map(best, zip(*pairs, strict=True))) for name, pairs in runs.items()}


def best(runs: Iterable[Run]) -> Run:
    return min(runs, key=lambda run: run.wall)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Runs by what ran; each of `quiet` and `slow` is (created, unchanged), where the second was measured."""

    start: Run
    quiet: dict[str, tuple[Run, ...]]
    slow: dict[str, tuple[Run, ...]]
    races: dict[str, tuple[int, int]]


def measure_all(lab: Lab) -> Measured:
    bench = Bench(lab)
    start = best([bench.measure(playbook_command("nothing", []), 0) for _ in range(REPETITIONS)])

    def ours(names: list[str]) -> Run:
        return bench.playbook("ebs_volume", names)

    def loop(names: list[str]) -> Run:
        return bench.playbook("ec2_vol_loop", names)

    def in_background(names: list[str]) -> Run:
        return bench.playbook("ec2_vol_async", names)

    quick = {OURS: ours, SCRIPT: bench.script}
    quiet = {
        **contest(quick, VOLUMES, REPETITIONS),
        **contest({LOOP: loop}, LOOPED, LOOP_REPETITIONS),
        **contest({ASYNC_LOOP: in_background}, LOOPED),
    }
    lab.faults([{"action": "*", "delay": SECONDS_PER_CALL}])
    lab.slow({"volume": SECONDS_IN_CREATING})
    slow = {
        **contest(quick, VOLUMES, REPETITIONS),
        LOOP: (loop(new_names(LOOPED_SLOWLY)),),
        ASYNC_LOOP: (in_background(new_names(LOOPED)),),
    }
    races = races_of_playbooks(bench)
    lab.faults([])
    lab.slow({"volume": 0})
    return Measured(start, quiet, slow, {"ec2_vol": (races, PEER_RACES)})


def races_of_ours(lab: Lab) -> int:
    """Return how many of the races between two processes made exactly one volume."""
    with Racers(lab.environment(), 2) as racers:
        races = new_names(RACES)
        for name in races:
            racers.race([{"name": name, "availability_zone": ZONE, "size": "1"}] * 2)
    return _made_once(lab, races)


def races_of_playbooks(bench: Bench) -> int:
    races = new_names(PEER_RACES)
    for name in races:
        command = playbook_command("ec2_vol_loop", [name])
        both = [subprocess.Popen(command, env=bench.environment(), stdout=subprocess.DEVNULL) for _ in range(2)]
        for process in both:
            process.wait()
    return _made_once(bench.lab, races)


def _made_once(lab: Lab, names: list[str]) -> int:
    pages = lab.client("ec2").get_paginator("describe_volumes").paginate(Filters=[{"Name": "tag:Name", "Values": names}])
    made = Counter(tag["Value"] for page in pages for volume in page["Volumes"] for tag in volume["Tags"] if tag["Key"] == "Name")
    return sum(made[name] == 1 for name in names)


def judge(measured: Measured) -> list[Target]:
    """Compare with what was promised."""
    created, unchanged = measured.quiet[OURS]
    slow = measured.slow[OURS][0]
    once, tries = measured.races["ebs_volume"]
    slowly = f"{SECONDS_PER_CALL * 1000:.0f} ms a call and {SECONDS_IN_CREATING:g} s in creating"
    return [
        *_speed(measured),
        Target("API calls, created", f"{VOLUMES} creates, ≤ 2 describes", _calls(created), _counts(created, VOLUMES, 2)),
        Target("API calls, unchanged", "1 describe", _calls(unchanged), _counts(unchanged, 0, 1)),
        Target(f"{VOLUMES} volumes created, {slowly}", f"≤ {SLOW_SECONDS:g} s", f"{slow.wall:.1f} s", slow.wall <= SLOW_SECONDS),
        Target("two runs racing to create one volume", f"one volume in {tries} of {tries}", f"{once} of {tries}", once == tries),
    ]


def _speed(measured: Measured) -> list[Target]:
    """The job of design: create the volumes, then run again unchanged. Both runs together decide; each is shown."""
    ours, script, loop = (_walls(measured, name) for name in (OURS, SCRIPT, LOOP))
    ratios = [theirs / mine for theirs, mine in zip(loop, ours, strict=True)]
    allowed = TIMES_THE_SCRIPT * sum(script) + len(STEPS) * measured.start.wall
    what = f"{VOLUMES} volumes {', then '.join(STEPS)}"
    faster = f"≥ {TIMES_FASTER_THAN_THE_LOOP} times faster than the loop"
    near = f"≤ {TIMES_THE_SCRIPT} times the plain script plus the playbook's start, for each run: {allowed:.1f} s"
    together = sum(loop) / sum(ours)
    return [
        Target(what, faster, f"{together:.1f} times ({_each(ratios)})", together >= TIMES_FASTER_THAN_THE_LOOP),
        Target(what, near, f"{sum(ours):.1f} s ({_each(ours)})", sum(ours) <= allowed),
    ]


def _walls(measured: Measured, name: str) -> list[float]:
    return [run.wall_for(VOLUMES, measured.start) for run in measured.quiet[name]]


def _each(values: list[float]) -> str:
    return ", ".join(f"{step} {value:.1f}" for step, value in zip(STEPS, values, strict=True))


def _counts(run: Run, creates: int, others: int) -> bool:
    """Say whether the run made so many creates, and at most so many other calls."""
    made = run.calls.get("CreateVolume", 0)
    return made == creates and sum(run.calls.values()) - made <= others


def report(measured: Measured, targets: list[Target]) -> str:
    peer_once, peer_tries = measured.races["ec2_vol"]
    header = ("what", "volumes", "wall, s", "CPU, s", f"wall for {VOLUMES}, s", "times ours", "API calls")
    return f"""\
`make bench-ebs`, {datetime.date.today().isoformat()}: {machine("ansible-core", "boto3", "moto")}, amazon.aws {_amazon_aws()}.
An empty playbook takes {measured.start.wall:.2f} s here, {measured.start.cpu:.2f} s of it CPU.

{targets_table(targets)}

Ours and the script: the best of {REPETITIONS} runs; the loop: the best of {LOOP_REPETITIONS}. `amazon.aws.ec2_vol` takes one volume
at a time, so it is measured with a few and multiplied: one start of a playbook, and the time per item {VOLUMES} times. With async,
items overlap while they wait, so that row is multiplied only where nothing waits, and its CPU is not counted: background jobs
outlive their task.

Against a quiet API:

{table(header, _rows(measured.quiet, measured.start))}

With {SECONDS_PER_CALL * 1000:.0f} ms a call and {SECONDS_IN_CREATING:g} s in `creating` (the waiter of `ec2_vol` looks every 15 s):

{table(header, _rows(measured.slow, measured.start, waits=True))}

Two playbooks at once that ask for one volume, with those 80 ms a call: `ec2_vol` made one volume in {peer_once} of {peer_tries} tries.
The lab honours client tokens, as EC2 does.
"""


def _rows(contest: dict[str, tuple[Run, ...]], start: Run, waits: bool = False) -> Iterator[tuple[str, ...]]:
    ours = contest[OURS]
    for name, runs in contest.items():
        for what, run, best_of_ours in zip(STEPS, runs, ours, strict=False):
            in_background = name == ASYNC_LOOP
            whole = run.wall_for(VOLUMES, start)
            known = not (in_background and waits)
            yield (
                f"{name}, {what}",
                str(run.items),
                f"{run.wall:.1f}",
                "" if in_background else f"{run.cpu:.1f}",
                f"{whole:.1f}" if known else "",
                f"{whole / best_of_ours.wall:.1f}" if known else "",
                _calls(run),
            )


def _calls(run: Run) -> str:
    return ", ".join(f"{count} {action}" for action, count in sorted(run.calls.items())) or "none"


def _amazon_aws() -> str:
    listing = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-galaxy"), "collection", "list", "amazon.aws", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [collections["amazon.aws"]["version"] for collections in json.loads(listing.stdout or "{}").values()]
    return found[0] if found else "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--no-page", action="store_true", help="print the report only; leave docs/benchmarks.md as it is")
    arguments = parser.parse_args()
    with Lab.start(data_plane=False) as lab:
        once = races_of_ours(lab)  # first, as it forks: no threads yet
        measured = measure_all(lab)
    measured.races["ebs_volume"] = (once, RACES)
    targets = judge(measured)
    text = report(measured, targets)
    print(text)
    if not arguments.no_page:
        write_section("Volumes", text)
    sys.exit(any(not target.kept for target in targets))


if __name__ == "__main__":
    main()
