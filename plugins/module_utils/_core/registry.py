# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of snapshots: its entries, its index, and how they change. docs/registry.md describes the files."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import ExplainedError, ManyProblems
from .operating_system import find_os
from .snapshot import bare, canonical_fingerprint

SCHEMA_VERSION = 1
# What other tools that know petal's format expect in index.json.
PETAL_VERSION = "1.0"
ARCHITECTURES = ("x86_64", "arm64")
# The fields of a snapshot that say where its software comes from, and what it is.
PROVENANCE = ("spack", "lock", "spack_lock", "manifest", "sbom", "parent", "proof", "externals")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SNAPSHOT_ID = re.compile(r"snap-([0-9a-f]{8}|[0-9a-f]{17})")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_ACCOUNT = re.compile(r"\d{12}")
_SIZE = re.compile(r"(\d+)\s*(?:g|gb|gib)?", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class RegisteredSnapshot:
    """One snapshot of an entry: a variant of its software in one region.

    All of it is what the registry claims; what holds is what DescribeSnapshots answers.
    size_gib: size of the volume in GiB. lock: the fingerprint of what was really built. spack: version of Spack.
    spack_lock, sbom: hashes of spack.lock and of the bill of materials on the volume. manifest: the root of the hashes of all its files.
    parent: the fingerprint of the software that the build started from.
    proof: "passed" once every package was loaded and run in a clean room.
    externals: what is used of the image rather than built, and the image.
    created, deprecated, retired: dates, "2026-11-22". A deprecated snapshot is used with a warning, a retired one is not used any more.
    superseded_by: the entry or snapshot to use instead.
    """

    region: str
    snapshot_id: str
    fingerprint: str | None = None
    os: str | None = None
    architecture: str | None = None
    target: str | None = None
    size_gib: int | None = None
    description: str | None = None
    configuration: str | None = None
    aws_account: str | None = None
    spack: str | None = None
    lock: str | None = None
    spack_lock: str | None = None
    manifest: str | None = None
    sbom: str | None = None
    parent: str | None = None
    proof: str | None = None
    externals: str | None = None
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


@dataclasses.dataclass(frozen=True, slots=True)
class IndexLine:
    """One fingerprint of one entry, with what a search needs to know before it opens the entry.

    packages, tags: None where the index does not say, as petal's own does not.
    """

    name: str
    fingerprint: str | None = None
    os: str | None = None
    architecture: str | None = None
    target: str | None = None
    regions: tuple[str, ...] = ()
    description: str | None = None
    packages: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None

    def may_contain(self, term: str) -> bool:
        """Say whether the entry may contain a text: it does, or the index does not say enough to rule it out."""
        return self.packages is None or self.tags is None or has_term(self, term)


@dataclasses.dataclass(frozen=True)
class Index:
    """Every entry of a registry, found by fingerprint or name without a search."""

    lines: tuple[IndexLine, ...] = ()

    def __post_init__(self) -> None:
        found = defaultdict(list)
        for line in self.lines:
            if line.fingerprint:
                found[bare(line.fingerprint)].append(line)
        # The dataclass is frozen; the table is worked out from its lines and is no value of its own.
        object.__setattr__(self, "_by_fingerprint", dict(found))

    @functools.cached_property
    def names(self) -> list[str]:
        return sorted({line.name for line in self.lines})

    def find(self, fingerprint: str) -> list[IndexLine]:
        """Return the lines with that fingerprint; usually one or none."""
        return self._by_fingerprint.get(bare(fingerprint), [])

    def names_that_may_contain(self, term: str | None) -> list[str]:
        """Return the names of the entries that a search for a text has to open."""
        return self.names if term is None else sorted({line.name for line in self.lines if line.may_contain(term)})

    def lines_of(self, name: str) -> tuple[IndexLine, ...]:
        return tuple(line for line in self.lines if line.name == name)

    def with_entry(self, entry: Entry) -> Index:
        """Return the index with an entry's lines renewed; an entry without snapshots has none."""
        return self.with_entries([entry])

    def with_entries(self, entries: Iterable[Entry]) -> Index:
        """Return the index with the lines of some entries renewed."""
        entries = list(entries)
        renewed = {entry.name for entry in entries}
        others = [line for line in self.lines if line.name not in renewed]
        lines = [*others, *(line for entry in entries for line in index_lines(entry))]
        return Index(tuple(sorted(lines, key=lambda line: (line.name, line.fingerprint or ""))))


def index_lines(entry: Entry) -> tuple[IndexLine, ...]:
    """Return an entry's lines in the index, one for each fingerprint."""
    by_fingerprint: dict[str | None, list[RegisteredSnapshot]] = defaultdict(list)
    for snapshot in entry.snapshots:
        by_fingerprint[snapshot.fingerprint].append(snapshot)
    return tuple(
        IndexLine(
            entry.name,
            fingerprint,
            first.os,
            first.architecture,
            first.target,
            tuple(sorted({one.region for one in alike})),
            entry.description,
            entry.packages,
            entry.tags,
        )
        for fingerprint, alike in sorted(by_fingerprint.items(), key=lambda item: item[0] or "")
        for first in alike[:1]
    )


def disagreements(index: Index, entries: Iterable[Entry]) -> list[str]:
    """Return a sentence about each entry of which the index says something else than its file; the index is made from the files.

    entries: of all files. An index of petal's own says too little to compare more than the names.
    """
    said: dict[str, list[IndexLine]] = defaultdict(list)
    for line in index.lines:
        said[line.name].append(line)
    problems = []
    for entry in entries:
        lines, due = said[entry.name], index_lines(entry)
        if due and not lines:
            problems.append(f"The index does not name {entry.name}, but {entry.name}.json lies there.")
        elif lines and not due:
            problems.append(f"The index names {entry.name}, but {entry.name}.json has no snapshot.")
        elif all(line.packages is not None for line in lines) and _places(lines) != _places(due):
            problems.append(f"The index names other fingerprints or regions of {entry.name} than {entry.name}.json.")
    return problems


def _places(lines: Iterable[IndexLine]) -> set[tuple[str | None, str]]:
    return {(line.fingerprint, region) for line in lines for region in line.regions}


def has_term(described: Entry | IndexLine, term: str) -> bool:
    """Say whether a text is part of a name, a description, a tag or a package, whatever the case of its letters."""
    text = " ".join([described.name, described.description or "", *(described.tags or ()), *(described.packages or ())])
    return term.lower() in text.lower()


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
        snapshots=_in_order([*others, snapshot]),
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


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return what snapshots/NAME.json contains."""
    facts = {
        "name": entry.name,
        "description": entry.description,
        "packages": list(entry.packages),
        "tags": list(entry.tags) or None,
        "public": entry.public,
        "verified": entry.verified,
        "seed_url": entry.seed_url,
        "created": entry.created,
        "updated": entry.updated,
        "reports": dict(entry.reports) or None,
        "snapshots": [_snapshot_document(snapshot) for snapshot in entry.snapshots],
        "signatures": [dataclasses.asdict(signature) for signature in entry.signatures] or None,
    }
    return {"schema_version": SCHEMA_VERSION, **_without_none(facts)}


def index_document(index: Index) -> dict[str, Any]:
    """Return what index.json contains."""
    lines = [
        _without_none(
            {
                "name": line.name,
                "fingerprint": line.fingerprint,
                "os": line.os,
                "architecture": line.architecture,
                "target": line.target,
                "regions": list(line.regions) or None,
                "description": line.description,
                "packages": None if line.packages is None else list(line.packages),
                "tags": None if line.tags is None else list(line.tags),
                "metadata_url": f"snapshots/{line.name}.json",
            }
        )
        for line in index.lines
    ]
    return {"schema_version": SCHEMA_VERSION, "version": PETAL_VERSION, "snapshots": lines}


def to_text(document: Mapping[str, Any]) -> str:
    """Return a document as the registry writes it: equal content gives equal bytes."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse_index(document: object, source: str) -> tuple[Index, list[str]]:
    """Read an index, ours or petal's.

    source: where it comes from, for messages. Returns the index and a sentence about each line that could not be used.
    """
    lines, notes = [], []
    for position, item in enumerate(_list_of(document, "snapshots", source)):
        try:
            lines.append(_index_line(item))
        except (ExplainedError, KeyError, TypeError, AttributeError) as error:
            notes.append(f"{source}: snapshots[{position}] is left out: {error}")
    return Index(tuple(lines)), notes


def parse_entry(document: object, source: str) -> tuple[Entry, list[str]]:
    """Read an entry: ours, petal's with a list of snapshots, or a contributor's that maps regions to snapshot ids.

    Returns the entry and a sentence about each snapshot that could not be used.
    Raises ExplainedError for what is no entry at all.
    """
    if not isinstance(document, Mapping) or "name" not in document:
        raise ExplainedError(f"{source} is not a registry entry: it has no name.", resource=source, next_step="Mend or remove the file.")
    listed = document.get("snapshots") or []
    if isinstance(listed, Mapping):
        listed = [{"region": region, "snapshot_id": snapshot_id} for region, snapshot_id in listed.items()]
    return _entry(document, str(document["name"]), listed, source)


def parse_account(document: object, source: str) -> tuple[list[Entry], list[str]]:
    """Read the description of an account that publishes snapshots: {account, snapshots: {name: {snapshot_id, regions, …}}}.

    Returns its entries and what is to be said about them.
    """
    snapshots = document.get("snapshots") if isinstance(document, Mapping) else None
    if not isinstance(snapshots, Mapping):
        raise ExplainedError(
            f"{source} is neither a registry nor the description of an account.",
            resource=source,
            next_step="Name a directory with index.json, or a file with account and snapshots.",
        )
    entries, notes = [], []
    for name, facts in snapshots.items():
        regions = facts.get("regions") or [facts.get("region")]
        if len(regions) > 1:
            notes.append(
                f"{source}: {name} gives one snapshot id for {len(regions)} regions, but each region has its own; "
                "list region and snapshot_id one by one."
            )
        listed = [{"region": region, "snapshot_id": facts.get("snapshot_id")} for region in regions]
        entry, more = _entry({"aws_account": document.get("account"), **facts}, str(name), listed, source)
        entries.append(entry)
        notes += more
    return entries, notes


def _entry(document: Mapping[str, Any], name: str, listed: Iterable[Any], source: str) -> tuple[Entry, list[str]]:
    # What the older shapes say once for the whole entry holds for each of its snapshots.
    common = {field: document.get(field) for field in ("fingerprint", "os", "architecture", "target", "aws_account")}
    common |= {"size_gb": document.get("size_gb", document.get("size")), "created": document.get("updated") or document.get("created")}
    snapshots, notes = [], []
    for position, item in enumerate(listed):
        try:
            snapshots.append(_registered({**common, **_without_none(item)}))
        except (ExplainedError, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            notes.append(f"{source}: snapshot {position + 1} of {name} is left out: {reason}")
    entry = Entry(
        name=check_name(name),
        description=document.get("description"),
        packages=tuple(sorted({str(package) for package in document.get("packages") or ()})),
        tags=tuple(sorted({str(word) for word in document.get("tags") or ()})),
        public=bool(document.get("public", False)),
        verified=bool(document.get("verified", False)),
        seed_url=document.get("seed_url"),
        created=_text(document.get("created")),
        updated=_text(document.get("updated")),
        reports=document.get("reports") or {},
        snapshots=_in_order(snapshots),
        signatures=tuple(
            Signature(str(one["signer"]), str(one["signature"]))
            for one in document.get("signatures") or ()
            if isinstance(one, Mapping) and {"signer", "signature"} <= one.keys()
        ),
    )
    return entry, notes


def _registered(item: Mapping[str, Any]) -> RegisteredSnapshot:
    plain = ("target", "description", "configuration", "superseded_by", "architecture", *PROVENANCE)
    return RegisteredSnapshot(
        region=str(item["region"]),
        snapshot_id=str(item["snapshot_id"]),
        fingerprint=f"sha256:{bare(str(item['fingerprint']))}" if item.get("fingerprint") else None,
        os=known_os(item.get("os")),
        size_gib=_size(item.get("size_gb")),
        aws_account=_account(item.get("aws_account")),
        created=_text(item.get("created")),
        deprecated=_text(item.get("deprecated")),
        retired=_text(item.get("retired")),
        **{field: _text(item.get(field)) for field in plain},
    )


@functools.lru_cache(maxsize=256)
def known_os(name: str | None) -> str | None:
    """Return an operating system's canonical name; one that we do not know stays as it is written."""
    if name is None:
        return None
    try:
        return find_os(str(name)).name
    except ExplainedError:
        return str(name)


def _index_line(item: Mapping[str, Any]) -> IndexLine:
    return IndexLine(
        name=check_name(str(item["name"])),
        fingerprint=f"sha256:{bare(str(item['fingerprint']))}" if item.get("fingerprint") else None,
        os=known_os(item.get("os")),
        architecture=_shared(item.get("architecture")),
        target=_shared(item.get("target")),
        regions=_texts(item.get("regions")) or (),
        description=_shared(item.get("description")),
        packages=_texts(item.get("packages")),
        tags=_texts(item.get("tags")),
    )


def _texts(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(sys.intern(str(text)) for text in value)


def _shared(value: Any) -> str | None:
    # The lines of a large index say the same again and again: one object for all of them.
    return None if value is None else sys.intern(str(value))


def _snapshot_document(snapshot: RegisteredSnapshot) -> dict[str, Any]:
    document = dataclasses.asdict(snapshot)
    # petal calls it size_gb; it has always counted GiB, as EBS does.
    document["size_gb"] = document.pop("size_gib")
    return _without_none(document)


def _merged(known: RegisteredSnapshot, said: RegisteredSnapshot) -> RegisteredSnapshot:
    return dataclasses.replace(known, **_without_none(dataclasses.asdict(said)))


def _matches(snapshot: RegisteredSnapshot, wanted: RegisteredSnapshot) -> bool:
    return all(getattr(snapshot, field) == value for field, value in dataclasses.asdict(wanted).items() if value)


def _in_order(snapshots: Iterable[RegisteredSnapshot]) -> tuple[RegisteredSnapshot, ...]:
    return tuple(sorted(snapshots, key=lambda one: (one.region, one.os or "", one.architecture or "", one.size_gib or 0, one.snapshot_id)))


def _without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _list_of(document: object, key: str, source: str) -> list[Any]:
    listed = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise ExplainedError(f"{source} is not a registry index: it has no list {key!r}.", resource=source, next_step="Mend the file.")
    return listed


def _size(value: object) -> int | None:
    if value is None:
        return None
    found = _SIZE.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"size {value!r} is not a number of GiB")
    return int(found.group(1))


def _account(value: object) -> str | None:
    # A YAML reader takes an account id for a number and drops its leading zeros.
    return None if value is None else str(value).zfill(12)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
