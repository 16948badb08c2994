# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What there is in a region, for those who look for garbage, and its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from .._core import tags as tag
from .._core.build.garbage import VOLUME, RegionFacts
from .._core.ebs.snapshot import Snapshot, bare
from .._core.ebs.volume import Volume, VolumeQuery
from .._core.errors import ExplainedError
from .errors import aws_code
from .snapshots import SnapshotGateway, SnapshotQuery
from .uses import read_sharing, read_uses
from .volumes import VolumeGateway


class GarbageGateway:
    """ec2: a boto3 EC2 client of the region."""

    def __init__(self, ec2: Any) -> None:
        self._snapshots, self._volumes = SnapshotGateway(ec2), VolumeGateway(ec2)
        self.region = self._snapshots.region

    def read(self) -> RegionFacts:
        """Return what there is; who may use the snapshots is left out, as that takes a request for each of them.

        Snapshots come first: what was made from one of them meanwhile is seen, and a snapshot that came later is not looked at.
        """
        snapshots = tuple(self._snapshots.list_snapshots(SnapshotQuery(managed_only=True)))
        volumes = tuple(self._volumes.list_volumes(VolumeQuery()))
        return self._facts(snapshots, volumes, [str(snapshot.snapshot_id) for snapshot in snapshots])

    def read_again(self, kind: str, resource_id: str) -> RegionFacts | None:
        """Return one snapshot or volume as it is now, with all that can refer to it here; None when it is gone."""
        if kind == VOLUME:
            volumes = tuple(self._volumes.list_volumes(VolumeQuery(volume_ids=[resource_id])))
            return RegionFacts(self.region, volumes=volumes) if volumes else None
        found = list(self._snapshots.list_snapshots(SnapshotQuery(snapshot_ids=(resource_id,))))
        if not found:
            return None
        related = {str(one.snapshot_id): one for one in (*found, *self._twins_and_children(found[0].fingerprint))}
        volumes = tuple(self._volumes.list_volumes(VolumeQuery(filters={"snapshot-id": resource_id})))
        facts = self._facts(tuple(related.values()), volumes, [resource_id])
        return dataclasses.replace(facts, shared_with=self.shared_with([resource_id]))

    def copies_in_progress(self, region: str, snapshot_id: str) -> RegionFacts:
        """Return the copies of another region's snapshot that are being made here."""
        source = {tag.key(tag.COPIED_FROM): f"{region}/{snapshot_id}"}
        query = SnapshotQuery(tags=source, filters={"status": ["pending"]}, managed_only=True)
        return RegionFacts(self.region, tuple(self._snapshots.list_snapshots(query)))

    def shared_with(self, snapshot_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return who may use each of the snapshots."""
        return read_sharing(self._snapshots, snapshot_ids)

    def delete(self, kind: str, resource_id: str) -> None:
        """Delete a snapshot or a volume; one that is gone already is a success."""
        try:
            (self._volumes.delete_volume if kind == VOLUME else self._snapshots.delete_snapshot)(resource_id)
        except ExplainedError as error:
            if aws_code(error) != "InvalidVolume.NotFound" and not self._is_gone(kind, resource_id):
                raise

    def _is_gone(self, kind: str, resource_id: str) -> bool:
        """Say whether somebody else has deleted it meanwhile; a volume that is being deleted is refused like one that is in use."""
        query = VolumeQuery(volume_ids=[resource_id])
        return kind == VOLUME and not list(self._volumes.list_volumes(query))

    def _facts(self, snapshots: tuple[Snapshot, ...], volumes: tuple[Volume, ...], ids: list[str]) -> RegionFacts:
        uses = read_uses(self._snapshots, ids)
        return RegionFacts(self.region, snapshots, volumes, **{field.name: getattr(uses, field.name) for field in dataclasses.fields(uses)})

    def _twins_and_children(self, fingerprint: str | None) -> Iterable[Snapshot]:
        """Return our snapshots with the same software, and those that were built on it."""
        if fingerprint is None:
            return []
        spellings = [fingerprint, bare(fingerprint)]
        children = SnapshotQuery(filters={f"tag:{tag.key(tag.PARENT)}": spellings}, managed_only=True)
        twins = self._snapshots.find_by_fingerprint(fingerprint, SnapshotQuery(managed_only=True))
        return [*twins, *self._snapshots.list_snapshots(children)]
