"""Snapshots that outlive a lab: kept in a folder when it stops, there again when the next one starts.

Keys end with their lab: an encrypted snapshot comes back under the new lab's default key.
`<store>/<snapshot id>.json` says what a snapshot is, `<snapshot id>.img` holds its bytes.
"""

from __future__ import annotations

import datetime
import json
import pathlib

from moto.ec2.models import ec2_backends

from tests.lab.data_plane import image_of
from tests.lab.devices import run


def keep(state_dir: pathlib.Path, store: pathlib.Path) -> None:
    """Write every completed snapshot of every account and region to the store, and drop from it those that are gone."""
    store.mkdir(parents=True, exist_ok=True)
    snapshots = {
        snapshot.id: (account, region, snapshot)
        for account, regions in ec2_backends.items()
        for region, backend in regions.items()
        for snapshot in backend.snapshots.values()
        if snapshot.status == "completed"
    }
    for path in store.glob("snap-*"):
        if path.stem not in snapshots:
            path.unlink()
    for snapshot_id, (account, region, snapshot) in snapshots.items():
        image = image_of(state_dir, snapshot_id)
        if image.exists():
            _copy(image, store / image.name)
        record = {
            "account": account,
            "region": region,
            "size": snapshot.volume_size,
            "volume_id": snapshot.volume_id,
            "description": snapshot.description,
            "encrypted": snapshot.encrypted,
            "start_time": snapshot.start_time.isoformat(),
            "tags": {tag["key"]: tag["value"] for tag in snapshot.get_tags()},
        }
        # The record last: a snapshot without one is not there.
        (store / f"{snapshot_id}.json").write_text(json.dumps(record, indent=2) + "\n")


def restore(store: pathlib.Path, state_dir: pathlib.Path) -> None:
    """Put the snapshots of the store into moto, under their own ids."""
    for path in sorted(store.glob("snap-*.json")):
        record = json.loads(path.read_text())
        backend = ec2_backends[record["account"]][record["region"]]
        volume = backend.create_volume(size=record["size"], zone_name=f"{record['region']}a", encrypted=record["encrypted"])
        snapshot = backend.create_snapshot(volume.id, record["description"])
        backend.delete_volume(volume.id)
        del backend.snapshots[snapshot.id]
        image_of(state_dir, snapshot.id).unlink(missing_ok=True)
        snapshot.id = path.stem
        snapshot.volume.id = record["volume_id"]
        snapshot.start_time = datetime.datetime.fromisoformat(record["start_time"])
        snapshot.add_tags(record["tags"])
        backend.snapshots[snapshot.id] = snapshot
        image = path.with_suffix(".img")
        if image.exists():
            _copy(image, image_of(state_dir, snapshot.id))


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    run("cp", "--reflink=auto", "--sparse=always", str(source), str(target))
