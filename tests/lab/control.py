"""Start a lab in the background, stop it, and remove what a killed one left behind.

A lab is whatever carries its name: the state folder places.state(name), the network namespaces petal-<name> and
petal-<name>.<host>, and the processes, mounts and loop devices that use these.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import image, places
from .devices import release

START_TIMEOUT = 60  # seconds; a start takes three
STOP_TIMEOUT = 30  # seconds; a lab of four hosts takes one
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
PACKAGES = Path(__file__).with_name("packages.txt")


class LabError(Exception):
    """The lab cannot do what was asked; says why and what to do."""


def missing() -> list[str]:
    """Say what this machine lacks to run hosts: one line for each thing, with the remedy; empty when nothing is missing."""
    lines = []
    packages = [package for package, evidence in _required_packages() if not _is_there(evidence)]
    if packages:
        lines.append(f"packages are missing; run: apt-get install --no-install-recommends {' '.join(packages)}")
    if os.geteuid() != 0:
        lines.append("not root, which hosts and block devices need; run as root")
    elif not Path("/dev/loop-control").exists():
        lines.append("no /dev/loop-control, so this machine (a container?) has no block devices to give; run on a machine that has")
    return lines


def _required_packages() -> list[tuple[str, str]]:
    lines = [line.split() for line in PACKAGES.read_text().splitlines()]
    return [(line[0], line[1]) for line in lines if line and line[0] != "#"]


def _is_there(evidence: str) -> bool:
    """Whether a program, or a file given by its full path, is on this machine."""
    # Debian keeps administrators' programs out of a user's PATH.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return Path(evidence).exists() if evidence.startswith("/") else shutil.which(evidence, path=path) is not None


def start(name: str, hosts: bool = True, store: Path | None = None) -> dict[str, Any]:
    """Start a lab, unless it runs already, and return its variables: the content of vars.json.

    store: a folder in which the lab's snapshots outlive it; None: they end with it.
    """
    if not NAME.fullmatch(name):
        raise LabError(f"'{name}' cannot be a lab's name: use up to 31 of a-z, 0-9 and '-', first a letter or digit.")
    if hosts and (lines := missing()):
        raise LabError("\n".join(lines))
    with _lock(name):
        if _is_running(name):
            return _running_variables(name, hosts)
        _remove(name)
        if hosts:
            image.ensure()
        return _start(name, hosts, store)


def stop(name: str) -> list[str]:
    """Stop a lab and remove all that belongs to it; returns what was removed, and nothing when there was no such lab."""
    with _lock(name):
        return _remove(name)


def clean(running_too: bool = False) -> list[str]:
    """Remove what labs have left: those whose server is dead, and with `running_too` all; returns what was removed.

    Only labs of this TMPDIR are looked at, and namespaces that nobody can claim any more.
    """
    removed = []
    for name in sorted({*names(), *_names_of_lost_namespaces()}):
        with _lock(name):
            if running_too or not _server_processes(name):
                removed += _remove(name)
    with contextlib.suppress(OSError):  # there is no such folder, or a lab runs in it
        places.labs().rmdir()
    return removed


def names() -> list[str]:
    """Return the names of the labs that have a state folder."""
    return sorted(path.name for path in places.labs().glob("*") if path.is_dir())


def status() -> list[dict[str, Any]]:
    """Describe each lab: name, running, state_dir, and the ids of its hosts."""
    return [
        {
            "name": name,
            "running": _is_running(name),
            "state_dir": str(places.state(name)),
            "hosts": sorted(path.name for path in places.state(name).glob("hosts/*")),
        }
        for name in names()
    ]


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """Let one process at a time start or stop the lab of that name. The lock's file is gone afterwards."""
    path = places.labs() / f".{name}.lock"
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_still(path, lock.fileno()):
                continue  # the one before us has removed the file: whoever comes next would not wait for us
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_still(path: Path, descriptor: int) -> bool:
    return path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino


# ---- start ----


def _start(name: str, hosts: bool, store: Path | None) -> dict[str, Any]:
    state = places.state(name)
    state.mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "petal-lab", "-f", str(state / "key")], check=True)
    server = _start_server(state, hosts, store)
    from . import variables  # here: moto takes seconds to import; now the server does the same beside us

    try:
        _wait_for_port(state, server)
        return variables.write(state, hosts)
    except BaseException:
        server.kill()
        server.wait()
        log = (state / "server.log").read_text()
        _remove(name)
        print(f"lab: the server's log says:\n{log[-3000:]}", file=sys.stderr)
        raise


def _start_server(state: Path, hosts: bool, store: Path | None) -> subprocess.Popen[bytes]:
    options = ["--state-dir", str(state), "--port", "0", "--public-key", str(state / "key.pub")]
    if hosts:
        options.append("--hosts")
    if store:
        options += ["--store", str(store)]
    if os.environ.get("PETAL_LAB_WITHOUT_RULES"):  # see client.Lab.start
        options.append("--no-rules")
    with (state / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.lab.server", *options],
            cwd=places.REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for_port(state: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not (state / "port").exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"The lab's server did not answer within {START_TIMEOUT} seconds, or ended before.")
        time.sleep(0.02)


def _is_running(name: str) -> bool:
    return bool(_server_processes(name)) and (places.state(name) / "vars.json").exists()


def _running_variables(name: str, hosts: bool) -> dict[str, Any]:
    variables = json.loads((places.state(name) / "vars.json").read_text())
    if variables["lab_hosts"] != hosts:
        how = "with" if variables["lab_hosts"] else "without"
        raise LabError(f"The lab {name} runs {how} hosts. Stop it first: python -m tests.lab stop --name {name}")
    return variables


# ---- stop ----


def _remove(name: str) -> list[str]:
    """Remove a lab, in an order that works whatever state it is in; returns a line for each thing removed."""
    state = places.state(name)
    removed = [f"server process {_end(pid, signal.SIGTERM)}" for pid in _server_processes(name)]
    removed += [f"host process {_end(pid)}" for pid in _nspawn_processes(state)]
    for namespace in _namespaces(name):
        removed += [f"process {_end(int(pid))}" for pid in _output("ip", "netns", "pids", namespace).split()]
        _output("ip", "netns", "delete", namespace)
        removed.append(f"network namespace {namespace}")
    for point in _mount_points_below(state):
        _output("umount", "--lazy", point)
        removed.append(f"mount {point}")
    removed += [f"loop device {device}" for device in release(state)]
    if state.exists():
        shutil.rmtree(state)
        removed.append(f"folder {state}")
    return removed


def _server_processes(name: str) -> list[int]:
    state = str(places.state(name))
    return [pid for pid, words in _processes() if "tests.lab.server" in words and state in words]


def _nspawn_processes(state: Path) -> list[int]:
    return [pid for pid, words in _processes() if any(word.startswith(f"--directory={state}/") for word in words)]


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Yield each process of this machine that is not a zombie, with the words of its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = path.read_bytes().decode(errors="replace").rstrip("\0").split("\0")
            if words != [""]:
                yield int(path.parent.name), words


def _end(pid: int, first: signal.Signals = signal.SIGKILL) -> int:
    """End a process, with SIGKILL when the first signal does not do it in time; returns its id when it is gone."""
    for number in (first, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # so that a child of ours does not stay as a zombie
            if not _is_alive(pid):
                return pid
            time.sleep(0.02)
    raise LabError(f"Process {pid} does not end, even after SIGKILL.")


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def _namespaces(name: str) -> list[str]:
    """Return a lab's network namespaces, that of the lab itself last: its bridge tells whose it is until the end."""
    lab = f"petal-{name}"
    everything = _all_namespaces()
    if lab in everything and not _is_ours(lab):
        return []
    return [*(other for other in everything if other.startswith(f"{lab}.")), *([lab] if lab in everything else [])]


def _names_of_lost_namespaces() -> set[str]:
    labs = {namespace.partition(".")[0] for namespace in _all_namespaces() if namespace.startswith("petal-")}
    return {lab.removeprefix("petal-") for lab in labs if _is_ours(lab)}


def _is_ours(lab_namespace: str) -> bool:
    """Whether the namespace belongs to a lab of places.labs(), or to one of which no state is left anywhere."""
    link = _output("ip", "-json", "-n", lab_namespace, "link", "show", "hosts")
    state = Path(json.loads(link)[0].get("ifalias", "")) if link else Path()
    return state.parent == places.labs() or not state.exists()


def _all_namespaces() -> list[str]:
    return [line.split()[0] for line in _output("ip", "netns", "list").splitlines()]


def _mount_points_below(state: Path) -> list[str]:
    """Return mount points below the folder, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if Path(point).is_relative_to(state)), reverse=True)


def _output(*command: str) -> str:
    """Return what a command prints; nothing when it fails, because what it should remove is gone then."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    except FileNotFoundError:
        return ""
