# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What there is in a region, for those who look for garbage, and its end."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import ExplainedError
from .._core.garbage import VOLUME, RegionFacts
from .._core.volume import VolumeQuery
from .errors import aws_code, explained
from .snapshots import SnapshotGateway, SnapshotQuery
from .volumes import VolumeGateway

# More requests at once only meet EC2's request limits.
REQUESTS_AT_ONCE = 8


class GarbageGateway:
    """ec2: a boto3 EC2 client of the region."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2
        self._snapshots, self._volumes = SnapshotGateway(ec2), VolumeGateway(ec2)
        self.region = self._snapshots.region

    def read(self) -> RegionFacts:
        """Return what there is; who may use the snapshots is left out, as that takes a request for each of them.

        Snapshots come first: what was made from one of them meanwhile is seen, and a snapshot that came later is not looked at.
        """
        snapshots = tuple(self._snapshots.list_snapshots(SnapshotQuery(managed_only=True)))
        ids = [str(snapshot.snapshot_id) for snapshot in snapshots]
        return RegionFacts(
            self.region,
            snapshots,
            volumes=tuple(self._volumes.list_volumes(VolumeQuery())),
            images=self._snapshots.images_needing(ids),
            templates=self._templates_naming(set(ids)),
            locked=frozenset(self._snapshots.features.locks_of(None)),
            fast_restored=frozenset(self._snapshots.features.fast_restores(None)),
        )

    def shared_with(self, snapshot_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return who may use each of the snapshots."""
        ids = list(snapshot_ids)
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            return dict(zip(ids, pool.map(self._snapshots.shared_with, ids), strict=True))

    def delete(self, kind: str, resource_id: str) -> None:
        """Delete a snapshot or a volume; one that is gone already is a success."""
        try:
            (self._volumes.delete_volume if kind == VOLUME else self._snapshots.delete_snapshot)(resource_id)
        except ExplainedError as error:
            if aws_code(error) != "InvalidVolume.NotFound":
                raise

    def _templates_naming(self, snapshot_ids: set[str]) -> dict[str, list[str]]:
        """Return the launch templates that name one of the snapshots in any of their versions, by snapshot."""
        found: dict[str, set[str]] = {}
        with explained("read the launch templates"):
            pages = self._ec2.get_paginator("describe_launch_templates").paginate()
            templates = [template["LaunchTemplateId"] for page in pages for template in page["LaunchTemplates"]]
        for template in templates:
            with explained("read the versions of launch template", resource=template):
                pages = self._ec2.get_paginator("describe_launch_template_versions").paginate(LaunchTemplateId=template)
                versions = [version["LaunchTemplateData"] for page in pages for version in page["LaunchTemplateVersions"]]
            devices = [device for version in versions for device in version.get("BlockDeviceMappings") or ()]
            for named in {device.get("Ebs", {}).get("SnapshotId") for device in devices} & snapshot_ids:
                found.setdefault(named, set()).add(template)
        return {snapshot_id: sorted(names) for snapshot_id, names in found.items()}
