# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The snapshot of a volume that is about to be deleted."""

from __future__ import annotations

from .._core import tags as tag_keys
from .._core.ebs.snapshot import CLEAN, CRASH, Snapshot
from .._core.ebs.volume import Volume, final_snapshot_tags
from .snapshot_making import SnapshotMaker, SnapshotQuery


def begin_last_snapshot(snapshots: SnapshotMaker, volume: Volume) -> Snapshot:
    """Begin a last snapshot, or return the one that a former run began and that is still pending.

    One that is complete is not taken for the last: the volume may have been attached and written since, and EC2 does not say when
    a volume was last attached. A run that is killed between the two therefore leaves one snapshot more, which stores no block twice.
    """
    query = SnapshotQuery(volume_id=volume.volume_id, tags={tag_keys.key(tag_keys.FINAL_OF): volume.volume_id})
    former = list(snapshots.list_snapshots(query))
    known = {snapshot.snapshot_id for snapshot in former}
    begun = next((snapshot for snapshot in former if snapshot.state == "pending"), None)
    if begun is not None:
        return begun

    def made() -> list[Snapshot]:
        return [snapshot for snapshot in snapshots.list_snapshots(query) if snapshot.snapshot_id not in known]

    description = f"Last snapshot of {volume.volume_id} before it was deleted"
    return snapshots.create_snapshot(volume.volume_id, description, final_snapshot_tags(volume, CRASH if volume.holders else CLEAN), made)
