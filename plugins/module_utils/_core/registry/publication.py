# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a registry entry is to be, and who may use it there: one job for each of its variants in each region."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from .. import tags as tag
from ..ebs.snapshot import Snapshot
from ..errors import ExplainedError, ManyProblems
from ..software.facts import of_variant, software_tags, tagged_software
from .entries import Entry, RegisteredSnapshot, Registration, deprecate, register
from .publish_gate import why_not_enough


@dataclasses.dataclass(frozen=True)
class Job:
    """One variant in one region. source: the registered snapshot that is there, or is to be copied from."""

    source: RegisteredSnapshot
    region: str
    kms_key_id: str | None = None

    @property
    def label(self) -> str:
        return f"{self.source.os or 'software'} {self.source.architecture or ''} in {self.region}".replace("  ", " ")


def plan_jobs(
    entry: Entry,
    found: Mapping[tuple[str, str], Snapshot],
    regions: Mapping[str, str | None],
    own: str,
    *,
    home: str,
    fingerprint: str | None = None,
    only_regions: bool = False,
) -> list[Job]:
    """Return the jobs that bring an entry to regions, and those for the regions where this account has it already.

    found: the registered snapshots that this account sees, by region and id. regions: keys by the region to bring it to; None for no key.
    own: the account. home: the region to copy from where there is a choice. fingerprint: the only variant that is meant; None for all.
    only_regions: leave out where it is already.
    Raises ExplainedError when there is nothing to work with.
    """
    meant = [one for one in entry.snapshots if one.retired is None and fingerprint in (None, one.fingerprint)]
    if not meant:
        raise ExplainedError(
            f"The entry {entry.name} has no snapshot{f' with {fingerprint}' if fingerprint else ''} that is not retired.",
            resource=entry.name,
            next_step="Check name and fingerprint; petal.hpc.snapshot_registry_info lists all entries.",
        )
    jobs = []
    for variant in sorted({str(one.fingerprint) for one in meant}):
        usable = [
            one
            for one in meant
            if str(one.fingerprint) == variant and one.key in found and found[one.key].state in ("completed", "pending")
        ]
        if not usable:
            raise ExplainedError(
                f"This account sees no snapshot of {entry.name} with {variant}.",
                resource=entry.name,
                next_step="They were deleted, or their owner has not shared them with this account.",
            )
        # The own ones last: where there are several, they win.
        usable.sort(key=lambda one: (found[one.key].owner_id == own, one.region == home, one.snapshot_id))
        there = {one.region: one for one in usable}
        already = {} if only_regions else {one.region: None for one in usable if found[one.key].owner_id == own}
        jobs += [Job(there.get(region, usable[-1]), region, key) for region, key in sorted({**already, **regions}.items())]
    return jobs


def check_owners(jobs: Iterable[Job], found: Mapping[tuple[str, str], Snapshot], own: str, trusted: Iterable[str]) -> None:
    """Raise ExplainedError when a snapshot that would be used belongs to an account that nobody has said to trust."""
    known = {own, *trusted}
    strangers = sorted({str(found[job.source.key].owner_id) for job in jobs} - known)
    if strangers:
        raise ExplainedError(
            f"The snapshots belong to account {', '.join(strangers)}, which is not in trusted_accounts.",
            next_step="Ask who that is; name the account in trusted_accounts if its software may be used.",
        )


def check_reports(entry: Entry, jobs: Iterable[Job], *, public: bool) -> None:
    """Raise ManyProblems unless the publish gate has passed everything that is to be shared."""
    problems = []
    for one in sorted({job.source.key: job.source for job in jobs}.values(), key=lambda source: source.key):
        reason = why_not_enough(entry.reports, fingerprint=one.fingerprint, manifest=one.manifest, public=public)
        if reason:
            problems.append(f"{one.snapshot_id} in {one.region}: {reason}.")
    if problems:
        raise ManyProblems(
            f"{entry.name} cannot be shared:",
            problems,
            resource=entry.name,
            next_step="Search the volume with the role petal.hpc.publish_gate, and register its report.",
        )


def fields_from(snapshot: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the registry is to say of a snapshot of this account: what its tags say, and what the seed asks for.

    snapshot: as Snapshot.to_result gives it. variant: as the filter seed_variants does. The keys are options of snapshot_registry.
    """
    return {
        **tagged_software(snapshot["tags"]).said,
        **of_variant(variant).said,
        "snapshot_id": snapshot["snapshot_id"],
        "size_gib": snapshot["volume_size_gib"],
        "aws_account": snapshot["owner_id"],
    }


def as_source(registered: RegisteredSnapshot, real: Snapshot) -> Snapshot:
    """Return a snapshot to copy from, with the tags that its copies need to be found by."""
    said = {tag.key(name): value for name, value in software_tags(registered).items()}
    return dataclasses.replace(real, tags=tag.managed(real.name, {**said, **real.tags}))


def as_registered(source: RegisteredSnapshot, region: str, real: Snapshot) -> RegisteredSnapshot:
    """Return what the registry is to say of the snapshot that a job has ended with."""
    return dataclasses.replace(source, region=region, snapshot_id=str(real.snapshot_id), aws_account=real.owner_id, created=None)


def register_copy(found: Entry | None, said: Registration, today: str) -> Entry:
    """Return the entry with a copy in it, which is as old and as recommended as what it was copied from."""
    after = register(found, said, today)
    if said.snapshot.deprecated:
        copy = RegisteredSnapshot("", said.snapshot.snapshot_id)
        after = dataclasses.replace(deprecate(after, copy, said.snapshot.deprecated, said.snapshot.superseded_by), updated=after.updated)
    return found if found is not None and dataclasses.replace(after, updated=found.updated) == found else after
