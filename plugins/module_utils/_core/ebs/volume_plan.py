# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to happen to bring one EBS volume to the requested state, or why it must not."""

from __future__ import annotations

import dataclasses
import datetime
import re
import string
from collections.abc import Iterable
from typing import Any

from .. import tags as tag_keys
from ..errors import ExplainedError, ManyProblems
from ..facts.volume_limits import DEFAULT_TYPE, INITIALIZATION_RATES, LIMITS, MULTI_ATTACH_INSTANCES, SUGGESTIONS, check_limits
from ..plan import Plan
from .holds import refused_for, volume_holds_of
from .volume import RESERVED_PREFIXES, Attachment, Instance, SourceSnapshot, Volume, VolumeRequest, already_attached

DEFAULT_DEVICE = "/dev/sdf"
# EC2 User Guide, "Device names for volumes on Amazon EC2 instances": /dev/sd[f-p] are recommended for data volumes.
FREE_DEVICES = tuple(f"/dev/sd{letter}" for letter in string.ascii_lowercase[5:16])
_DEVICE = re.compile(r"/dev/(sd[b-z]\d{0,2}|xvd[b-z][a-z]?)")
_MODIFIABLE = ("size_gib", "volume_type", "iops", "throughput", "multi_attach")
# EC2 gives a gp3 volume these when nobody chooses.
_GP3_IOPS, _GP3_THROUGHPUT = 3000, 125
# What a person is told of a hold: how the sentence about the volume goes on, and what to do. The first of them that holds is told.
_REFUSALS = {
    "protected": (
        "is protected.",
        "Take the protection away first: state present with protected false. force does not override it.",
    ),
    "foreign": (
        f"was not made by this collection: it has no tag {tag_keys.CREATED_BY}={tag_keys.CREATOR}.",
        "Set force to delete it all the same.",
    ),
    "attached": (
        "is attached to {}.",
        "Unmount and detach it first, or set force to detach it and delete it with all its data.",
    ),
}


@dataclasses.dataclass(frozen=True)
class VolumePlan(Plan):
    """A plan with its volumes as values. found: what exists; wanted: what will, None when deleted or never there."""

    found: Volume | None = None
    wanted: Volume | None = None

    def modifications(self) -> dict[str, Any]:
        """Return the properties to change in place, by name."""
        return {
            name: getattr(self.wanted, name)
            for name in _MODIFIABLE
            if getattr(self.wanted, name) != getattr(self.found, name) and getattr(self.wanted, name) is not None
        }

    def new_tags(self) -> dict[str, str]:
        """Return the tags to set on an existing volume."""
        return {key: value for key, value in self.wanted.tags.items() if self.found.tags.get(key) != value}

    def old_tags(self) -> list[str]:
        """Return the tag keys to remove from an existing volume."""
        return [key for key in self.found.tags if key not in self.wanted.tags]


def plan_volume(
    request: VolumeRequest,
    found: Volume | None,
    *,
    instance: Instance | None = None,
    snapshot: SourceSnapshot | None = None,
    now: datetime.datetime,
) -> VolumePlan:
    """Decide how to bring one volume to the requested state.

    found: the volume that is meant (find_volume), or None.
    instance: the instance of request.instance_id; needed to attach, and for the zone of a new volume.
    snapshot: the snapshot of request.snapshot_id; needed when a volume is created from one.
    now: for min_age, with time zone.
    Returns a VolumePlan whose actions are a part of: create, tag, untag, modify, detach, attach, set_delete_on_termination,
    snapshot, delete.
    Raises ExplainedError for what EC2 would refuse and for what would endanger data.
    """
    _check_tags(request)
    if request.state == "absent":
        return _plan_absent(request, found, now)
    if request.state == "detached":
        return _plan_detached(request, found)
    actions, wanted, warnings = (
        _creation(request, instance, snapshot) if found is None else _alteration(request, _must_be_healthy(found), snapshot)
    )
    if request.state == "attached":
        attach_actions, wanted, attach_warnings = _attachment(request, wanted, instance)
        actions, warnings = actions + attach_actions, warnings + attach_warnings
    return _volume_plan(actions, found, wanted, warnings)


def _volume_plan(actions: Iterable[str], found: Volume | None, wanted: Volume | None, warnings: Iterable[str] = ()) -> VolumePlan:
    return VolumePlan(
        actions=tuple(actions),
        before=found.to_result() if found else None,
        after=wanted.to_result() if wanted else None,
        warnings=tuple(dict.fromkeys(warnings)),
        found=found,
        wanted=wanted,
    )


# Creating


def _creation(request: VolumeRequest, instance: Instance | None, snapshot: SourceSnapshot | None) -> tuple[list[str], Volume, list[str]]:
    zone = request.availability_zone or (instance.availability_zone if instance else None)
    _check_creatable(request, zone)
    size_gib = request.size_gib
    if request.snapshot_id:
        _check_snapshot(request, snapshot)
        size_gib = size_gib or snapshot.size_gib
    volume_type = request.volume_type or DEFAULT_TYPE
    multi_attach = bool(request.multi_attach)
    check_limits(
        volume_type,
        size_gib=size_gib,
        iops=request.iops,
        throughput=request.throughput,
        multi_attach=multi_attach,
        resource=request.name,
    )
    is_gp3 = volume_type == "gp3"
    wanted = Volume(
        volume_id=None,
        name=request.name,
        state="available",
        size_gib=size_gib,
        volume_type=volume_type,
        availability_zone=zone,
        iops=request.iops or (_GP3_IOPS if is_gp3 else None),
        throughput=request.throughput or (_GP3_THROUGHPUT if is_gp3 else None),
        encrypted=request.encrypted is not False,
        kms_key_id=request.kms_key_id,
        snapshot_id=request.snapshot_id,
        multi_attach=multi_attach,
        initialization_rate=request.initialization_rate,
        tags=tag_keys.managed(request.name, _requested_tags(request, restored_from=request.snapshot_id)),
    )
    return ["create"], wanted, _type_warnings(wanted)


def _check_creatable(request: VolumeRequest, zone: str | None) -> None:
    if request.volume_id:
        raise ExplainedError(
            f"Volume {request.volume_id} does not exist here.",
            resource=request.volume_id,
            next_step="Check the id and the region; to create a volume, leave volume_id out and give name and size.",
        )
    if request.size_gib is None and request.snapshot_id is None:
        raise ExplainedError(
            f"There is no volume {request.name}{f' in {zone}' if zone else ''}, and it cannot be created without a size.",
            resource=request.name,
            next_step="Give size or snapshot_id to create it, or correct name, owner and availability_zone.",
        )
    if zone is None:
        raise ExplainedError(
            f"Volume {request.name} does not exist, and no zone is given to create it in.",
            resource=request.name,
            next_step="Give availability_zone, or instance_id to create it where the instance is.",
        )
    if request.kms_key_id and request.encrypted is False:
        raise ExplainedError(
            f"Volume {request.name} is to have a KMS key but no encryption.",
            resource=request.name,
            next_step="Leave encrypted out, or leave kms_key_id out.",
        )
    if request.initialization_rate is not None:
        _check_initialization_rate(request)


def _check_initialization_rate(request: VolumeRequest) -> None:
    if request.snapshot_id is None:
        raise ExplainedError(
            "initialization_rate says how fast a snapshot is loaded, and no snapshot_id is given.",
            resource=request.name,
            next_step="Give snapshot_id, or leave initialization_rate out.",
        )
    if request.initialization_rate not in INITIALIZATION_RATES:
        raise ExplainedError(
            f"initialization_rate {request.initialization_rate} MiB/s is out of range.",
            resource=request.name,
            next_step=f"Give {INITIALIZATION_RATES[0]} to {INITIALIZATION_RATES[-1]}.",
        )


def _check_snapshot(request: VolumeRequest, snapshot: SourceSnapshot | None) -> None:
    if snapshot is None:
        raise ExplainedError(
            f"Snapshot {request.snapshot_id} does not exist here, or is not shared with this account.",
            resource=request.snapshot_id,
            next_step="Check the id and the region: a snapshot exists in one region only; copy it to use it in another.",
        )
    if snapshot.archived:
        raise ExplainedError(
            f"Snapshot {snapshot.snapshot_id} is archived.",
            resource=snapshot.snapshot_id,
            next_step="Restore it from the archive tier first; that takes up to 72 hours.",
        )
    if snapshot.state != "completed":
        raise ExplainedError(
            f"Snapshot {snapshot.snapshot_id} is {snapshot.state}; a volume needs a completed one.",
            resource=snapshot.snapshot_id,
            next_step="Wait until it is completed, or choose another snapshot.",
        )
    if request.size_gib is not None and request.size_gib < snapshot.size_gib:
        raise ExplainedError(
            f"Volume {request.name} of {request.size_gib} GiB is smaller than snapshot {snapshot.snapshot_id} of {snapshot.size_gib} GiB.",
            resource=request.name,
            next_step=f"Set size to {snapshot.size_gib} or more, or leave it out.",
        )
    if snapshot.encrypted and request.encrypted is False:
        raise ExplainedError(
            f"Snapshot {snapshot.snapshot_id} is encrypted, and so is every volume made from it.",
            resource=request.name,
            next_step="Leave encrypted out.",
        )


def _type_warnings(volume: Volume) -> list[str]:
    warnings = []
    if volume.volume_type in SUGGESTIONS:
        warnings.append(f"Volume {volume.label} is {volume.volume_type}: {SUGGESTIONS[volume.volume_type]}")
    if volume.multi_attach:
        # What volumes cost is loaded for the few that need it.
        from ..cost.cost import price_of_sharing

        warnings += [_risk_of_sharing(volume), price_of_sharing(volume.volume_type, volume.size_gib, volume.iops)]
    return warnings


def _risk_of_sharing(volume: Volume) -> str:
    return (
        f"Volume {volume.label} can be attached to several instances, and EC2 lets each of them write: "
        "ext4 and xfs are destroyed by a second writer. Mount it read-only everywhere."
    )


# Changing what exists


def _must_be_healthy(found: Volume) -> Volume:
    if found.state == "error":
        raise ExplainedError(
            f"Volume {found.volume_id} is in state error; EC2 cannot use it.",
            resource=found.volume_id,
            next_step="Delete it, then create it again or restore it from a snapshot.",
        )
    return found


def _alteration(request: VolumeRequest, found: Volume, snapshot: SourceSnapshot | None) -> tuple[list[str], Volume, list[str]]:
    _check_drift(request, found)
    wanted = dataclasses.replace(found, **_modified(request, found), tags=_wanted_tags(request, found))
    wanted = dataclasses.replace(wanted, name=wanted.tags.get(tag_keys.NAME))
    plan = VolumePlan(found=found, wanted=wanted)
    actions = []
    if plan.new_tags():
        actions.append("tag")
    if plan.old_tags():
        actions.append("untag")
    if plan.modifications():
        _check_modification(request, found, wanted)
        actions.append("modify")
    return actions, wanted, []


def _check_drift(request: VolumeRequest, found: Volume) -> None:
    """Refuse what differs and cannot be changed in place, every difference at once."""
    problems = []
    if request.encrypted is not None and request.encrypted != found.encrypted:
        problems.append(f"encrypted is {found.encrypted}, asked for {request.encrypted}")
    if request.availability_zone and request.availability_zone != found.availability_zone:
        problems.append(f"availability_zone is {found.availability_zone}, asked for {request.availability_zone}")
    if request.snapshot_id and request.snapshot_id != found.snapshot_id:
        problems.append(f"snapshot_id is {found.snapshot_id or 'none'}, asked for {request.snapshot_id}")
    if request.kms_key_id and not _same_key(request.kms_key_id, found.kms_key_id):
        problems.append(f"kms_key_id is {found.kms_key_id or 'none'}, asked for {request.kms_key_id}")
    if problems:
        raise ManyProblems(
            f"Volume {found.volume_id} ({found.name}) differs in what cannot be changed on an existing volume:",
            problems,
            resource=found.volume_id,
            next_step="Correct the request, or choose another name and restore a snapshot of this volume under it.",
        )


def _same_key(asked: str, found: str | None) -> bool:
    """Compare a key id, key ARN or alias with the ARN that EC2 reports; an alias cannot be told apart and is trusted."""
    if "alias/" in asked:
        return found is not None
    return found is not None and asked.rpartition("/")[2] == found.rpartition("/")[2]


def _modified(request: VolumeRequest, found: Volume) -> dict[str, Any]:
    asked = {name: getattr(request, name) for name in _MODIFIABLE if getattr(request, name) is not None}
    if asked.get("volume_type", found.volume_type) != found.volume_type:
        # EC2 chooses new values for the new type unless we do; the old type's may not even be allowed.
        is_gp3 = asked["volume_type"] == "gp3"
        defaults = {"iops": _GP3_IOPS if is_gp3 else None, "throughput": _GP3_THROUGHPUT if is_gp3 else None}
        return {**defaults, **asked}
    return asked


def _check_modification(request: VolumeRequest, found: Volume, wanted: Volume) -> None:
    if wanted.size_gib < found.size_gib:
        raise ExplainedError(
            f"Cannot shrink volume {found.volume_id} from {found.size_gib} GiB to {wanted.size_gib} GiB: EBS volumes only grow.",
            resource=found.volume_id,
            next_step=f"Set size to {found.size_gib} or more, or create a volume under another name.",
        )
    chosen_iops = wanted.iops if LIMITS.get(wanted.volume_type, LIMITS[DEFAULT_TYPE]).iops else request.iops
    check_limits(
        wanted.volume_type,
        size_gib=wanted.size_gib,
        iops=chosen_iops,
        throughput=wanted.throughput,
        multi_attach=wanted.multi_attach,
        resource=found.volume_id,
    )
    if wanted.multi_attach != found.multi_attach and (found.volume_type != "io2" or found.holders):
        raise ExplainedError(
            f"Cannot change multi_attach of volume {found.volume_id}: EC2 does so for a detached io2 volume only.",
            resource=found.volume_id,
            next_step="Detach it first; for io1, create another volume with multi_attach.",
        )


# Tags


def _check_tags(request: VolumeRequest) -> None:
    foreign = {key: value for key, value in (request.tags or {}).items() if (key, value) != (tag_keys.CREATED_BY, tag_keys.CREATOR)}
    wrong = [key for key in foreign if key.startswith("aws:") or key == tag_keys.CREATED_BY]
    if wrong:
        raise ExplainedError(
            f"Tag {', '.join(wrong)} cannot be given: keys that begin with aws: belong to AWS, {tag_keys.CREATED_BY} to the collection.",
            resource=request.label,
            next_step="Choose another key.",
        )


def _requested_tags(request: VolumeRequest, restored_from: str | None = None) -> dict[str, str]:
    own = {
        tag_keys.OWNER: request.owner,
        tag_keys.PROJECT: request.project,
        tag_keys.PROTECTED: "true" if request.protected else None,
        tag_keys.RESTORED_FROM: restored_from,
    }
    return {**(request.tags or {}), **{tag_keys.key(name): value for name, value in own.items() if value}}


def _wanted_tags(request: VolumeRequest, found: Volume) -> dict[str, str]:
    kept = found.tags
    if request.purge_tags and request.tags is not None:
        kept = {key: value for key, value in kept.items() if _never_purged(key)}
    if request.protected is False:
        kept = {key: value for key, value in kept.items() if key != tag_keys.key(tag_keys.PROTECTED)}
    name = {tag_keys.NAME: request.name} if request.name else {}
    return {**kept, **_requested_tags(request), **name}


def _never_purged(key: str) -> bool:
    return key in (tag_keys.NAME, tag_keys.CREATED_BY) or key.startswith(RESERVED_PREFIXES)


# Attaching


def _attachment(request: VolumeRequest, volume: Volume, instance: Instance | None) -> tuple[list[str], Volume, list[str]]:
    _check_instance(request, instance)
    held = volume.on_instance(instance.instance_id)
    if held is not None:
        return _kept_attachment(request, volume, held)
    _check_sharing(request, volume, instance)
    _check_zone(volume, instance)
    device = _choose_device(request, instance)
    attachment = Attachment(instance.instance_id, device, "attached", bool(request.delete_on_termination))
    wanted = dataclasses.replace(volume, state="in-use", attachments=(*volume.holders, attachment))
    # AttachVolume cannot set delete_on_termination; EC2 begins with false.
    actions = ["attach", "set_delete_on_termination"] if request.delete_on_termination else ["attach"]
    return actions, wanted, [_risk_of_sharing(volume)] if volume.multi_attach else []


def _check_instance(request: VolumeRequest, instance: Instance | None) -> None:
    if instance is None:
        raise ExplainedError(
            f"Instance {request.instance_id} does not exist here.",
            resource=request.instance_id,
            next_step="Check the id and the region.",
        )
    if instance.state not in ("running", "stopped"):
        raise ExplainedError(
            f"Instance {instance.instance_id} is {instance.state}; a volume is attached to a running or stopped instance.",
            resource=instance.instance_id,
            next_step="Wait until the instance is running, or choose another one.",
        )


def _kept_attachment(request: VolumeRequest, volume: Volume, held: Attachment) -> tuple[list[str], Volume, list[str]]:
    if held.state == "detaching":
        raise ExplainedError(
            f"Volume {volume.volume_id} is being detached from {held.instance_id} right now.",
            resource=volume.volume_id,
            next_step="Wait until it is available, then run the task again.",
        )
    if request.device not in (None, "auto", held.device):
        raise ExplainedError(
            f"Volume {volume.volume_id} is attached to {held.instance_id} as {held.device}, not as {request.device}.",
            resource=volume.volume_id,
            next_step="Leave device out, or detach the volume first.",
        )
    if request.delete_on_termination in (None, held.delete_on_termination):
        return [], volume, []
    corrected = dataclasses.replace(held, delete_on_termination=request.delete_on_termination)
    attachments = tuple(corrected if attachment is held else attachment for attachment in volume.attachments)
    return ["set_delete_on_termination"], dataclasses.replace(volume, attachments=attachments), []


def _check_sharing(request: VolumeRequest, volume: Volume, instance: Instance) -> None:
    if volume.multi_attach and not request.shares:
        raise ExplainedError(
            f"Volume {volume.label} can be attached to several instances, and each of them could write.",
            resource=volume.volume_id,
            next_step="Set attach_mode to shared_readonly and mount it read-only, "
            "or allow_concurrent_writes if a cluster file system or your own care prevents two writers.",
        )
    if not volume.holders:
        return
    if not (volume.multi_attach and request.shares):
        raise already_attached(volume, volume.holders[0].instance_id, instance.instance_id)
    if len(volume.holders) >= MULTI_ATTACH_INSTANCES:
        raise ExplainedError(
            f"Volume {volume.volume_id} is attached to {len(volume.holders)} instances, which is EC2's limit.",
            resource=volume.volume_id,
            next_step="Detach it from one of them, or restore a snapshot for the next.",
        )


def _check_zone(volume: Volume, instance: Instance) -> None:
    if volume.availability_zone != instance.availability_zone:
        raise ExplainedError(
            f"Volume {volume.label} is in {volume.availability_zone} and instance {instance.instance_id} in {instance.availability_zone}: "
            "a volume is attached within its zone.",
            resource=volume.volume_id,
            next_step=f"Use an instance in {volume.availability_zone}, or snapshot the volume and restore it with "
            f"availability_zone {instance.availability_zone} and snapshot_id.",
            volume_zone=volume.availability_zone,
            instance_zone=instance.availability_zone,
        )


def _choose_device(request: VolumeRequest, instance: Instance) -> str:
    if request.device == "auto":
        free = next((device for device in FREE_DEVICES if device not in instance.devices), None)
        if free is None:
            raise ExplainedError(
                f"Instance {instance.instance_id} has no free device name from {FREE_DEVICES[0]} to {FREE_DEVICES[-1]}.",
                resource=instance.instance_id,
                next_step="Detach a volume, or name a device.",
            )
        return free
    device = request.device or DEFAULT_DEVICE
    if not _DEVICE.fullmatch(device):
        raise ExplainedError(
            f"Device '{device}' is no name that EC2 takes.",
            resource=instance.instance_id,
            next_step="Use /dev/sdf to /dev/sdp, or auto; on the instance the volume is found by device_path whatever this name is.",
        )
    if device in instance.devices:
        holder = instance.devices[device]
        raise ExplainedError(
            f"Device {device} of instance {instance.instance_id} is taken by volume {holder}.",
            resource=instance.instance_id,
            next_step="Set device to a free name, or to auto to take the first free one.",
            device=device,
            held_by=holder,
        )
    return device


# Detaching and deleting


def _plan_detached(request: VolumeRequest, found: Volume | None) -> VolumePlan:
    if found is None:
        return _volume_plan((), None, None, (f"There is no volume {request.label}: nothing to detach.",))
    leaving = _leaving(request, found)
    if not leaving:
        return _volume_plan((), found, found)
    return _volume_plan(("detach",), found, _without(found, leaving))


def _leaving(request: VolumeRequest, found: Volume) -> tuple[Attachment, ...]:
    if request.instance_id:
        return tuple(attachment for attachment in found.holders if attachment.instance_id == request.instance_id)
    if len(found.holders) > 1 and not request.force:
        raise ExplainedError(
            f"Volume {found.volume_id} is attached to {len(found.holders)} instances: {_held_by(found)}.",
            resource=found.volume_id,
            next_step="Give instance_id to detach it from one of them.",
        )
    return found.holders


def _without(volume: Volume, leaving: tuple[Attachment, ...]) -> Volume:
    staying = tuple(attachment for attachment in volume.holders if attachment not in leaving)
    return dataclasses.replace(volume, state="in-use" if staying else "available", attachments=staying)


def _plan_absent(request: VolumeRequest, found: Volume | None, now: datetime.datetime) -> VolumePlan:
    if found is None:
        return _volume_plan((), None, None)
    _check_deletable(request, found, now)
    detach = ("detach",) if found.holders else ()
    # Without the instances, so that the file system is at rest.
    snapshot = ("snapshot",) if request.final_snapshot else ()
    return _volume_plan((*detach, *snapshot, "delete"), found, None)


def _check_deletable(request: VolumeRequest, found: Volume, now: datetime.datetime) -> None:
    """Refuse to delete what is protected (always), foreign, young or attached (unless force says so)."""
    refused = refused_for(volume_holds_of(found), _REFUSALS, request.force)
    if refused is not None:
        name, holders = refused
        sentence, next_step = _REFUSALS[name]
        raise ExplainedError(
            f"Volume {found.volume_id} ({found.name}) {sentence.format(', '.join(holders))}",
            resource=found.volume_id,
            next_step=next_step,
            **({"attached_to": holders[0]} if name == "attached" else {}),
        )
    age = _age_minutes(found, now)
    if age < request.min_age and not request.force:
        raise ExplainedError(
            f"Volume {found.volume_id} ({found.name}) is {age} minutes old, younger than min_age {request.min_age}.",
            resource=found.volume_id,
            next_step="Run the task later, lower min_age, or set force.",
        )


def _age_minutes(volume: Volume, now: datetime.datetime) -> int:
    created = datetime.datetime.fromisoformat(volume.create_time) if volume.create_time else now
    return int((now - created).total_seconds() // 60)


def _held_by(volume: Volume) -> str:
    return ", ".join(attachment.instance_id or "unknown" for attachment in volume.holders)
