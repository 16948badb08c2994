"""Run the levels of the tests, one line each: name, counts, seconds.

run_tests.py            every level, three at a time; closes with "N passed, N failed, N skipped"
run_tests.py LEVEL ...  these levels, with their output as it comes

Without a level named, the output of each is kept in .cache/test/LEVEL.log; of a level that failed, the end is shown.
A level that cannot run on this machine counts as one skipped and says what to install.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / ".cache" / "test"
SCENARIOS = ROOT / "extensions" / "molecule"
JUDGE_ENVIRONMENT = ".venv-pcluster"
FLOORS_ENVIRONMENT = ".venv-floors"
# What real Ansible does once more with the oldest releases: the targets of the central modules. Not the playbooks of a deployment: with
# ansible-core 2.19.0 to 2.19.3 they may hang at the start of a play (ansible/ansible#85879, #86027).
AT_THE_FLOORS = [f"tests/integration/test_{name}.py" for name in ("ebs_volume", "ebs_snapshot", "snapshot_registry")]
# Nothing takes nearly as long unless it hangs, not even on a busy machine.
COMMAND_TIMEOUT = 4500
LINES_SHOWN_OF_A_FAILURE = 60
FAILED = "failed: "


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The counts of one level; notes are lines for a person: what failed, why something was skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped, self.notes + other.notes)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclasses.dataclass(frozen=True)
class Shell:
    """Runs the commands of one level; their output goes to the log, or straight to the terminal when there is none."""

    level: str
    log: pathlib.Path | None

    @property
    def ansible_home(self) -> pathlib.Path:
        """Not the user's ~/.ansible: collections installed there would hide the checkout's. Levels that run side by side share none."""
        return ROOT / ".cache" / "ansible" / self.level

    def run(self, *command: str, timeout: float = COMMAND_TIMEOUT, **variables: str) -> int:
        """Run a command in the checkout and return its exit code; 124 when it was stopped after `timeout` seconds."""
        output = self.log.open("ab") if self.log else None
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment() | {"ANSIBLE_HOME": str(self.ansible_home)} | variables,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if output:
                output.close()


def environment() -> dict[str, str]:
    """Return the environment of every command: our tools first, our collection found, and no way to a real AWS account."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") or name == "AWS_CA_BUNDLE"}
    # Hundreds of short programs import the same modules: they are to be compiled once.
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours | {
        "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run_pytest(shell: Shell, *paths: str, options: Sequence[str] = (), python: str = sys.executable, **variables: str) -> Outcome:
    """Run pytest on those of the paths that exist; variables are added to the environment."""
    with_tests = [path for path in paths if holds_tests(ROOT / path)]
    if not with_tests:
        return Outcome(failed=1, notes=(FAILED + f"no tests found in {' '.join(paths)}",))
    report = LOGS / f"{shell.level}.xml"
    report.unlink(missing_ok=True)
    code = shell.run(python, "-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={report}", *options, *with_tests, **variables)
    if not report.exists():
        return Outcome(failed=1, notes=(FAILED + f"pytest ended with code {code} and left no report",))
    outcome = read_junit(report)
    if code and not outcome.failed:
        return outcome + Outcome(failed=1, notes=(FAILED + f"pytest ended with code {code}",))
    return outcome


def holds_tests(path: pathlib.Path) -> bool:
    """Say whether a path is a file of tests, or a folder with one."""
    return path.is_file() or any(path.rglob("test_*.py"))


def read_junit(report: pathlib.Path) -> Outcome:
    """Count the cases of a JUnit report; each failed case and each reason to skip becomes a note."""
    outcome, reasons = Outcome(), {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
        if case.find("failure") is not None or case.find("error") is not None:
            outcome += Outcome(failed=1, notes=(FAILED + name,))
        elif (skip := case.find("skipped")) is not None:
            outcome += Outcome(skipped=1)
            reasons[skip.get("message", "")] = reasons.get(skip.get("message", ""), 0) + 1
        else:
            outcome += Outcome(passed=1)
    return outcome + Outcome(notes=tuple(f"skipped {count}: {reason}" for reason, count in reasons.items()))


def unit(shell: Shell) -> Outcome:
    return run_pytest(shell, "tests/unit")


def module(shell: Shell) -> Outcome:
    return run_pytest(shell, "tests/lab_rules", "tests/integration", "tests/spack")


def chain(shell: Shell) -> Outcome:
    missing = missing_for_hosts()
    return Outcome(skipped=1, notes=missing) if missing else run_pytest(shell, "tests/chain")


def real(shell: Shell) -> Outcome:
    """Run what holds the stand-in for Spack against the real one, and the main journey with the real one."""
    if shell.run("sh", "scripts/spack_mirror.sh"):
        return Outcome(skipped=1, notes=("the real Spack is not in reach; PETAL_SPACK_URL names a repository of it",))
    paths = ["tests/spack/test_contract.py", "tests/unit/plugins/module_utils/_core/software/test_spack_contract.py"]
    notes = missing_for_hosts()
    if not notes:
        paths.append("tests/chain/test_seed_to_module_load.py")
    if shell.run("sh", "scripts/spack_mirror.sh", "recipes"):
        notes += ("Spack's recipes are not in reach; PETAL_RECIPES names a repository of them",)
    else:
        paths.append("tests/spack/test_real_recipes.py")
    every_test = ("-m", "real or not real")
    return run_pytest(shell, *paths, options=every_test, PETAL_SPACK="real") + Outcome(skipped=len(notes[:1]), notes=notes)


def floors(shell: Shell) -> Outcome:
    """Run what users run with the oldest releases that we promise: the unit tests, and real Ansible against the lab."""
    if sys.version_info >= (3, 14):
        return Outcome(skipped=1, notes=("ansible-core 2.19.0 runs on Python 3.11 to 3.13: PYTHON names one",))
    if shell.run("sh", "scripts/bootstrap.sh", FLOORS_ENVIRONMENT, "requirements/floors.txt"):
        return Outcome(failed=1, notes=(FAILED + "the environment of requirements/pins/floors.txt",))
    programs = ROOT / FLOORS_ENVIRONMENT / "bin"
    playbooks = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "playbooks").glob("*.yml"))]
    readable = shell.run(str(programs / "ansible-playbook"), "--syntax-check", "-e", "seed=tests/data/seeds/toy.yaml", *playbooks)
    outcome = Outcome(failed=1, notes=(FAILED + "the syntax of a playbook",)) if readable else Outcome(passed=len(playbooks))
    # Benchmarks run in our own environment alone.
    path = f"{programs}{os.pathsep}{environment()['PATH']}"
    outcome += run_pytest(shell, "tests/unit", python=str(programs / "python"), options=("--ignore=tests/unit/benchmarks",), PATH=path)
    chosen = ("-k", "test_the_target_passes")
    return outcome + run_pytest(shell, *AT_THE_FLOORS, options=chosen, PETAL_ANSIBLE=str(programs.parent))


def judge(shell: Shell) -> Outcome:
    if shell.run("sh", "scripts/bootstrap.sh", JUDGE_ENVIRONMENT, "requirements/pcluster.txt"):
        return Outcome(skipped=1, notes=("aws-parallelcluster could not be installed (requirements/pcluster.txt)",))
    return run_pytest(shell, "tests/judge")


def lint(shell: Shell) -> Outcome:
    """Run each linter; one that complains counts as one failure."""
    scripts = [str(path.relative_to(ROOT)) for path in tracked_files() if is_shell_script(path)]
    checks = {
        "ruff": ["ruff", "check", "--no-cache", "--output-format=concise", "."],
        "yamllint": ["yamllint", "--strict", "--format=parsable", "."],
        "shellcheck": ["shellcheck", *scripts],
        "antsibull-changelog": ["antsibull-changelog", "lint"],
        "ansible-lint": ["ansible-lint", "--offline", "--profile=production", "--nocolor", "--format=pep8"],
    }
    failures = [name for name, command in checks.items() if shell.run(*command)]
    notes = tuple(FAILED + name for name in failures)
    return Outcome(passed=len(checks) - len(failures), failed=len(failures), notes=notes)


def tracked_files() -> list[pathlib.Path]:
    """Return the files of the checkout that git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def is_shell_script(path: pathlib.Path) -> bool:
    if path.suffix == ".sh":
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        first = file.readline()
    return first.startswith(b"#!") and first.rstrip().endswith((b"/sh", b"/bash", b"env sh", b"env bash"))


def sanity(shell: Shell) -> Outcome:
    results = LOGS / "sanity"
    shutil.rmtree(results, ignore_errors=True)
    code = shell.run("sh", "scripts/sanity.sh", str(results))
    outcome = sum((read_junit(report) for report in sorted(results.glob("*.xml"))), Outcome())
    if code and not outcome.failed:
        return outcome + Outcome(failed=1, notes=(FAILED + f"ansible-test sanity ended with code {code}",))
    return outcome


def molecule(shell: Shell) -> Outcome:
    """Run every role's scenario on one lab, which the scenario `default` starts and stops."""
    missing = missing_for_hosts()
    if missing:
        return Outcome(skipped=1, notes=missing)
    # What an earlier run, perhaps a killed one, has noted about its lab no longer holds.
    shutil.rmtree(shell.ansible_home, ignore_errors=True)
    scenarios = sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml") if path.parent.name != "default")
    try:
        if shell.run("molecule", "create", "--scenario-name", "default"):
            return Outcome(failed=1, notes=(FAILED + "the lab did not start",))
        failures = [name for name in scenarios if shell.run("molecule", "test", "--scenario-name", name)]
    finally:
        shell.run("molecule", "destroy", "--scenario-name", "default")
    notes = tuple(FAILED + name for name in failures)
    return Outcome(passed=len(scenarios) - len(failures), failed=len(failures), notes=notes)


def missing_for_hosts() -> tuple[str, ...]:
    """Return what the lab's hosts need and this machine lacks, one line each."""
    if os.geteuid():
        return ("the lab's hosts and block devices need root",)
    command = [sys.executable, "-m", "tests.lab", "check"]
    check = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if check.returncode == 0:
        return ()
    return tuple((check.stdout or check.stderr).strip().splitlines()[-10:]) or ("python -m tests.lab check failed",)


LEVELS: dict[str, Callable[[Shell], Outcome]] = {
    "unit": unit,
    "lint": lint,
    "floors": floors,
    "judge": judge,
    "module": module,
    "sanity": sanity,
    "chain": chain,
    "real": real,
    "molecule": molecule,
}


# Lanes run side by side: the levels that work with hosts and with the API wait more than they compute.
LANES = (("unit", "lint", "sanity", "molecule"), ("judge", "module"), ("floors", "chain", "real"))


def run_level(name: str, verbose: bool) -> Outcome:
    """Run one level and print its line."""
    log = LOGS / f"{name}.log"
    log.unlink(missing_ok=True)
    started = time.monotonic()
    outcome = LEVELS[name](Shell(name, None if verbose else log))
    report = [f"{name:<10} {outcome}, {time.monotonic() - started:.0f} s", *(f"           {note}" for note in outcome.notes)]
    if outcome.failed and log.exists():
        lines = log.read_text(errors="replace").splitlines()
        report += ["", f"--- the end of {log.relative_to(ROOT)}", *lines[-LINES_SHOWN_OF_A_FAILURE:], "---", ""]
    print("\n".join(report), flush=True)
    return outcome


def run_lane(names: Sequence[str], verbose: bool) -> Outcome:
    """Run levels one after the other."""
    return sum((run_level(name, verbose) for name in names), Outcome())


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the levels of the tests, one line each.")
    parser.add_argument("levels", nargs="*", choices=[*LEVELS, []], metavar="LEVEL", help=f"one of {', '.join(LEVELS)}; all when left out")
    named = parser.parse_args().levels
    LOGS.mkdir(parents=True, exist_ok=True)
    lanes = (named,) if named else LANES
    with ThreadPoolExecutor(len(lanes)) as pool:
        total = sum(pool.map(lambda lane: run_lane(lane, verbose=bool(named)), lanes), Outcome())
    # Once more at the very end, where whoever reads only that sees it.
    print(*(note for note in total.notes if note.startswith(FAILED)), total, sep="\n")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
