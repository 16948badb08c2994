# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which snapshot a cluster should mount, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..ebs.snapshot import Snapshot, bare
from ..errors import ExplainedError
from ..facts.operating_system import known_os
from ..software.facts import PASSED, Software, tagged_software
from ..tags import DEPRECATED, RETIRED, SUPERSEDED_BY, read
from .entries import Entry, RegisteredSnapshot


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the snapshot must be; None matches everything.

    size_gib: the least size of the snapshot's volume in GiB. A volume may be larger than its snapshot, so this chooses between variants.
    trusted_accounts: whose snapshots may be used; the caller adds the own account. None: whoever owns it.
    require_signature, require_proof, require_encryption: whether a signature that counts, a passed proof, or encryption must be known.
    """

    fingerprint: str | None = None
    region: str | None = None
    os: str | None = None
    architecture: str | None = None
    target: str | None = None
    configuration: str | None = None
    size_gib: int | None = None
    trusted_accounts: tuple[str, ...] | None = None
    require_signature: bool = False
    require_proof: bool = False
    require_encryption: bool = False


@dataclasses.dataclass(frozen=True)
class Candidate(Software):
    """One snapshot that might be mounted, what is said to be on it, and where we heard of it.

    source: "tags in us-east-1" or the registry's path. name: of the snapshot or the entry.
    state, owner_id, encrypted: from DescribeSnapshots; None as long as AWS has not been asked.
    state is "missing" when AWS shows no such snapshot.
    created: date or time, ISO 8601. deprecated, retired: dates since when it is no longer recommended, and no longer to be used.
    signed_by: whose signatures on the entry count; always empty for what only tags say. verified: a maintainer has checked the entry.
    """

    snapshot_id: str
    source: str
    region: str | None = None
    name: str | None = None
    configuration: str | None = None
    size_gib: int | None = None
    description: str | None = None
    created: str | None = None
    deprecated: str | None = None
    superseded_by: str | None = None
    retired: str | None = None
    state: str | None = None
    owner_id: str | None = None
    encrypted: bool | None = None
    signed_by: tuple[str, ...] = ()
    verified: bool = False

    def to_result(self) -> dict[str, Any]:
        listed = {"specs": list(self.specs), "roots": list(self.roots), "signed_by": list(self.signed_by)}
        return {**dataclasses.asdict(self), **listed}


@dataclasses.dataclass(frozen=True)
class Selection:
    """What was chosen, from what, and a sentence about every step."""

    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    trace: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """What whoever uses the chosen snapshot should know."""
        one = self.chosen
        if one is None or one.deprecated is None:
            return []
        return [f"{one.snapshot_id} ({one.name}, {one.source}) is deprecated since {one.deprecated}{_instead(one)}."]

    def to_result(self) -> dict[str, Any]:
        return {
            "found": self.chosen is not None,
            "snapshot": self.chosen.to_result() if self.chosen else None,
            "candidates": [candidate.to_result() for candidate in self.candidates],
            "trace": list(self.trace),
        }


def candidate_from_aws(snapshot: Snapshot, region: str | None, source: str) -> Candidate:
    """Return a snapshot found by its tags as a candidate."""
    told = tagged_software(snapshot.tags)
    return Candidate(
        **told.facts | {"fingerprint": snapshot.fingerprint},
        snapshot_id=str(snapshot.snapshot_id),
        source=source,
        region=region,
        name=snapshot.name,
        size_gib=snapshot.volume_size_gib,
        description=snapshot.description or None,
        created=snapshot.start_time,
        # A tag cannot be taken away by those who may only set tags; an empty one says nothing.
        deprecated=read(snapshot.tags, DEPRECATED) or None,
        superseded_by=read(snapshot.tags, SUPERSEDED_BY) or None,
        retired=read(snapshot.tags, RETIRED) or None,
        state=snapshot.state,
        owner_id=snapshot.owner_id,
        encrypted=snapshot.encrypted,
    )


def candidate_from_registry(snapshot: RegisteredSnapshot, entry: Entry, source: str) -> Candidate:
    """Return a snapshot of an entry as a candidate; who owns it and how it is, only AWS can say."""
    shared = {field.name for field in dataclasses.fields(Candidate)} & {field.name for field in dataclasses.fields(RegisteredSnapshot)}
    said = {field: getattr(snapshot, field) for field in shared}
    said["description"] = snapshot.description or entry.description
    # Entries had one list of packages before each of their snapshots had its own.
    said["specs"] = snapshot.specs or entry.packages
    return Candidate(name=entry.name, source=source, signed_by=entry.signed_by, verified=entry.verified, **said)


def candidate_from_dict(facts: Mapping[str, Any]) -> Candidate:
    """Return a candidate from what a module gave back: an earlier candidate, or a snapshot of ebs_snapshot_info.

    Raises ExplainedError for anything without snapshot_id.
    """
    if not isinstance(facts, Mapping) or not facts.get("snapshot_id"):
        raise ExplainedError(f"{facts!r} is not a snapshot: it has no snapshot_id.", next_step="Give what an info module returns.")
    if "volume_size_gib" in facts:
        return candidate_from_aws(Snapshot.from_result(facts), facts.get("region"), "snapshots given")
    known = {field.name for field in dataclasses.fields(Candidate)}
    given = {name: tuple(facts[name]) if isinstance(facts[name], (list, tuple)) else facts[name] for name in known & facts.keys()}
    return Candidate(**{"source": "snapshots given", **given})


def confirmed(candidate: Candidate, real: Snapshot | None) -> Candidate:
    """Return the candidate with what AWS says in place of what the registry claims; real: None when AWS shows no such snapshot."""
    if real is None:
        return dataclasses.replace(candidate, state="missing")
    return dataclasses.replace(
        candidate,
        state=real.state,
        owner_id=real.owner_id,
        size_gib=real.volume_size_gib,
        encrypted=real.encrypted,
        created=real.start_time,
    )


def select_snapshot(candidates: Iterable[Candidate], wanted: Wanted) -> Selection:
    """Choose the smallest snapshot that is large enough, then the newest, then the one with the smallest id.

    One that is deprecated is chosen only if no other fits.

    The trace has one sentence for each candidate that falls out and one for the choice.
    """
    every = tuple(candidates)
    refused = {candidate: _reason_against(candidate, wanted) for candidate in every}
    trace = [f"{candidate.snapshot_id} ({candidate.source}) is not used: {reason}." for candidate, reason in refused.items() if reason]
    left = [candidate for candidate in every if not refused[candidate]]
    if not left:
        return Selection(None, every, tuple(trace))
    chosen = _best(left)
    why = f"the best of {len(left)}: smallest sufficient, then newest" if len(left) > 1 else "the only one that fits"
    size = f"{chosen.size_gib} GiB" if chosen.size_gib else "size unknown"
    trace.append(f"{chosen.snapshot_id} ({chosen.source}, {size}) is used: {why}.")
    return Selection(chosen, every, tuple(trace))


def not_found_text(wanted: Wanted, known: Iterable[Candidate]) -> str:
    """Return what to tell a user when nothing fits, with the variants that there are.

    known: the candidates that came up, whatever was wrong with them.
    """
    asked = [f"region={wanted.region or 'any'}", f"os={wanted.os or 'any'}"]
    asked += [f"{field}={value}" for field in ("architecture", "target", "size_gib") if (value := getattr(wanted, field))]
    variants = sorted({_variant(candidate) for candidate in known})
    there_is = f" There is: {'; '.join(variants)}." if variants else " No source knows the fingerprint."
    return f"no snapshot found for {', '.join(asked)}.{there_is}"


def _reason_against(candidate: Candidate, wanted: Wanted) -> str | None:
    return next((reason for check in _CHECKS if (reason := check(candidate, wanted))), None)


def _other_content(candidate: Candidate, wanted: Wanted) -> str | None:
    if wanted.fingerprint and candidate.fingerprint and bare(candidate.fingerprint) != bare(wanted.fingerprint):
        return f"its fingerprint is {candidate.fingerprint}"
    return None


def _other_os(candidate: Candidate, wanted: Wanted) -> str | None:
    if not wanted.os or _implied(candidate.os, candidate, wanted) or known_os(candidate.os) == known_os(wanted.os):
        return None
    return f"it is for {candidate.os or 'an unknown operating system'}, not {wanted.os}"


def _other(field: str, words: str, *, in_fingerprint: bool = False) -> Callable[[Candidate, Wanted], str | None]:
    """Return a check that a field is what is wanted; in_fingerprint: an equal fingerprint says so where the field is empty."""

    def check(candidate: Candidate, wanted: Wanted) -> str | None:
        asked, is_ = getattr(wanted, field), getattr(candidate, field)
        if not asked or asked == is_ or (in_fingerprint and _implied(is_, candidate, wanted)):
            return None
        return f"{words} is {is_ or 'unknown'}, not {asked}"

    return check


def _implied(value: str | None, candidate: Candidate, wanted: Wanted) -> bool:
    """Say whether an unknown value follows from the fingerprint, which covers operating system, architecture and target."""
    return value is None and bool(wanted.fingerprint and candidate.fingerprint)


def _too_small(candidate: Candidate, wanted: Wanted) -> str | None:
    if wanted.size_gib and (candidate.size_gib or 0) < wanted.size_gib:
        return f"its size is {candidate.size_gib or 'unknown'}, less than {wanted.size_gib} GiB"
    return None


def _retired(candidate: Candidate, _wanted: Wanted) -> str | None:
    return None if candidate.retired is None else f"it was retired on {candidate.retired}{_instead(candidate)}"


def _instead(candidate: Candidate) -> str:
    return f"; {candidate.superseded_by} takes its place" if candidate.superseded_by else ""


def _not_ready(candidate: Candidate, _wanted: Wanted) -> str | None:
    if candidate.state == "missing":
        return f"this account sees no such snapshot in {candidate.region}; it was deleted or is not shared"
    if candidate.state == "pending":
        return "it is not complete yet"
    return f"it is in state {candidate.state}" if candidate.state not in (None, "completed") else None


def _not_trusted(candidate: Candidate, wanted: Wanted) -> str | None:
    if wanted.trusted_accounts is None or candidate.owner_id is None or candidate.owner_id in wanted.trusted_accounts:
        return None
    return f"its owner, account {candidate.owner_id}, is not in trusted_accounts"


def _unsigned(candidate: Candidate, wanted: Wanted) -> str | None:
    if not wanted.require_signature or candidate.signed_by:
        return None
    return "no signature on it counts, and require_signature is set; what only tags say is never signed"


def _unproven(candidate: Candidate, wanted: Wanted) -> str | None:
    if not wanted.require_proof or candidate.proof == PASSED:
        return None
    return f"its proof is {candidate.proof or 'unknown'}, and require_proof is set"


def _unencrypted(candidate: Candidate, wanted: Wanted) -> str | None:
    return (
        None if candidate.encrypted or not wanted.require_encryption else "it is not known to be encrypted, and require_encryption is set"
    )


_CHECKS = (
    _other_content,
    _other("region", "its region"),
    _other_os,
    _other("architecture", "its architecture", in_fingerprint=True),
    _other("target", "its CPU target", in_fingerprint=True),
    _other("configuration", "its configuration"),
    _retired,
    _not_ready,
    _not_trusted,
    _unsigned,
    _unproven,
    _unencrypted,
    _too_small,
)


def _best(candidates: list[Candidate]) -> Candidate:
    by_id = sorted(candidates, key=lambda candidate: candidate.snapshot_id)
    newest_first = sorted(by_id, key=lambda candidate: candidate.created or "", reverse=True)
    return min(newest_first, key=lambda one: (one.deprecated is not None, one.size_gib is None, one.size_gib or 0))


def _variant(candidate: Candidate) -> str:
    parts = [candidate.os, candidate.architecture, candidate.target, f"{candidate.size_gib} GiB" if candidate.size_gib else None]
    state = f", {candidate.state}" if candidate.state not in (None, "completed") else ""
    return f"{', '.join(part for part in parts if part) or candidate.snapshot_id} in {candidate.region}{state}"
