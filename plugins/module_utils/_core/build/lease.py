# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who works on a build, and until when nobody else may: a tag on its volume."""

from __future__ import annotations

import dataclasses

from ..errors import ExplainedError


@dataclasses.dataclass(frozen=True)
class Lease:
    """Who works on a build, and until when nobody else may.

    holder: "host/process", the controller's host name and the process id of its run.
    expires: seconds since the epoch.
    """

    holder: str
    expires: int

    def to_tag(self) -> str:
        return f"{self.holder} {self.expires}"

    @property
    def host(self) -> str:
        return self.holder.rpartition("/")[0]

    @property
    def process(self) -> int:
        return int(self.holder.rpartition("/")[2])


def parse_lease(value: str | None) -> Lease | None:
    """Read a lease from its tag; None for no lease or one that nobody can read."""
    holder, _space, expires = (value or "").rpartition(" ")
    if not expires.isdigit() or not holder.rpartition("/")[2].isdigit():
        return None
    return Lease(holder, int(expires))


def may_take(found: Lease | None, wanted: Lease, now: int, holder_is_dead: bool) -> bool:
    """Decide whether a lease can be taken: it is free, ours, over, or its holder is known to be dead."""
    return found is None or found.holder == wanted.holder or found.expires <= now or holder_is_dead


def has_been_written(shown: Lease | None, wanted: Lease, before: Lease | None, now: int) -> bool:
    """Say whether what AWS shows of a lease was written with, or after, the one that is wanted; else it is what was there earlier.

    before: the lease that was there. The moment at which a lease ends tells one writing of it from the next of the same holder.
    """
    if shown is None or shown == before:
        return shown == wanted
    return shown == wanted or (shown.holder != wanted.holder and shown.expires > now)


def unseen_lease(build_id: str, volume_id: str, seconds: int) -> ExplainedError:
    return ExplainedError(
        f"AWS does not show the lease of build {build_id} {seconds} seconds after it was written to {volume_id}, so nobody knows who "
        "holds it.",
        resource=volume_id,
        next_step="Run this again; see health.aws.amazon.com if it lasts.",
    )


def refuse_lease(build_id: str, found: Lease, now: int) -> ExplainedError:
    minutes = max(1, (found.expires - now) // 60)
    return ExplainedError(
        f"Build {build_id} is being run by {found.holder}; its lease lasts {minutes} more minutes.",
        resource=build_id,
        next_step="Wait for it (set wait_for_build: true), watch it with the playbook build_status, "
        "or, if that run is known to be dead, set take_over: true.",
        holder=found.holder,
        expires=found.expires,
    )
