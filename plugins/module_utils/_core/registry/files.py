# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a registry as documents, written in one form and read in all that are known. docs/registry.md describes them."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ..ebs.snapshot import bare
from ..errors import ExplainedError
from ..facts.operating_system import known_os
from ..plain import without_none
from ..software.facts import NAMES, software_from
from .entries import Entry, RegisteredSnapshot, Signature, check_name, in_order
from .index import Index, IndexLine

SCHEMA_VERSION = 1
# What other tools that know petal's format expect in index.json.
PETAL_VERSION = "1.0"
_SIZE = re.compile(r"(\d+)\s*(?:g|gb|gib)?", re.IGNORECASE)


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
    return {"schema_version": SCHEMA_VERSION, **without_none(facts)}


def index_document(index: Index) -> dict[str, Any]:
    """Return what index.json contains."""
    lines = [
        without_none(
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
            snapshots.append(_registered({**common, **without_none(item)}))
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
        snapshots=in_order(snapshots),
        signatures=tuple(
            Signature(str(one["signer"]), str(one["signature"]))
            for one in document.get("signatures") or ()
            if isinstance(one, Mapping) and {"signer", "signature"} <= one.keys()
        ),
    )
    return entry, notes


def _registered(item: Mapping[str, Any]) -> RegisteredSnapshot:
    told = software_from(
        {
            **item,
            "fingerprint": f"sha256:{bare(str(item['fingerprint']))}" if item.get("fingerprint") else None,
            "os": known_os(item.get("os")),
        }
    )
    return RegisteredSnapshot(
        **told.facts,
        region=str(item["region"]),
        snapshot_id=str(item["snapshot_id"]),
        size_gib=_size(item.get("size_gb")),
        aws_account=_account(item.get("aws_account")),
        created=_text(item.get("created")),
        deprecated=_text(item.get("deprecated")),
        retired=_text(item.get("retired")),
        **{field: _text(item.get(field)) for field in ("description", "configuration", "superseded_by")},
    )


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
    document = {**dataclasses.asdict(snapshot), **dict.fromkeys(NAMES), **snapshot.said}
    # petal calls it size_gb; it has always counted GiB, as EBS does.
    document["size_gb"] = document.pop("size_gib")
    return without_none(document)


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
