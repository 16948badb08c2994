# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which launch templates name snapshots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.errors import ExplainedError
from .errors import aws_code, explained


class LaunchTemplates:
    """ec2: a boto3 EC2 client. A version never changes, so only those of new and changed templates are read when asked again."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2
        # By template and its newest version.
        self._named: dict[tuple[str, int], frozenset[str]] = {}

    def naming(self, snapshot_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return the launch templates that name one of the snapshots in any of their versions, by snapshot."""
        ids, found = set(snapshot_ids), {}
        if not ids:
            return {}
        with explained("read the launch templates"):
            pages = self._ec2.get_paginator("describe_launch_templates").paginate()
            templates = [(one["LaunchTemplateId"], one.get("LatestVersionNumber", 0)) for page in pages for one in page["LaunchTemplates"]]
        for template in templates:
            if template not in self._named:
                self._named[template] = self._snapshots_of(template[0])
            for snapshot_id in self._named[template] & ids:
                found.setdefault(snapshot_id, set()).add(template[0])
        return {snapshot_id: sorted(names) for snapshot_id, names in found.items()}

    def _snapshots_of(self, template: str) -> frozenset[str]:
        try:
            with explained("read the versions of launch template", resource=template):
                pages = self._ec2.get_paginator("describe_launch_template_versions").paginate(LaunchTemplateId=template)
                versions = [version["LaunchTemplateData"] for page in pages for version in page["LaunchTemplateVersions"]]
        except ExplainedError as error:
            if not str(aws_code(error)).startswith("InvalidLaunchTemplateId.NotFound"):
                raise
            # Somebody has deleted it meanwhile.
            return frozenset()
        devices = [device for version in versions for device in version.get("BlockDeviceMappings") or ()]
        return frozenset(device.get("Ebs", {}).get("SnapshotId") for device in devices) - {None}
