# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The EC2 calls about EBS volumes: domain values in, domain values out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._core.ebs.volume import DELETED_STATES, Attachment, Instance, Modification, SourceSnapshot, Volume, VolumeQuery, client_token
from .errors import explained
from .requests import batches, filter_values, literal, tag_list
from .waiting import until_visible

PAGE_SIZE = 500
# What ModifyVolume changes: our name and EC2's.
_MODIFIABLE = {
    "size_gib": "Size",
    "volume_type": "VolumeType",
    "iops": "Iops",
    "throughput": "Throughput",
    "multi_attach": "MultiAttachEnabled",
}


class VolumeGateway:
    """Volumes, their attachments, and what attaching and creating have to know. Safe to use from several threads.

    client: a boto3 EC2 client. clock, sleep: how those who wait measure time; tests bring their own.
    Every method may raise ExplainedError.
    """

    def __init__(self, client: Any, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self.clock = clock
        self.sleep = sleep

    # Reading

    def find_volumes(self, *, ids: Iterable[str] = (), names: Iterable[str] = ()) -> list[Volume]:
        """Return the volumes with these ids, then those with these names; one request per 200 of each.

        Filters rather than VolumeIds: one id that does not exist would otherwise hide all others.
        """
        volumes = [volume for some in batches(ids) for volume in self._describe({"volume-id": some})]
        meant = [literal(name) for name in names]
        return volumes + [volume for some in batches(meant) for volume in self._describe({"tag:Name": some})]

    def list_volumes(self, query: VolumeQuery) -> Iterator[Volume]:
        """Yield the volumes that fit, page by page, without those that are deleted."""
        filters = _query_filters(query)
        requests = [filters] if query.volume_ids is None else [{**filters, "volume-id": some} for some in batches(query.volume_ids)]
        for request in requests:
            yield from (volume for volume in self._describe(request) if volume.state not in DELETED_STATES)

    def _describe(self, filters: dict[str, list[str]]) -> Iterator[Volume]:
        pages = self._client.get_paginator("describe_volumes").paginate(Filters=_filters(filters), PaginationConfig={"PageSize": PAGE_SIZE})
        with explained("look for volumes"):
            for page in pages:
                yield from map(_volume, page.get("Volumes", ()))

    def find_instances(self, ids: Iterable[str]) -> dict[str, Instance]:
        """Return the instances with these ids, by id; those that do not exist are left out."""
        found = {}
        for some in batches(ids):
            with explained("look for instances"):
                pages = self._client.get_paginator("describe_instances").paginate(Filters=_filters({"instance-id": some}))
                answers = [answer for page in pages for group in page["Reservations"] for answer in group["Instances"]]
            found.update({answer["InstanceId"]: _instance(answer) for answer in answers})
        return found

    def find_source_snapshots(self, ids: Iterable[str]) -> dict[str, SourceSnapshot]:
        """Return the snapshots with these ids that this account may use, by id; others are left out."""
        found = {}
        for some in batches(ids):
            with explained("look for snapshots"):
                pages = self._client.get_paginator("describe_snapshots").paginate(Filters=_filters({"snapshot-id": some}))
                answers = [answer for page in pages for answer in page["Snapshots"]]
            found.update({answer["SnapshotId"]: _source_snapshot(answer) for answer in answers})
        return found

    def find_modifications(self, ids: Iterable[str]) -> dict[str, Modification]:
        """Return the newest modification of each volume that was ever modified, by volume id."""
        newest = {}
        for some in batches(ids):
            with explained("look for modifications"):
                pages = self._client.get_paginator("describe_volumes_modifications").paginate(Filters=_filters({"volume-id": some}))
                answers = [answer for page in pages for answer in page.get("VolumesModifications") or ()]
            for answer in sorted(answers, key=lambda answer: str(answer.get("StartTime", ""))):
                newest[answer["VolumeId"]] = _modification(answer)
        return newest

    # Writing

    def create_volume(self, wanted: Volume, generation: int) -> Volume:
        """Create a volume at most once for its name, owner, zone and generation; return what EC2 answers at first."""
        parameters = {
            "AvailabilityZone": wanted.availability_zone,
            "ClientToken": client_token(wanted, generation),
            "Encrypted": wanted.encrypted,
            "Iops": wanted.iops,
            "KmsKeyId": wanted.kms_key_id,
            "MultiAttachEnabled": wanted.multi_attach or None,
            "Size": wanted.size_gib,
            "SnapshotId": wanted.snapshot_id,
            "TagSpecifications": [{"ResourceType": "volume", "Tags": tag_list(wanted.tags)}],
            "Throughput": wanted.throughput,
            "VolumeInitializationRate": wanted.initialization_rate,
            "VolumeType": wanted.volume_type,
        }
        with explained("create the volume", wanted.name):
            return _volume(self._client.create_volume(**_given(parameters)))

    def modify_volume(self, volume_id: str, changes: dict[str, Any]) -> None:
        """Change size_gib, volume_type, iops, throughput or multi_attach in place."""
        parameters = {_MODIFIABLE[name]: value for name, value in changes.items()}
        self._call("modify_volume", "modify the volume", VolumeId=volume_id, **parameters)

    def attach_volume(self, volume_id: str, instance_id: str, device: str) -> None:
        self._call("attach_volume", f"attach to {instance_id} the volume", VolumeId=volume_id, InstanceId=instance_id, Device=device)

    def detach_volume(self, volume_id: str, instance_id: str | None, force: bool) -> None:
        """force: EC2 takes the volume away although the instance has not released it; unwritten data is lost."""
        parameters = _given({"InstanceId": instance_id, "Force": force or None})
        self._call("detach_volume", "detach the volume", VolumeId=volume_id, **parameters)

    def set_delete_on_termination(self, volume_id: str, attachment: Attachment) -> None:
        mapping = {"DeviceName": attachment.device, "Ebs": {"DeleteOnTermination": attachment.delete_on_termination}}
        with explained("set delete_on_termination of the volume", volume_id):
            self._client.modify_instance_attribute(InstanceId=attachment.instance_id, BlockDeviceMappings=[mapping])

    def create_tags(self, volume_id: str, tags: dict[str, str]) -> None:
        self._call("create_tags", "tag the volume", resource=volume_id, Resources=[volume_id], Tags=tag_list(tags))

    def delete_tags(self, volume_id: str, keys: list[str]) -> None:
        wanted = [{"Key": key} for key in keys]
        self._call("delete_tags", "remove tags of the volume", resource=volume_id, Resources=[volume_id], Tags=wanted)

    def delete_volume(self, volume_id: str) -> None:
        with explained("delete the volume", volume_id):
            self._client.delete_volume(VolumeId=volume_id)

    def _call(self, operation: str, action: str, resource: str | None = None, **parameters: Any) -> None:
        """Call EC2 about a volume that may be so new that EC2 does not know it everywhere yet."""

        def call() -> None:
            with explained(action, resource or parameters["VolumeId"]):
                getattr(self._client, operation)(**parameters)

        until_visible(call, clock=self.clock, sleep=self.sleep)


def _volume(answer: dict[str, Any]) -> Volume:
    tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags") or ()}
    created = answer.get("CreateTime")
    return Volume(
        volume_id=answer["VolumeId"],
        name=tags.get("Name"),
        state=answer["State"],
        size_gib=answer.get("Size"),
        volume_type=answer.get("VolumeType", ""),
        availability_zone=answer.get("AvailabilityZone"),
        iops=answer.get("Iops"),
        throughput=answer.get("Throughput"),
        encrypted=bool(answer.get("Encrypted")),
        kms_key_id=answer.get("KmsKeyId"),
        snapshot_id=answer.get("SnapshotId") or None,
        create_time=created.isoformat() if created else None,
        multi_attach=bool(answer.get("MultiAttachEnabled")),
        initialization_rate=answer.get("VolumeInitializationRate"),
        attachments=tuple(map(_attachment, answer.get("Attachments") or ())),
        tags=tags,
    )


def _attachment(answer: dict[str, Any]) -> Attachment:
    return Attachment(
        instance_id=answer.get("InstanceId"),
        device=answer.get("Device"),
        state=answer.get("State", "attached"),
        delete_on_termination=bool(answer.get("DeleteOnTermination")),
    )


def _instance(answer: dict[str, Any]) -> Instance:
    return Instance(
        instance_id=answer["InstanceId"],
        state=answer["State"]["Name"],
        availability_zone=answer["Placement"]["AvailabilityZone"],
        devices={
            mapping["DeviceName"]: mapping.get("Ebs", {}).get("VolumeId", "unknown") for mapping in answer.get("BlockDeviceMappings") or ()
        },
    )


def _source_snapshot(answer: dict[str, Any]) -> SourceSnapshot:
    return SourceSnapshot(
        snapshot_id=answer["SnapshotId"],
        state=answer["State"],
        size_gib=answer["VolumeSize"],
        encrypted=bool(answer.get("Encrypted")),
        archived=answer.get("StorageTier") == "archive",
    )


def _modification(answer: dict[str, Any]) -> Modification:
    targets = {name: answer.get(f"Target{spelling}") for name, spelling in _MODIFIABLE.items()}
    return Modification(state=answer["ModificationState"], targets=targets)


def _query_filters(query: VolumeQuery) -> dict[str, list[str]]:
    """Return a query as EC2's filters: our values are meant literally, the user's own filters may have wildcards."""
    ours = {
        "status": query.state,
        "availability-zone": query.availability_zone,
        "attachment.instance-id": query.instance_id,
        **{f"tag:{key}": literal(value) for key, value in query.required_tags().items()},
    }
    return {
        **filter_values(query.filters or {}),
        **{name: [value] for name, value in ours.items() if value is not None},
    }


def _filters(filters: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": values} for name, values in filters.items()]


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
