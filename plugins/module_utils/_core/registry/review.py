# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether an entry that somebody submits may be taken into a registry: one finding for each thing that was looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..ebs.snapshot import Snapshot, bare
from ..software.facts import PASSED, recomputed_fingerprint
from .entries import Entry, RegisteredSnapshot
from .files import entry_document, to_text
from .index import Index, index_lines
from .publish_gate import why_not_enough

# What a reader needs to choose a snapshot without looking at it.
_NEEDED = ("fingerprint", "os", "architecture", "target", "size_gib", "aws_account")


@dataclasses.dataclass(frozen=True)
class Finding:
    """What came of one check. passed: None where it could not be made, which a person has to weigh."""

    check: str
    passed: bool | None
    detail: str

    def __str__(self) -> str:
        mark = {True: "ok", False: "NO", None: "??"}[self.passed]
        return f"{mark}  {self.check}: {self.detail}"


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known of an entry from elsewhere.

    text: its file, as it lies in the registry. index: of the registry. notes: what could not be read of it.
    real: what AWS shows, by region and id. public: region and id of those that AWS offers to everybody.
    seed: whether the registry has its seed. seed_fingerprints: what the seed comes to; None where nobody has worked it out.
    """

    text: str
    index: Index
    notes: tuple[str, ...] = ()
    real: Mapping[tuple[str, str], Snapshot] = dataclasses.field(default_factory=dict)
    public: frozenset[tuple[str, str]] = frozenset()
    seed: bool = False
    seed_fingerprints: tuple[str, ...] | None = None


def review(entry: Entry, evidence: Evidence) -> list[Finding]:
    """Return one finding for each check, in the order in which a person reads them."""
    return [
        _form(entry, evidence),
        _index(entry, evidence),
        *(finding for snapshot in entry.snapshots for finding in _snapshot(snapshot, entry, evidence)),
        *_inputs(entry),
        _seed(entry, evidence),
        _proof(entry),
        *_searches(entry),
        _signature(entry),
        _claim(entry),
    ]


def verdict(entry: Entry, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the findings with what follows from them: passed, and a text for people."""
    findings = list(findings)
    refused = [finding for finding in findings if finding.passed is False]
    open_ = [finding for finding in findings if finding.passed is None]
    if refused:
        conclusion = f"{entry.name} must not be taken in: {_count(refused, 'check')} failed."
    elif open_:
        conclusion = f"{entry.name} may be taken in if you can answer for {_count(open_, 'thing')} that could not be checked."
    else:
        conclusion = f"{entry.name} may be taken in: every check passed."
    return {
        "passed": not refused,
        "complete": not open_,
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "text": "\n".join([*map(str, findings), conclusion]),
    }


def _form(entry: Entry, evidence: Evidence) -> Finding:
    problems = list(evidence.notes)
    problems += [
        f"{snapshot.snapshot_id} lacks {field}" for snapshot in entry.snapshots for field in _NEEDED if not getattr(snapshot, field)
    ]
    problems += [f"it lacks {field}" for field in ("description", "packages", "snapshots") if not getattr(entry, field)]
    if not problems and to_text(entry_document(entry)) != evidence.text:
        problems.append("it is not written as the registry writes it; register it with petal.hpc.snapshot_registry")
    return Finding("form", not problems, "; ".join(problems) or "complete, and written as the registry writes it")


def _index(entry: Entry, evidence: Evidence) -> Finding:
    fits = evidence.index.lines_of(entry.name) == index_lines(entry)
    return Finding("index", fits, "it says the same" if fits else "it says something else than the entry; register it again")


def _snapshot(claimed: RegisteredSnapshot, entry: Entry, evidence: Evidence) -> Iterable[Finding]:
    what = f"{claimed.snapshot_id} in {claimed.region}"
    real = evidence.real.get(claimed.key)
    if real is None:
        yield Finding(what, False, "AWS shows no such snapshot to this account")
        return
    problems = []
    if real.state != "completed":
        problems.append(f"its state is {real.state}")
    if real.owner_id != claimed.aws_account:
        problems.append(f"it belongs to {real.owner_id}, not to {claimed.aws_account}")
    if real.volume_size_gib != claimed.size_gib:
        problems.append(f"it has {real.volume_size_gib} GiB, not {claimed.size_gib}")
    if entry.public and real.encrypted:
        problems.append("it is encrypted, so nobody else can use it")
    if entry.public and claimed.key not in evidence.public:
        problems.append("it is not public")
    audience = "public" if entry.public else "visible to this account"
    yield Finding(what, not problems, "; ".join(problems) or f"complete, of {real.owner_id}, {real.volume_size_gib} GiB, {audience}")


def _inputs(entry: Entry) -> Iterable[Finding]:
    """Yield whether the fields of each variant come to its fingerprint; older entries do not have them all."""
    variants = {bare(one.fingerprint): one for one in entry.snapshots if one.fingerprint}
    for _fingerprint, one in sorted(variants.items()):
        comes_to = recomputed_fingerprint(one)
        if comes_to is not None and bare(comes_to) != bare(str(one.fingerprint)):
            yield Finding("inputs", False, f"what {one.snapshot_id} is said to be built from comes to {comes_to}, not to {one.fingerprint}")
        elif comes_to is not None:
            yield Finding("inputs", True, f"what {one.snapshot_id} is said to be built from comes to its fingerprint")


def _seed(entry: Entry, evidence: Evidence) -> Finding:
    claimed = {bare(snapshot.fingerprint) for snapshot in entry.snapshots if snapshot.fingerprint}
    if not evidence.seed:
        return Finding("seed", False, f"seeds/{entry.name}.yaml is missing")
    if evidence.seed_fingerprints is None:
        return Finding("seed", None, "nobody has worked out which fingerprints it has")
    strange = sorted(claimed - {bare(fingerprint) for fingerprint in evidence.seed_fingerprints})
    if strange:
        return Finding("seed", False, f"it does not come to the fingerprint {', '.join(f'sha256:{one}' for one in strange)}")
    return Finding("seed", True, "it comes to the fingerprints of the entry")


def _proof(entry: Entry) -> Finding:
    lacking = [f"{snapshot.snapshot_id} ({snapshot.proof or 'none'})" for snapshot in entry.snapshots if snapshot.proof != PASSED]
    passed = "every package loads, and runs where the proof knows how to run it"
    return Finding("proof", not lacking, f"not passed for {', '.join(lacking)}" if lacking else passed)


def _searches(entry: Entry) -> Iterable[Finding]:
    for fingerprint, manifest in sorted({(one.fingerprint or "", one.manifest or "") for one in entry.snapshots}):
        reason = why_not_enough(entry.reports, fingerprint=fingerprint or None, manifest=manifest or None, public=entry.public)
        yield Finding("publish gate", not reason, reason or "no secret, no package that must not be handed on")


def _signature(entry: Entry) -> Finding:
    if entry.signed_by:
        return Finding("signature", True, f"of {', '.join(entry.signed_by)}")
    if entry.signatures:
        return Finding("signature", None, f"of {', '.join(one.signer for one in entry.signatures)}, whom nobody vouches for")
    return Finding("signature", None, "there is none")


def _claim(entry: Entry) -> Finding:
    if entry.verified:
        return Finding("verified", False, "it says so itself; only a maintainer may, after this review")
    return Finding("verified", True, "not claimed")


def _count(findings: list[Finding], noun: str) -> str:
    return f"{len(findings)} {noun}{'' if len(findings) == 1 else 's'}"
