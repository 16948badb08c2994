# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots as plain values: what is asked for, what is found, and which of the found ones are alike."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .. import tags as tag
from ..errors import ExplainedError

CLEAN = "clean"
CRASH = "crash"
# Only these can be restored from, now or after waiting; `error`, `recoverable` and `recovering` cannot.
USABLE_STATES = ("pending", "completed")
# Facts about one volume or one moment: they would be wrong on the snapshot of it.
TAGS_OF_THE_VOLUME_ALONE = (tag.LEASE, tag.PROGRESS, tag.STAGE, tag.GENERATION, tag.PROTECTED, tag.OWNER)

_BARE_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One EBS snapshot as it is in AWS, or as it will be (then snapshot_id is None).

    progress: as EC2 gives it, "42%". start_time: ISO 8601 in UTC. volume_size_gib: the size of the volume, not of its blocks.
    full_size_gib: of all blocks that were written, also of those that earlier snapshots store; None where EC2 does not say.
    """

    snapshot_id: str | None
    state: str
    volume_id: str | None = None
    volume_size_gib: int | None = None
    progress: str = "0%"
    encrypted: bool | None = None
    kms_key_id: str | None = None
    owner_id: str | None = None
    start_time: str | None = None
    description: str = ""
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    state_message: str | None = None
    storage_tier: str | None = None
    full_size_gib: float | None = None

    @property
    def name(self) -> str | None:
        return self.tags.get(tag.NAME)

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint as sha256:<hex>, whichever way the tag spells it."""
        value = tag.read(self.tags, tag.FINGERPRINT)
        return f"sha256:{bare(value)}" if value else None

    @property
    def usable(self) -> bool:
        return self.state in USABLE_STATES

    @classmethod
    def from_result(cls, facts: Mapping[str, Any]) -> Snapshot:
        """Return the snapshot that to_result described."""
        return cls(**{field.name: facts[field.name] for field in dataclasses.fields(cls) if field.name in facts})

    def to_result(self) -> dict[str, object]:
        """Return what modules give back for one snapshot."""
        facts = {"name": self.name, "fingerprint": self.fingerprint, "consistency": tag.read(self.tags, tag.CONSISTENCY)}
        return {**dataclasses.asdict(self), **facts}


@dataclasses.dataclass(frozen=True)
class SnapshottedVolume:
    """What a snapshot needs to know of its volume."""

    volume_id: str
    size_gib: int
    attached: bool
    encrypted: bool | None = None
    kms_key_id: str | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class SnapshotRequest:
    """The snapshot asked for; None means "not said".

    A snapshot is told from others by snapshot_id, else by fingerprint, else by name and generation.
    generation: counts the snapshots of one name; None is a snapshot without a number.
    consistency: "clean" (nobody was writing) or "crash" (as after a power cut); None: clean when the volume is not attached.
    copy_volume_tags: take over the volume's tags that begin with our prefix.
    same_volume: a snapshot of another volume does not do, whatever its tags say.
    """

    snapshot_id: str | None = None
    volume_id: str | None = None
    name: str | None = None
    description: str | None = None
    fingerprint: str | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    consistency: str | None = None
    copy_volume_tags: bool = False
    generation: int | None = None
    same_volume: bool = False

    @property
    def identity(self) -> str:
        """What tells the snapshot from others, as words for a message."""
        if self.snapshot_id:
            return self.snapshot_id
        if self.fingerprint:
            return f"with fingerprint {self.fingerprint}"
        return f"named {self.name}" if self.generation is None else f"named {self.name}, generation {self.generation}"


def request_from(options: Mapping[str, Any]) -> SnapshotRequest:
    """Return what the options of ebs_snapshot ask for; None where nothing is said."""
    given = {field.name: options[field.name] for field in dataclasses.fields(SnapshotRequest) if options[field.name] is not None}
    request = SnapshotRequest(**given)
    if not (request.snapshot_id or request.fingerprint or request.name):
        raise ExplainedError("A snapshot has neither snapshot_id nor fingerprint nor name.", next_step="Give one: it must be found again.")
    if request.generation is not None and (request.snapshot_id or request.fingerprint):
        raise ExplainedError(
            "generation counts the snapshots of one name.", next_step="Leave snapshot_id and fingerprint out, or generation."
        )
    tags = tag.texts(request.tags, request.identity)
    if request.same_volume and not (request.fingerprint and request.volume_id):
        raise ExplainedError("same_volume needs fingerprint and volume_id.", next_step="Give both, or leave same_volume out.")
    fingerprint = canonical_fingerprint(request.fingerprint) if request.fingerprint else None
    return dataclasses.replace(request, tags=tags, fingerprint=fingerprint)


def alike(request: SnapshotRequest, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return the snapshots that share the request's identity, oldest first.

    Those of a whole instance (tag group) are told apart by their group and are nobody's namesakes.
    """
    if request.snapshot_id:
        return [snapshot for snapshot in snapshots if snapshot.snapshot_id == request.snapshot_id]
    if request.fingerprint:
        same = [one for one in snapshots if one.fingerprint == request.fingerprint]
        return oldest(one for one in same if not request.same_volume or one.volume_id == request.volume_id)
    generation = None if request.generation is None else str(request.generation)
    return oldest(
        snapshot
        for snapshot in snapshots
        if snapshot.name == request.name
        and tag.read(snapshot.tags, tag.GENERATION) == generation
        and tag.read(snapshot.tags, tag.GROUP) is None
    )


def bare(fingerprint: str) -> str:
    """Return a fingerprint's hexadecimal digits, for comparing: builds before ours wrote them without "sha256:"."""
    return fingerprint.strip().lower().removeprefix("sha256:")


def canonical_fingerprint(text: str) -> str:
    """Return sha256:<64 hex> for a fingerprint written with or without its prefix; anything else is an ExplainedError."""
    if not _BARE_FINGERPRINT.fullmatch(bare(text)):
        raise ExplainedError(
            f"{text!r} is not a fingerprint.",
            resource=text,
            next_step="Give sha256: and 64 hexadecimal digits, as the filter petal.hpc.seed_variants returns them.",
        )
    return f"sha256:{bare(text)}"


def oldest(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return the snapshots, oldest first; every run that looks at the same ones agrees on the order."""
    return sorted(snapshots, key=lambda snapshot: (snapshot.start_time or "", snapshot.snapshot_id or ""))


def inherited_tags(volume: SnapshottedVolume) -> dict[str, str]:
    """Return the tags of a volume that hold for its snapshots too."""
    left_out = {tag.key(name) for name in TAGS_OF_THE_VOLUME_ALONE}
    return {key: value for key, value in volume.tags.items() if key.startswith(tag.PREFIX) and key not in left_out}


def copy_source(source: Snapshot, region: str) -> str:
    """Return how a copy's tag copied-from names its source: us-east-1/snap-1."""
    return f"{region}/{source.snapshot_id}"
