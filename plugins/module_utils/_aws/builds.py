# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS knows of a build in progress: the tags of its volume, and whether its host is alive."""

from __future__ import annotations

from typing import Any

from .._core.build.marks import build_filters
from .errors import explained

ENDED_STATES = ("shutting-down", "terminated")


class BuildGateway:
    """ec2: a boto3 EC2 client."""

    def __init__(self, ec2):
        self._ec2 = ec2

    def volume_tags(self, volume_id: str) -> dict[str, str] | None:
        """Return the tags of a volume, or None when there is no such volume any more."""
        with explained("read the tags of the volume", resource=volume_id):
            # A filter, not an id: an unknown id is an error, an unmatched filter is an empty answer.
            found = self._ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume_id]}])["Volumes"]
        return _tags(found[0]) if found else None

    def tag(self, resource_id: str, tags: dict[str, str]) -> None:
        with explained("tag the resource", resource=resource_id):
            self._ec2.create_tags(Resources=[resource_id], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    def untag(self, resource_id: str, key: str) -> None:
        with explained("remove a tag of the resource", resource=resource_id):
            self._ec2.delete_tags(Resources=[resource_id], Tags=[{"Key": key}])

    def has_ended(self, instance_id: str) -> bool:
        """Say whether an instance is gone, or about to be."""
        with explained("read the state of the instance", resource=instance_id):
            reservations = self._ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])["Reservations"]
        states = [instance["State"]["Name"] for reservation in reservations for instance in reservation["Instances"]]
        return all(state in ENDED_STATES for state in states)

    def find_builds(self, build_ids: list[str] | None = None) -> tuple[list[dict], list[dict], list[dict]]:
        """Return the volumes, instances and snapshots of builds: each with id, state, created (seconds since the epoch) and tags.

        Volumes have a size_gib too, instances a type, snapshots a progress. Instances that have ended are left out.
        build_ids: None for all builds.
        """
        filters = [{"Name": name, "Values": _listed(value)} for name, value in build_filters(build_ids or "*").items()]
        with explained("list the resources of builds", resource=", ".join(build_ids or ["all"])):
            volumes = self._pages("describe_volumes", "Volumes", filters)
            reservations = self._pages("describe_instances", "Reservations", filters)
            snapshots = self._pages("describe_snapshots", "Snapshots", filters, OwnerIds=["self"])
        instances = [instance for reservation in reservations for instance in reservation["Instances"]]
        return (
            [
                {**_resource(volume, volume["VolumeId"], volume["State"], volume["CreateTime"]), "size_gib": volume["Size"]}
                for volume in volumes
            ],
            [
                {**_resource(host, host["InstanceId"], host["State"]["Name"], host["LaunchTime"]), "type": host["InstanceType"]}
                for host in instances
                if host["State"]["Name"] not in ENDED_STATES
            ],
            [
                {**_resource(one, one["SnapshotId"], one["State"], one["StartTime"]), "progress": one.get("Progress", "")}
                for one in snapshots
            ],
        )

    def _pages(self, action: str, key: str, filters: list[dict], **more: Any) -> list[dict]:
        pages = self._ec2.get_paginator(action).paginate(Filters=filters, **more)
        return [item for page in pages for item in page[key]]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _resource(found: dict, resource_id: str, state: str, created: Any) -> dict:
    return {"id": resource_id, "state": state, "created": int(created.timestamp()), "tags": _tags(found)}


def _tags(found: dict) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
