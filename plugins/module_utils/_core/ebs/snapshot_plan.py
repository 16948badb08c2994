# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to happen to a snapshot: whether one has to be made, tagged, copied, or may be deleted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import tags as tag
from ..errors import ExplainedError
from ..plan import Plan
from .holds import Uses, holds_of, refused_for
from .snapshot import CLEAN, CRASH, Snapshot, SnapshotRequest, SnapshottedVolume, copy_source, inherited_tags, oldest

# EC2 API reference, CreateSnapshot and Tag restrictions.
LONGEST_DESCRIPTION = 255
MOST_TAGS = 50


# What a person is told of a hold: how the sentence about the snapshot goes on, what to do, and under which name the holders are returned.
# The first of them that holds is told.
_REFUSALS: dict[str, tuple[str, str, str | None]] = {
    "protected": (
        "is protected by the tag {}=true.",
        "Remove the tag first if the snapshot is to go; force does not override it.",
        None,
    ),
    "images": (
        "holds the data of {}; instances of that image could no longer start.",
        "Deregister the image first if nobody needs it.",
        "image_ids",
    ),
    "templates": (
        "is named by {}; instances of that launch template could no longer start.",
        "Delete the versions of the launch template that name it first, old ones too, if nobody needs them.",
        "launch_template_ids",
    ),
    "locked": (
        "is locked until {}.",
        "Unlock it first with lock: {mode: none}, which a compliance lock does not allow.",
        None,
    ),
    "fast": (
        "is enabled for fast restore in {}.",
        "Turn that off first with fast_restore_zones: [].",
        None,
    ),
    "foreign": (
        f"was not made by {{}}: it lacks the tag {tag.CREATED_BY}={tag.CREATOR}.",
        "Delete it with the tool that made it, or say force: true.",
        None,
    ),
    "shared": (
        "may be used by {}; who uses it there is not seen here.",
        "Take it from them with unshare_from, retire it with the playbook retire_snapshot, or say force: true.",
        "shared_with",
    ),
    "registered": (
        "is the last copy behind an entry of {}.",
        "Retire it in the registry first (snapshot_registry), copy it to another region, or say force: true.",
        "registries",
    ),
}


def tags_for(request: SnapshotRequest, volume: SnapshottedVolume, consistency: str) -> dict[str, str]:
    """Return every tag of a new snapshot, as it goes into the call that creates it.

    Raises ExplainedError when the tags contradict the request or exceed what EC2 takes.
    """
    inherited = inherited_tags(volume)
    decided = {tag.key(tag.CONSISTENCY): consistency}
    if request.fingerprint:
        decided[tag.key(tag.FINGERPRINT)] = request.fingerprint
    if request.generation is not None:
        decided[tag.key(tag.GENERATION)] = str(request.generation)
    for key, value in decided.items():
        if request.tags.get(key, value) != value:
            raise ExplainedError(
                f"The tag {key}={request.tags[key]} contradicts {value}, which the other options say.",
                next_step=f"Leave {key} out of tags.",
            )
    every = tag.managed(request.name, {**(inherited if request.copy_volume_tags else {}), **request.tags, **decided})
    _check_tags(every)
    return every


def plan_snapshot(request: SnapshotRequest, found: Iterable[Snapshot], volume: SnapshottedVolume | None) -> Plan:
    """Decide whether a snapshot has to be created or tagged.

    found: our own snapshots that share the request's identity, in any state.
    volume: the volume to snapshot; None when the request names none or a usable snapshot was found.
    Returns a Plan whose actions are (), ("tag",) or ("create",).
    Raises ExplainedError when the name belongs to another volume's snapshot, or when there is nothing to take a snapshot of.
    """
    usable = oldest(snapshot for snapshot in found if snapshot.usable)
    warnings = _warn_of_useless(found)
    if usable:
        return _plan_reuse(request, usable, warnings)
    if request.snapshot_id:
        raise ExplainedError(
            f"Snapshot {request.snapshot_id} does not exist here or cannot be used.",
            resource=request.snapshot_id,
            next_step="Check the id and the region, or leave snapshot_id out and give volume_id to take a new snapshot.",
        )
    if volume is None:
        raise ExplainedError(
            f"There is no snapshot {request.identity}, and no volume to take one of.",
            resource=request.fingerprint or request.name,
            next_step="Give volume_id.",
        )
    if request.description and len(request.description) > LONGEST_DESCRIPTION:
        raise ExplainedError(
            f"The description has {len(request.description)} characters; EC2 takes {LONGEST_DESCRIPTION}.", next_step="Shorten it."
        )
    return _plan_create(request, volume, warnings)


def plan_copy(source: Snapshot, source_region: str, kms_key_id: str | None, found: Iterable[Snapshot]) -> Plan:
    """Decide whether a snapshot has to be copied to another region.

    source: the snapshot to copy, completed, or in check mode one that does not exist yet.
    kms_key_id: the other region's key to encrypt the copy with, or None.
    found: our own snapshots in the other region that hold the same, in any state.
    Returns a Plan whose actions are () or ("copy",).
    Raises ExplainedError when the copy that exists is encrypted with another key.
    """
    warnings = _warn_of_useless(found)
    usable = [snapshot for snapshot in found if snapshot.usable]
    if not usable:
        tags = {key: value for key, value in source.tags.items() if not key.lower().startswith("aws:")}
        if source.snapshot_id:
            tags[tag.key(tag.COPIED_FROM)] = copy_source(source, source_region)
        _check_tags(tags)
        copy = dataclasses.replace(
            source, snapshot_id=None, state="pending", progress="0%", start_time=None, tags=tags, kms_key_id=kms_key_id, state_message=None
        )
        return Plan(("copy",), after=copy.to_result(), warnings=tuple(warnings))
    kept, others = keep_one(usable)
    if kms_key_id and "alias/" not in kms_key_id and not (kept.kms_key_id or "").endswith(kms_key_id):
        raise ExplainedError(
            f"Snapshot {kept.snapshot_id} holds the same but is encrypted with {kept.kms_key_id or 'no key'}, not with {kms_key_id}.",
            resource=kept.snapshot_id,
            next_step="Leave kms_key_id out to use it, or delete it first.",
        )
    return Plan(before=kept.to_result(), after=kept.to_result(), warnings=(*warnings, *others))


def check_copies(targets: Sequence[Mapping[str, Any]], region: str, wait: bool, encrypted: bool | None) -> None:
    """Refuse copies that cannot be made or shared, before anything is.

    targets: each with region, kms_key_id and share. region, encrypted: of the source. wait: whether the source will be complete.
    """
    if not targets:
        return
    if not wait:
        raise ExplainedError("EC2 copies complete snapshots only.", next_step="Say wait: true, or copy in a later task.")
    regions = [target["region"] for target in targets]
    if region in regions or len(regions) != len(set(regions)):
        raise ExplainedError(
            f"copy_to names {', '.join(regions)}; the snapshot is in {region}.", next_step="Name each other region once.", resource=region
        )
    keyless = [target["region"] for target in targets if target["share"] and encrypted and not target["kms_key_id"]]
    if keyless:
        raise ExplainedError(
            f"The copy in {', '.join(keyless)} would be encrypted with the default key, under which it cannot be shared.",
            next_step="Give kms_key_id of a key of your own there, or leave share out.",
        )


def plan_absent(
    request: SnapshotRequest, found: Iterable[Snapshot], uses: Uses | None = None, *, named_by: Iterable[str] = (), force: bool = False
) -> Plan:
    """Decide whether a snapshot may be deleted.

    found: our own snapshots that share the request's identity, in any state.
    uses: who uses the one that was found; registered in it are the registries for which it is the last copy.
    named_by: every registry that recommends it. force: overrides those of HOLDS that say so.
    Returns a Plan whose actions are () or ("delete",).
    Raises ExplainedError for snapshots that we did not make, that are held back, or that are not one but several.
    """
    candidates = oldest(found)
    if not candidates:
        return Plan()
    if len(candidates) > 1:
        ids = [snapshot.snapshot_id for snapshot in candidates]
        raise ExplainedError(
            f"{len(ids)} snapshots are {request.identity}: {', '.join(map(str, ids))}.",
            next_step="Say which one is to be deleted with snapshot_id.",
            snapshot_ids=ids,
        )
    snapshot = candidates[0]
    _refuse_held(snapshot, uses or Uses(), force)
    still_named = ", ".join(named_by)
    warnings = (f"{still_named} still names {snapshot.snapshot_id}; retire it there (snapshot_registry).",) if still_named else ()
    return Plan(("delete",), before=snapshot.to_result(), warnings=warnings)


def keep_one(found: Iterable[Snapshot]) -> tuple[Snapshot, list[str]]:
    """Return the snapshot that every run agrees on, the oldest usable one, and warnings about the others."""
    first, *others = oldest(snapshot for snapshot in found if snapshot.usable)
    return first, _warn_of_others(first, others)


def _plan_reuse(request: SnapshotRequest, usable: list[Snapshot], warnings: list[str]) -> Plan:
    snapshot, others = keep_one(usable)
    by_name = not request.snapshot_id and not request.fingerprint
    if by_name and request.volume_id and snapshot.volume_id != request.volume_id:
        raise ExplainedError(
            f"The name {request.name} belongs to {snapshot.snapshot_id}, a snapshot of {snapshot.volume_id}, not of {request.volume_id}.",
            resource=snapshot.snapshot_id,
            next_step="Choose another name, or delete that snapshot first.",
        )
    wanted = {**snapshot.tags, **request.tags}
    before = snapshot.to_result()
    if wanted == snapshot.tags:
        return Plan(before=before, after=before, warnings=(*warnings, *others))
    _check_tags(wanted)
    return Plan(("tag",), before, dataclasses.replace(snapshot, tags=wanted).to_result(), (*warnings, *others))


def _plan_create(request: SnapshotRequest, volume: SnapshottedVolume, warnings: list[str]) -> Plan:
    consistency = request.consistency or (CRASH if volume.attached else CLEAN)
    if volume.attached and not request.consistency:
        warnings.append(
            f"Volume {volume.volume_id} is attached: its snapshot holds what had reached the disk, as after a power cut. "
            "Unmount or freeze the file system first and say consistency: clean, or say consistency: crash to accept it."
        )
    snapshot = Snapshot(
        snapshot_id=None,
        state="pending",
        volume_id=volume.volume_id,
        volume_size_gib=volume.size_gib,
        encrypted=volume.encrypted,
        kms_key_id=volume.kms_key_id,
        description=request.description or "",
        tags=tags_for(request, volume, consistency),
    )
    return Plan(("create",), after=snapshot.to_result(), warnings=tuple(warnings))


def _refuse_held(snapshot: Snapshot, uses: Uses, force: bool) -> None:
    """Refuse what nobody may delete, and what only force may."""
    held = holds_of(snapshot, uses, retired=bool(tag.read(snapshot.tags, tag.RETIRED)))
    refused = refused_for(held, _REFUSALS, force)
    if refused is None:
        return
    name, holders = refused
    sentence, next_step, detail = _REFUSALS[name]
    raise ExplainedError(
        f"Snapshot {snapshot.snapshot_id} {sentence.format(', '.join(holders))}",
        resource=snapshot.snapshot_id,
        next_step=next_step,
        **({detail: holders} if detail else {}),
    )


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise ExplainedError(f"The snapshot would carry {len(tags)} tags; EC2 takes {MOST_TAGS}.", next_step="Give fewer tags.")
    reserved = sorted(key for key in tags if key.lower().startswith("aws:"))
    if reserved:
        raise ExplainedError(f"Tags that begin with aws: belong to AWS: {', '.join(reserved)}.", next_step="Rename them.")


def _warn_of_useless(found: Iterable[Snapshot]) -> list[str]:
    return [
        f"Snapshot {snapshot.snapshot_id} is in state {snapshot.state} and does not count"
        + (f": {snapshot.state_message}." if snapshot.state_message else ".")
        + " Delete it with state: absent and its snapshot_id."
        for snapshot in found
        if not snapshot.usable
    ]


def _warn_of_others(kept: Snapshot, others: list[Snapshot]) -> list[str]:
    if not others:
        return []
    ids = ", ".join(str(snapshot.snapshot_id) for snapshot in others)
    return [f"{kept.snapshot_id} is the oldest of several that are alike and is used; {ids} can be deleted."]
