# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS knows of a build in progress: the tags of its volume."""

from __future__ import annotations

from .errors import explained


class BuildGateway:
    """ec2: a boto3 EC2 client."""

    def __init__(self, ec2):
        self._ec2 = ec2

    def volume_tags(self, volume_id: str) -> dict[str, str] | None:
        """Return the tags of a volume, or None when there is no such volume any more."""
        with explained("read the tags of the volume", resource=volume_id):
            # A filter, not an id: an unknown id is an error, an unmatched filter is an empty answer.
            found = self._ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume_id]}])["Volumes"]
        return {tag["Key"]: tag["Value"] for tag in found[0].get("Tags", [])} if found else None

    def tag(self, resource_id: str, tags: dict[str, str]) -> None:
        with explained("tag the resource", resource=resource_id):
            self._ec2.create_tags(Resources=[resource_id], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    def untag(self, resource_id: str, key: str) -> None:
        with explained("remove a tag of the resource", resource=resource_id):
            self._ec2.delete_tags(Resources=[resource_id], Tags=[{"Key": key}])
