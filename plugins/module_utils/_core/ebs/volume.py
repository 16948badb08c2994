# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EBS volumes as plain values: what is asked for, what is found, and which of the found ones is meant."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Any

from .. import tags as tag_keys
from ..errors import ExplainedError
from ..quantity import parse_size

DELETED_STATES = ("deleting", "deleted")
# A volume in one of these states serves nobody; its name is free again.
GONE_STATES = (*DELETED_STATES, "error")
DETACHED = "detached"
# Tags that are not the user's own.
RESERVED_PREFIXES = ("aws:", tag_keys.PREFIX, tag_keys.OLD_PREFIX)
GUIDE = "https://github.com/petal-hpc/petal.hpc/blob/main/docs/volume_safety.md"


@dataclasses.dataclass(frozen=True)
class Attachment:
    """One instance's hold on a volume. state: attaching, attached, detaching, busy or detached."""

    instance_id: str | None
    device: str | None
    state: str = "attached"
    delete_on_termination: bool = False


@dataclasses.dataclass(frozen=True)
class Volume:
    """A volume in AWS, or one that will be. volume_id is None before creation; throughput is MiB/s, iops per second."""

    volume_id: str | None
    name: str | None
    state: str
    size_gib: int | None
    volume_type: str
    availability_zone: str | None
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool = False
    kms_key_id: str | None = None
    snapshot_id: str | None = None
    create_time: str | None = None
    multi_attach: bool = False
    initialization_rate: int | None = None
    attachments: tuple[Attachment, ...] = ()
    tags: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the id if there is one, else the name: what a message calls the volume."""
        return self.volume_id or self.name or "without a name"

    @property
    def holders(self) -> tuple[Attachment, ...]:
        """Return the attachments that still hold the volume."""
        return tuple(attachment for attachment in self.attachments if attachment.state != DETACHED)

    @property
    def owner(self) -> str | None:
        return tag_keys.read(self.tags, tag_keys.OWNER)

    @property
    def identity(self) -> tuple[str | None, ...]:
        """Return what tells volumes apart: never the name alone."""
        return (self.name, self.owner, self.availability_zone)

    @property
    def project(self) -> str | None:
        return tag_keys.read(self.tags, tag_keys.PROJECT)

    @property
    def protected(self) -> bool:
        return tag_keys.read(self.tags, tag_keys.PROTECTED) == "true"

    @property
    def generation(self) -> int:
        """Return how many volumes of this identity came before; 0 for the first, and for volumes we did not make."""
        text = tag_keys.read(self.tags, tag_keys.GENERATION) or "0"
        return int(text) if text.isdigit() else 0

    @property
    def device_path(self) -> str | None:
        """Return the path that names this volume on any Nitro instance, whatever its kernel name."""
        return device_path(self.volume_id) if self.volume_id else None

    def on_instance(self, instance_id: str | None) -> Attachment | None:
        return next((attachment for attachment in self.holders if attachment.instance_id == instance_id), None)

    def to_result(self) -> dict[str, Any]:
        """Return what the modules return about a volume."""
        return {
            "volume_id": self.volume_id,
            "name": self.name,
            "owner": self.owner,
            "project": self.project,
            "state": self.state,
            "size_gib": self.size_gib,
            "volume_type": self.volume_type,
            "iops": self.iops,
            "throughput": self.throughput,
            "availability_zone": self.availability_zone,
            "encrypted": self.encrypted,
            "kms_key_id": self.kms_key_id,
            "snapshot_id": self.snapshot_id,
            "create_time": self.create_time,
            "multi_attach": self.multi_attach,
            "initialization_rate": self.initialization_rate,
            "protected": self.protected,
            "attachments": [dataclasses.asdict(attachment) for attachment in self.holders],
            "tags": dict(self.tags),
            "device_path": self.device_path,
        }


@dataclasses.dataclass(frozen=True)
class Instance:
    """What attaching has to know. devices: device name to volume id, as the instance's block device mapping has it."""

    instance_id: str
    state: str
    availability_zone: str
    devices: dict[str, str] = dataclasses.field(default_factory=dict)

    def with_device(self, device: str, holder: str) -> Instance:
        return dataclasses.replace(self, devices={**self.devices, device: holder})


@dataclasses.dataclass(frozen=True)
class SourceSnapshot:
    """What creating a volume from a snapshot has to know. state: pending, completed, error, recoverable or recovering."""

    snapshot_id: str
    state: str
    size_gib: int
    encrypted: bool = False
    archived: bool = False


@dataclasses.dataclass(frozen=True)
class Modification:
    """The newest change of a volume's size or speed. state: modifying, optimizing, completed or failed; targets: values by name."""

    state: str
    targets: dict[str, Any]

    def aims_at(self, changes: dict[str, Any]) -> bool:
        """Say whether it brings all these changes."""
        return self.state != "failed" and all(self.targets.get(name) == value for name, value in changes.items())


@dataclasses.dataclass(frozen=True)
class VolumeRequest:
    """What one item asks for. None means "not given": it never changes an existing volume."""

    state: str = "present"
    volume_id: str | None = None
    name: str | None = None
    owner: str | None = None
    project: str | None = None
    availability_zone: str | None = None
    instance_id: str | None = None
    device: str | None = None
    size_gib: int | None = None
    volume_type: str | None = None
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool | None = None
    kms_key_id: str | None = None
    snapshot_id: str | None = None
    multi_attach: bool | None = None
    initialization_rate: int | None = None
    attach_mode: str = "exclusive"
    allow_concurrent_writes: bool = False
    delete_on_termination: bool | None = None
    tags: dict[str, str] | None = None
    purge_tags: bool = False
    protected: bool | None = None
    min_age: int = 0
    final_snapshot: bool = False
    force: bool = False

    @property
    def label(self) -> str:
        """Return what messages call the volume that is asked for."""
        return self.volume_id or str(self.name)

    @property
    def shares(self) -> bool:
        """Say whether other instances may hold the volume at the same time."""
        return self.attach_mode == "shared_readonly" or self.allow_concurrent_writes

    @property
    def identity(self) -> tuple[str | None, ...]:
        """Return what makes two requests mean the same volume."""
        return (self.volume_id,) if self.volume_id else (self.name, self.owner, self.availability_zone)


def request_from(options: dict[str, Any]) -> tuple[VolumeRequest, list[str]]:
    """Return what the options of ebs_volume ask for, None where nothing is said, and warnings about how it is said."""
    label = options["volume_id"] or options["name"]
    if not label:
        raise ExplainedError("Neither volume_id nor name is given.", next_step="Give one of them: a volume must be found again.")
    if options["state"] == "attached" and not options["instance_id"]:
        raise ExplainedError(f"Volume {label} is to be attached, and no instance_id is given.", next_step="Give instance_id.")
    given = {name: value for name, value in options.items() if value is not None and name != "size"}
    if options["tags"] is not None:
        given["tags"] = tag_keys.texts(options["tags"], label)
    if options["size"] is None:
        return VolumeRequest(**given), []
    size = parse_size(options["size"])
    return VolumeRequest(**given, size_gib=size.gib), [size.warning] if size.warning else []


@dataclasses.dataclass(frozen=True)
class VolumeQuery:
    """Which volumes to list; conditions that are None hold for all. filters: EC2's own, by name, for EC2 alone to judge."""

    volume_ids: list[str] | None = None
    name: str | None = None
    owner: str | None = None
    project: str | None = None
    state: str | None = None
    availability_zone: str | None = None
    instance_id: str | None = None
    tags: dict[str, str] | None = None
    filters: dict[str, Any] | None = None
    managed_only: bool = False

    def required_tags(self) -> dict[str, str]:
        """Return the tags that a volume must carry, with their values."""
        ours = {
            tag_keys.NAME: self.name,
            tag_keys.key(tag_keys.OWNER): self.owner,
            tag_keys.key(tag_keys.PROJECT): self.project,
            tag_keys.CREATED_BY: tag_keys.CREATOR if self.managed_only else None,
        }
        given = tag_keys.texts(self.tags or {})
        return {**given, **{key: value for key, value in ours.items() if value is not None}}


def find_volume(request: VolumeRequest, candidates: Iterable[Volume]) -> Volume | None:
    """Return the volume that is meant, or None.

    candidates: volumes read by id or by name; others are ignored.
    A volume_id names one volume; an owner given beside it must be that volume's. A name names it together with owner and zone: a
    volume of another owner or zone is another volume. Without a zone a single match is taken; without an owner only volumes without
    owner match.
    Raises ExplainedError when two volumes match, when the name belongs to owners and none was given, or when the id is of a volume
    that owner or zone say is not meant.
    """
    # A failed volume serves nobody, but it can still be named by its id, and deleted.
    gone = DELETED_STATES if request.volume_id or request.state == "absent" else GONE_STATES
    living = [volume for volume in candidates if volume.state not in gone]
    if request.volume_id:
        return next((_as_described(request, volume) for volume in living if volume.volume_id == request.volume_id), None)
    named = [volume for volume in living if volume.name == request.name]
    if request.availability_zone:
        named = [volume for volume in named if volume.availability_zone == request.availability_zone]
    matches = [volume for volume in named if volume.owner == request.owner]
    if len(matches) > 1:
        raise _ambiguous(request, matches)
    if not matches and named and request.owner is None:
        raise _owned_by_others(request, named)
    return matches[0] if matches else None


def _as_described(request: VolumeRequest, volume: Volume) -> Volume:
    """Return a volume that was found by its id, unless owner or zone say that another one is meant."""
    takes_away = request.state in ("absent", "detached")
    # A volume without owner is given one by state present; nobody may take it away as theirs.
    if request.owner is not None and request.owner != volume.owner and (volume.owner is not None or takes_away):
        whose = f"belongs to {volume.owner}" if volume.owner else "has no owner"
        raise ExplainedError(
            f"Volume {volume.volume_id} ({volume.name}) {whose}; it is not {request.owner}'s.",
            resource=volume.volume_id,
            next_step="Correct volume_id or owner, or leave owner out to mean this volume whosever it is.",
        )
    if takes_away and request.availability_zone and request.availability_zone != volume.availability_zone:
        raise ExplainedError(
            f"Volume {volume.volume_id} ({volume.name}) is in {volume.availability_zone}, not in {request.availability_zone}.",
            resource=volume.volume_id,
            next_step="Correct volume_id, or leave availability_zone out.",
        )
    return volume


def next_generation(wanted: Volume, candidates: Iterable[Volume]) -> int:
    """Return the generation to create: one above the failed volumes of this identity that can still be seen, else 0."""
    failed = [volume.generation for volume in candidates if volume.state in GONE_STATES and volume.identity == wanted.identity]
    return max(failed, default=-1) + 1


def client_token(volume: Volume, generation: int) -> str:
    """Return the token under which EC2 creates this volume at most once, whoever asks.

    A token is used up for ever, also by a volume that was deleted or failed: the next one is generation + 1.
    Source: EC2 API reference, "Ensuring idempotency": at most 64 ASCII characters.
    """
    parts = (*volume.identity, str(generation))
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()


def final_snapshot_tags(volume: Volume, consistency: str) -> dict[str, str]:
    """Return the tags of the snapshot that is taken of a volume before it is deleted.

    The user's own tags and owner and project go over; a fingerprint does not: this snapshot has not been proved.
    """
    kept = {tag_keys.key(tag_keys.OWNER), tag_keys.key(tag_keys.PROJECT)}
    inherited = {key: value for key, value in volume.tags.items() if key in kept or not key.startswith(RESERVED_PREFIXES)}
    facts = {tag_keys.key(tag_keys.FINAL_OF): volume.volume_id or "", tag_keys.key(tag_keys.CONSISTENCY): consistency}
    return tag_keys.managed(f"{volume.name or volume.volume_id}-final", {**inherited, **facts})


def device_path(volume_id: str) -> str:
    """Return the stable path of a volume on a Nitro instance: its NVMe serial is the volume id without the dash."""
    return f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}"


def next_steps(volume: Volume, request: VolumeRequest) -> list[str]:
    """Return what to do on the instance after the volume was attached."""
    if request.attach_mode == "shared_readonly":
        return [
            f"sudo blockdev --setro {volume.device_path}",
            f"sudo mount -o ro,noload {volume.device_path} /mnt/data   # ext4; for xfs: -o ro,norecovery",
            "Every instance that shares the volume must mount it read-only.",
        ]
    return [
        f"sudo blkid {volume.device_path}   # prints nothing when the volume is blank",
        f"sudo mkfs.ext4 {volume.device_path}   # a blank volume only: this erases what is there",
        f"sudo mount {volume.device_path} /mnt/data",
        "Unmount it (sudo umount /mnt/data) before you detach the volume.",
    ]


def already_attached(volume: Volume, attached_to: str | None, instance_id: str | None) -> ExplainedError:
    """Return the refusal to attach a volume that another instance holds."""
    holder = attached_to or "unknown"
    return ExplainedError(
        f"Volume {volume.volume_id} is already attached to instance {holder}.",
        resource=volume.volume_id,
        next_step="Detach it first or use a different volume.",
        attached_to=holder,
        reason="One file system written by two instances is destroyed, so a volume is attached to one instance at a time.",
        resolution=[
            f"Unmount it on {holder} and detach it: ebs_volume with volume_id {volume.volume_id} and state detached.",
            f"Use a different volume for {instance_id}.",
            f"Give {instance_id} a copy: ebs_snapshot of {volume.volume_id}, then ebs_volume with snapshot_id and another name.",
        ],
        doc=GUIDE,
    )


def _ambiguous(request: VolumeRequest, matches: list[Volume]) -> ExplainedError:
    listed = ", ".join(f"{volume.volume_id} in {volume.availability_zone}" for volume in matches)
    return ExplainedError(
        f"The name {request.name} fits {len(matches)} volumes: {listed}.",
        resource=request.name,
        next_step="Give volume_id, or availability_zone if that tells them apart.",
        matches=[volume.volume_id for volume in matches],
    )


def _owned_by_others(request: VolumeRequest, named: list[Volume]) -> ExplainedError:
    listed = ", ".join(f"{volume.volume_id} of {volume.owner}" for volume in named)
    return ExplainedError(
        f"The name {request.name} is taken by another owner's volume: {listed}.",
        resource=request.name,
        next_step="Give owner (yours to have a volume of your own, theirs to mean that one), or volume_id.",
        matches=[volume.volume_id for volume in named],
    )
