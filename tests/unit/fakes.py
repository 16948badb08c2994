"""Gateways that keep everything in memory, for tests of modules."""

from __future__ import annotations

import dataclasses

from plugins.module_utils._aws.snapshots import SnapshotQuery
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.snapshot import Snapshot
from plugins.module_utils._core.tags import ours


class FakeSnapshotGateway:
    """Snapshots in memory: a new one is pending, and completed once somebody waits for it.

    calls: the names of the calls that change something, in order.
    """

    def __init__(self, snapshots=(), volumes=(), images=None, region="us-east-1", account="123456789012"):
        self.region, self.account = region, account
        self.snapshots = {snapshot.snapshot_id: snapshot for snapshot in snapshots}
        self.volumes = {volume.volume_id: volume for volume in volumes}
        self.images = images or {}
        self.sharing = {}
        self.calls = []

    def list_snapshots(self, query):
        for snapshot in self.snapshots.values():
            if (
                ("self" not in query.owners or snapshot.owner_id == self.account)
                and (not query.snapshot_ids or snapshot.snapshot_id in query.snapshot_ids)
                and query.volume_id in (None, snapshot.volume_id)
                and query.name in (None, snapshot.name)
                and query.tags.items() <= snapshot.tags.items()
                and (not query.managed_only or ours(snapshot.tags))
            ):
                yield snapshot

    def find_by_fingerprint(self, fingerprint, query=None):
        return [found for found in self.list_snapshots(query or SnapshotQuery()) if found.fingerprint == fingerprint]

    def find_alike(self, request):
        if request.snapshot_id:
            return list(self.list_snapshots(SnapshotQuery(snapshot_ids=(request.snapshot_id,))))
        if request.fingerprint:
            return self.find_by_fingerprint(request.fingerprint)
        return list(self.list_snapshots(SnapshotQuery(name=request.name)))

    def find_visible(self, snapshot_ids):
        return {snapshot_id: self.snapshots[snapshot_id] for snapshot_id in snapshot_ids if snapshot_id in self.snapshots}

    def get_snapshot(self, snapshot_id):
        return self.snapshots[snapshot_id]

    def get_volume(self, volume_id):
        if volume_id not in self.volumes:
            raise ExplainedError(f"Volume {volume_id} does not exist.", resource=volume_id)
        return self.volumes[volume_id]

    def create_snapshot(self, volume_id, description, tags, find_made):
        self.calls.append("create_snapshot")
        number = len(self.snapshots) + 1
        made = Snapshot(
            snapshot_id=f"snap-{number:017x}",
            state="pending",
            volume_id=volume_id,
            volume_size_gib=self.volumes[volume_id].size_gib,
            owner_id=self.account,
            start_time=f"2026-11-22T12:{number:02d}:00+00:00",
            description=description,
            tags=dict(tags),
        )
        self.snapshots[made.snapshot_id] = made
        return made

    def wait_until_completed(self, snapshot_id, time_limit):
        self.snapshots[snapshot_id] = dataclasses.replace(self.snapshots[snapshot_id], state="completed", progress="100%")
        return self.snapshots[snapshot_id]

    def tag_snapshot(self, snapshot_id, tags):
        self.calls.append("tag_snapshot")
        found = self.snapshots[snapshot_id]
        self.snapshots[snapshot_id] = dataclasses.replace(found, tags={**found.tags, **tags})

    def delete_snapshot(self, snapshot_id):
        self.calls.append("delete_snapshot")
        del self.snapshots[snapshot_id]

    def images_made_from(self, snapshot_id):
        return self.images.get(snapshot_id, [])

    def shared_with(self, snapshot_id):
        return self.sharing.get(snapshot_id, [])

    def own_account(self):
        return self.account
