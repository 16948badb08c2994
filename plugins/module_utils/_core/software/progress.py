# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far Spack's build has come, read from its lock and its log."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from .configuration import SHORT_HASH

# Finished packages after which a build's own pace says more than that of earlier builds.
ENOUGH_FOR_A_PACE = 5


@dataclass(frozen=True)
class Progress:
    """How far an install has come, counted in packages of the lock that are not external.

    done: finished packages, `name@version`, including those that came from a cache.
    failed: packages whose build failed.
    active: what is being worked on, package to phase ("build", "fetch", ...).
    roots_total, roots_done: the same count for the packages that were asked for.
    """

    total: int
    done: int
    failed: list[str]
    active: dict[str, str]
    roots_total: int
    roots_done: int

    @property
    def percent(self) -> int:
        """Finished packages per hundred. It can jump: a package from a cache needs none of its build dependencies."""
        return 100 * self.done // self.total if self.total else 100

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "percent": self.percent}


# One event of Spack 1.2 when it does not write to a terminal: "[+] ez24jgy toyapp@3.0 /shared/software/... (2s)".
_EVENT = re.compile(r"^\[(?P<event>[ +xe])\] (?P<hash>[a-z2-7]{7,32}) (?P<name>[^@\s]+)@(?P<version>\S+) ?(?P<rest>.*?)(?: \([^()]*\))?$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def progress(lock: dict[str, object], lines: list[str]) -> Progress:
    """Read an install's progress from its lock and its log.

    Not from `spack find`: Spack 1.2 writes its database after the build has been quiet for five seconds.

    lock: the parsed spack.lock. lines: the log so far; lines that are no event are skipped, so any log will do.
    """
    names = {key: f"{node['name']}@{node.get('version', '')}" for key, node in lock["concrete_specs"].items() if "external" not in node}
    by_short_hash = {key[:SHORT_HASH]: key for key in names}
    state: dict[str, str] = {}
    phase: dict[str, str] = {}
    for line in lines:
        match = _EVENT.match(_COLOUR.sub("", line.rstrip()))
        key = by_short_hash.get(match["hash"][:SHORT_HASH]) if match else None
        if key:
            state[key] = {"+": "done", "e": "done", "x": "failed"}.get(match["event"], "active")
            phase[key] = match["rest"] or "start"
    roots = {root["hash"] for root in lock["roots"]} & set(names)
    done = {key for key in names if state.get(key) == "done"}
    return Progress(
        total=len(names),
        done=len(done),
        failed=sorted(names[key] for key in names if state.get(key) == "failed"),
        active={names[key]: phase[key] for key in sorted(names, key=names.get) if state.get(key) == "active"},
        roots_total=len(roots),
        roots_done=len(roots & done),
    )


def progress_line(stage: str, found: Progress | None, width: int = 20) -> str:
    """Return where a build stands, for a person: "[########------------]  40%   2/5 packages | building | toylib@2.0 (install)".

    stage: what the build does now. found: None while Spack has not chosen the packages yet. width: of the bar, in characters.
    """
    if found is None:
        return stage
    full = width * found.done // found.total if found.total else width
    parts = [f"[{'#' * full}{'-' * (width - full)}] {found.percent:3d}% {found.done:3d}/{found.total} packages", stage]
    if found.failed:
        parts.append(f"failed: {', '.join(found.failed)}")
    if found.active:
        parts.append(", ".join(f"{package} ({phase})" for package, phase in found.active.items()))
    return " | ".join(parts)


def seconds_left(found: Progress, done_at_start: int, elapsed: float, seconds_per_package: float) -> float:
    """Estimate how long an install goes on: at its own pace once a few packages are done, before that at the pace of earlier builds.

    done_at_start: packages that were finished when the clock started. elapsed: seconds since then.
    seconds_per_package: of earlier builds, 0 when unknown. Returns 0 when nothing can be said, or nothing is left.
    """
    done_here = found.done - done_at_start
    pace = elapsed / done_here if done_here >= ENOUGH_FOR_A_PACE else seconds_per_package
    return pace * (found.total - found.done)


def explain_failures(status: dict[str, object], found: Progress | None) -> str:
    """Say why a build failed, from its status.json: what is finished, then each package with where its log is kept and how it ends."""
    finished = f" {found.done} of {found.total} packages are finished and kept." if found else ""
    paragraphs = [f"{status.get('message') or 'The build failed.'}{finished} Run the play again to build the rest."]
    for failure in status.get("failures", []):
        needed_by = f" Not built because of it: {', '.join(failure['dependents'])}." if failure["dependents"] else ""
        paragraphs.append(f"{failure['package']}: the log is kept in {failure['log']}.{needed_by} It ends:\n{failure['tail']}")
    return "\n\n".join(paragraphs)
