# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The entries of a registry, and how they change."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..ebs.snapshot import canonical_fingerprint
from ..errors import ExplainedError, ManyProblems
from ..facts.operating_system import find_os
from ..plain import without_empty
from ..software.facts import Software

ARCHITECTURES = ("x86_64", "arm64")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SNAPSHOT_ID = re.compile(r"snap-([0-9a-f]{8}|[0-9a-f]{17})")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_ACCOUNT = re.compile(r"\d{12}")


@dataclasses.dataclass(frozen=True)
class RegisteredSnapshot(Software):
    """One snapshot of an entry: a variant of its software in one region.

    All of it is what the registry claims; what holds is what DescribeSnapshots answers.
    size_gib: size of the volume in GiB.
    created, deprecated, retired: dates, "2026-11-22". A deprecated snapshot is used with a warning, a retired one is not used any more.
    superseded_by: the entry or snapshot to use instead.
    """

    region: str
    snapshot_id: str
    size_gib: int | None = None
    description: str | None = None
    configuration: str | None = None
    aws_account: str | None = None
    created: str | None = None
    deprecated: str | None = None
    superseded_by: str | None = None
    retired: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same snapshot: its region and id, as AWS writes them, however the entry does."""
        return self.region.strip().lower(), self.snapshot_id.strip().lower()


@dataclasses.dataclass(frozen=True)
class Signature:
    """Who signed an entry, by the name in the readers' list of allowed signers, and the signature in OpenSSH's armoured form."""

    signer: str
    signature: str


@dataclasses.dataclass(frozen=True)
class Entry:
    """One name of the registry and its snapshots.

    verified: somebody other than the author has checked it; registering never says so.
    seed_url: where its seed lies, relative to the registry.
    reports: what the publish gate said of the software, by manifest: what stands for the content that was searched.
    signed_by: whose signatures were found to fit when the entry was read; no part of what is written.
    """

    name: str
    description: str | None = None
    packages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    public: bool = False
    verified: bool = False
    seed_url: str | None = None
    created: str | None = None
    updated: str | None = None
    reports: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    snapshots: tuple[RegisteredSnapshot, ...] = ()
    signatures: tuple[Signature, ...] = ()
    signed_by: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    def to_result(self) -> dict[str, Any]:
        """Return the entry as modules give it back."""
        regions = sorted({snapshot.region for snapshot in self.snapshots})
        listed = {"packages": list(self.packages), "tags": list(self.tags), "signed_by": list(self.signed_by)}
        return {**dataclasses.asdict(self), **listed, "regions": regions}


@dataclasses.dataclass(frozen=True)
class Registration:
    """What a user registers: one snapshot under a name. None leaves what is registered already as it is.

    recommend: whether a snapshot that was deprecated or retired is recommended again.
    """

    name: str
    snapshot: RegisteredSnapshot
    description: str | None = None
    packages: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    public: bool | None = None
    has_seed: bool = False
    report: Mapping[str, Any] | None = None
    recommend: bool = True


def check_name(name: str) -> str:
    """Return the name; raises ExplainedError for one that could lead out of the registry or hide the index."""
    if not _NAME.fullmatch(name) or name == "index":
        raise ExplainedError(
            f"{name!r} cannot be the name of a registry entry.",
            resource=name,
            next_step="Use letters, digits, dots, dashes and underscores, beginning with a letter or digit, at most 128; not 'index'.",
        )
    return name


def check_registration(registration: Registration) -> Registration:
    """Return the registration in its canonical spelling.

    Raises ManyProblems with everything that is wrong with it.
    """
    snapshot, problems = registration.snapshot, []
    canonical = {}
    for field, convert in (("fingerprint", canonical_fingerprint), ("os", lambda name: find_os(name).name)):
        try:
            canonical[field] = convert(getattr(snapshot, field)) if getattr(snapshot, field) else None
        except ExplainedError as error:
            problems.append(str(error))
    for field, pattern, example in (
        ("snapshot_id", _SNAPSHOT_ID, "snap-0123456789abcdef0"),
        ("region", _REGION, "us-east-1"),
        ("aws_account", _ACCOUNT, "123456789012"),
    ):
        value = getattr(snapshot, field)
        if value is not None and not pattern.fullmatch(value):
            problems.append(f"{field} {value!r} should look like {example}.")
    if snapshot.architecture not in (None, *ARCHITECTURES):
        problems.append(f"architecture {snapshot.architecture!r} is not one of {', '.join(ARCHITECTURES)}.")
    if snapshot.size_gib is not None and snapshot.size_gib < 1:
        problems.append(f"size_gib {snapshot.size_gib} is less than 1.")
    if problems:
        raise ManyProblems(f"Cannot register {registration.name}:", problems, resource=registration.name)
    return dataclasses.replace(registration, name=check_name(registration.name), snapshot=dataclasses.replace(snapshot, **canonical))


def register(found: Entry | None, registration: Registration, today: str) -> Entry:
    """Return the entry with the snapshot in it.

    found: the entry of that name, or None. today: the date of a change; registering the same thing again changes nothing.
    """
    before = found or Entry(registration.name, created=today)
    known = next((one for one in before.snapshots if one.key == registration.snapshot.key), None)
    snapshot = _merged(known, registration.snapshot) if known else dataclasses.replace(registration.snapshot, created=today)
    report = registration.report or {}
    if report.get("manifest"):
        # The gate has read every file, so this is what the snapshot holds, where nobody has said so yet.
        snapshot = dataclasses.replace(snapshot, manifest=snapshot.manifest or report["manifest"])
        if snapshot.manifest != report["manifest"]:
            raise ExplainedError(
                f"The report is about {report['manifest']}, but the content of {snapshot.snapshot_id} is {snapshot.manifest}.",
                resource=snapshot.snapshot_id,
                next_step="Search the volume of this snapshot with the role petal.hpc.publish_gate, and register that report.",
            )
    if registration.recommend:
        snapshot = dataclasses.replace(snapshot, deprecated=None, superseded_by=None, retired=None)
    said = {
        "description": registration.description,
        "packages": None if registration.packages is None else tuple(sorted(set(registration.packages))),
        "tags": None if registration.tags is None else tuple(sorted(set(registration.tags))),
        "public": registration.public,
        "seed_url": f"seeds/{registration.name}.yaml" if registration.has_seed else None,
        "reports": {**before.reports, report.get("manifest") or str(snapshot.fingerprint): report} if report else None,
    }
    others = [one for one in before.snapshots if one.key != snapshot.key]
    after = dataclasses.replace(
        before,
        **{field: value for field, value in said.items() if value is not None},
        snapshots=in_order([*others, snapshot]),
        # Whoever checked the entry has not seen this snapshot.
        verified=before.verified and snapshot == known,
    )
    return after if after == found else dataclasses.replace(after, updated=today)


def verify(found: Entry, today: str) -> Entry:
    """Return the entry as one that somebody other than its author has checked."""
    return found if found.verified else dataclasses.replace(found, verified=True, updated=today)


def deprecate(found: Entry, matching: RegisteredSnapshot, today: str, superseded_by: str | None = None) -> Entry:
    """Return the entry with some snapshots marked as no longer recommended: whoever uses them is told so. A retired one stays retired.

    matching: which ones; its empty fields match everything. superseded_by: what to use instead.
    """
    return _marked(found, matching, "deprecated", today, superseded_by)


def retire(found: Entry, matching: RegisteredSnapshot, today: str, superseded_by: str | None = None) -> Entry:
    """Return the entry with some snapshots marked as out of use: they stay listed, so that clusters can be traced, and nobody gets them."""
    return _marked(found, matching, "retired", today, superseded_by)


def _marked(found: Entry, matching: RegisteredSnapshot, life: str, today: str, superseded_by: str | None) -> Entry:
    after = tuple(
        dataclasses.replace(one, **{life: getattr(one, life) or today}, superseded_by=superseded_by or one.superseded_by)
        if _matches(one, matching)
        else one
        for one in found.snapshots
    )
    return found if after == found.snapshots else dataclasses.replace(found, snapshots=after, updated=today)


def remove(found: Entry, matching: RegisteredSnapshot, today: str) -> Entry:
    """Return the entry without some snapshots; an entry that has none left is to be deleted."""
    after = tuple(one for one in found.snapshots if not _matches(one, matching))
    return found if after == found.snapshots else dataclasses.replace(found, snapshots=after, updated=today)


def _merged(known: RegisteredSnapshot, said: RegisteredSnapshot) -> RegisteredSnapshot:
    return dataclasses.replace(known, **without_empty(dataclasses.asdict(said)))


def _matches(snapshot: RegisteredSnapshot, wanted: RegisteredSnapshot) -> bool:
    return all(getattr(snapshot, field) == value for field, value in dataclasses.asdict(wanted).items() if value)


def in_order(snapshots: Iterable[RegisteredSnapshot]) -> tuple[RegisteredSnapshot, ...]:
    return tuple(sorted(snapshots, key=lambda one: (one.region, one.os or "", one.architecture or "", one.size_gib or 0, one.snapshot_id)))
