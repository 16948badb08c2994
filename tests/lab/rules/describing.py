"""Describing volumes and snapshots: which ones, by which filters, and how many at a time."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot, Volume, VolumeAttachment
from moto.ec2.utils import format_timestamp

from tests.lab.rules.rulebook import Call, answer, derive, extend, refuse
from tests.lab.rules.sharing import owner_wants, visible_snapshots

SMALLEST_PAGE, LARGEST_PAGE = 5, 1000

VOLUME_FILTERS: dict[str, Callable[[Volume], Any]] = {
    "attachment.attach-time": lambda volume: [attachment.attach_time for attachment in volume.attachments],
    "attachment.delete-on-termination": lambda volume: [attachment.delete_on_termination for attachment in volume.attachments],
    "attachment.device": lambda volume: [attachment.device for attachment in volume.attachments],
    "attachment.instance-id": lambda volume: [attachment.instance.id for attachment in volume.attachments],
    "attachment.status": lambda volume: [attachment.status for attachment in volume.attachments],
    "availability-zone": lambda volume: volume.availability_zone,
    "availability-zone-id": lambda volume: volume.zone.zone_id,
    "create-time": lambda volume: volume.create_time,
    "encrypted": lambda volume: volume.encrypted,
    "fast-restored": lambda volume: getattr(volume, "fast_restored", False),
    "multi-attach-enabled": lambda volume: volume.multi_attach_enabled,
    "operator.managed": lambda volume: False,
    "operator.principal": lambda volume: [],
    "size": lambda volume: volume.size,
    "snapshot-id": lambda volume: volume.snapshot_id,
    "status": lambda volume: volume.status,
    "volume-id": lambda volume: volume.id,
    "volume-type": lambda volume: volume.volume_type,
}
SNAPSHOT_FILTERS: dict[str, Callable[[Snapshot], Any]] = {
    "description": lambda snapshot: snapshot.description,
    "encrypted": lambda snapshot: snapshot.encrypted,
    "owner-alias": lambda snapshot: [],
    "owner-id": lambda snapshot: snapshot.owner_id,
    "progress": lambda snapshot: snapshot.progress,
    "snapshot-id": lambda snapshot: snapshot.id,
    "start-time": lambda snapshot: snapshot.start_time,
    "status": lambda snapshot: snapshot.status,
    "storage-tier": lambda snapshot: snapshot.storage_tier,
    "transfer-type": lambda snapshot: getattr(snapshot, "transfer_type", "standard"),
    "volume-id": lambda snapshot: snapshot.volume_id,
    "volume-size": lambda snapshot: snapshot.volume_size,
}


@answer("DescribeVolumes")
def volumes_come_in_pages(call: Call, proceed: Any) -> dict[str, Any]:
    """MaxResults (from 5) makes pages, joined by NextToken, and does not go with ids: InvalidParameterValue, ...Combination.

    Source: EC2 API Reference, DescribeVolumes; EC2 Developer Guide, "Pagination".
    """
    ids = call.get("VolumeIds", [])
    _check_page(call, ids, "volumesSet", SMALLEST_PAGE)
    volumes = call.backend.describe_volumes(ids, call.response._filters_from_querystring())
    page, token = _page(call, volumes)
    return {"Volumes": page, "NextToken": token}


@extend(EBSBackend, "describe_volumes")
def volumes_are_found_by_filter(
    original: Any, backend: Any, volume_ids: list[str] | None = None, filters: dict[str, list[str]] | None = None
) -> list[Volume]:
    """All filters of the reference work, an unknown one is refused, an unknown id is named: InvalidParameterValue, InvalidVolume.NotFound.

    Source: EC2 API Reference, DescribeVolumes, parameters Filter.N and VolumeId.N; error code InvalidVolume.NotFound.
    """
    volumes = _by_id(dict(backend.volumes), volume_ids, "InvalidVolume.NotFound", "volume")
    return _filtered(volumes, filters, VOLUME_FILTERS)


@answer("DescribeSnapshots")
def snapshots_are_found(call: Call, proceed: Any) -> dict[str, Any]:
    """An account sees its own snapshots and those shared with it, by id, owner, grantee and filter, in pages.

    Source: EC2 API Reference, DescribeSnapshots, parameters SnapshotId.N, Owner.N, RestorableBy.N, Filter.N and MaxResults.
    """
    ids = call.get("SnapshotIds", [])
    _check_page(call, ids, "snapshotSet", 1)
    snapshots = _by_id(visible_snapshots(call.backend), ids, "InvalidSnapshot.NotFound", "snapshot")
    snapshots = [snapshot for snapshot in snapshots if owner_wants(call, snapshot)]
    snapshots = _filtered(snapshots, call.response._filters_from_querystring(), SNAPSHOT_FILTERS)
    page, token = _page(call, snapshots)
    return {"Snapshots": page, "NextToken": token}


@derive(VolumeAttachment, "delete_on_termination")
def volume_ends_with_its_instance(original: Any, attachment: VolumeAttachment) -> bool:
    """An attachment says whether its volume is deleted with the instance, as ModifyInstanceAttribute last set it.

    Source: EC2 API Reference, VolumeAttachment, field deleteOnTermination.
    """
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return bool(device and device.delete_on_termination)


def _by_id(known: dict[str, Any], ids: list[str] | None, code: str, what: str) -> list[Any]:
    """The resources of these ids, or all; refuses with the ids that nothing has."""
    missing = [identifier for identifier in ids or [] if identifier not in known]
    if missing:
        verb = "does" if len(missing) == 1 else "do"
        names = ", ".join(missing)
        refuse(code, f"The {what}{'s' * (len(missing) > 1)} '{names}' {verb} not exist.")
    return [known[identifier] for identifier in dict.fromkeys(ids or known)]


def _filtered(resources: Iterable[Any], filters: dict[str, list[str]] | None, known: dict[str, Callable[[Any], Any]]) -> list[Any]:
    """The resources that pass every filter; a filter passes what matches one of its values."""
    found = list(resources)
    for name, patterns in (filters or {}).items():
        wanted = [_pattern(pattern) for pattern in patterns]
        found = [one for one in found if any(regex.fullmatch(text) for regex in wanted for text in _texts(one, name, known))]
    return found


def _texts(resource: Any, name: str, known: dict[str, Callable[[Any], Any]]) -> list[str]:
    """What a filter compares with: the resource's values of that name, as EC2 writes them."""
    tags = resource.ec2_backend.tags.get(resource.id, {})
    if name.startswith("tag:"):
        return [value for key, value in tags.items() if key == name.removeprefix("tag:")]
    if name == "tag-key":
        return list(tags)
    if name not in known:
        refuse("InvalidParameterValue", f"The filter '{name}' is invalid")
    values = known[name](resource)
    return [_text(value) for value in (values if isinstance(values, list) else [values])]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return format_timestamp(value) if isinstance(value, datetime.datetime) else str(value)


def _pattern(text: str) -> re.Pattern[str]:
    r"""A filter value as a regular expression: * and ? are wildcards, \ takes their meaning away.

    Source: Amazon EC2 User Guide, "Filter Amazon EC2 resources".
    """
    pieces = re.findall(r"\\.|.", text, re.DOTALL)
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(piece) or re.escape(piece[-1]) for piece in pieces), re.DOTALL)


def _check_page(call: Call, ids: list[str], name: str, smallest: int) -> None:
    size = call.get("MaxResults")
    if size is None:
        return
    if ids:
        refuse("InvalidParameterCombination", f"The parameter {name} cannot be used with the parameter maxResults")
    if size < smallest:
        refuse(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value greater than or equal to {smallest}.",
        )


def _page(call: Call, items: list[Any]) -> tuple[list[Any], str | None]:
    """The page asked for, and the token of the next one; the token holds where that begins."""
    size = min(call.get("MaxResults") or len(items), LARGEST_PAGE) if call.get("MaxResults") else len(items)
    try:
        start = int(base64.b64decode(call.get("NextToken", "MA=="), validate=True))
    except (ValueError, binascii.Error):
        refuse("InvalidNextToken", f"The token '{call.get('NextToken')}' is invalid")
    end = start + size
    return items[start:end], base64.b64encode(str(end).encode()).decode() if end < len(items) else None
