# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which software snapshots and build volumes nobody needs any more: those that nothing alive refers to, directly or through others."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from . import tags as tag
from .build import parse_lease
from .registry import RegisteredSnapshot
from .snapshot import Snapshot
from .volume import Volume

SNAPSHOT, VOLUME = "snapshot", "volume"
# How ParallelCluster tags the volumes of a cluster.
CLUSTER_NAME = "parallelcluster:cluster-name"


@dataclasses.dataclass(frozen=True)
class Thing:
    """A node of the graph: something that may need others, and may itself be garbage.

    collectable: whether it may be deleted at all; everything else is alive.
    alive: why it stays, whoever refers to it. age_days: None is unknown, and stays.
    """

    key: str
    collectable: bool = False
    alive: tuple[str, ...] = ()
    age_days: float | None = None


@dataclasses.dataclass(frozen=True)
class Need:
    """One thing needs another one: it stays as long as its holder does. why: as words that follow "it stays because"."""

    holder: str
    needed: str
    why: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """reasons: why the thing stays, or why it goes."""

    key: str
    keep: bool
    reasons: tuple[str, ...]


def decide_garbage(things: Iterable[Thing], needs: Iterable[Need], min_age_days: float) -> list[Verdict]:
    """Decide about each collectable thing, in the order given.

    A thing goes when it is older than min_age_days, nothing keeps it alive, and no path of needs leads to it from something that stays.
    A holder that is not among the things is alive: what we do not know might be in use.
    """
    things, needs = list(things), list(needs)
    known = {thing.key for thing in things}
    own = {thing.key: _own_reasons(thing, min_age_days) for thing in things if thing.collectable}
    by_holder: dict[str, list[Need]] = defaultdict(list)
    for need in needs:
        by_holder[need.holder].append(need)
    staying = [thing.key for thing in things if not thing.collectable or own[thing.key]] + [key for key in by_holder if key not in known]
    reached, reasons = set(staying), defaultdict(list)
    while staying:
        for need in by_holder[staying.pop()]:
            reasons[need.needed].append(need.why)
            if need.needed not in reached:
                reached.add(need.needed)
                staying.append(need.needed)
    return [
        Verdict(thing.key, True, (*own[thing.key], *sorted(set(reasons[thing.key]))))
        if thing.key in reached
        else Verdict(thing.key, False, (f"{thing.age_days:.0f} days old, and nothing needs it",))
        for thing in things
        if thing.collectable
    ]


def _own_reasons(thing: Thing, min_age_days: float) -> tuple[str, ...]:
    if thing.age_days is None:
        return (*thing.alive, "nobody knows how old it is")
    if thing.age_days < min_age_days:
        return (*thing.alive, f"it is {thing.age_days:.0f} days old, less than {min_age_days:g}")
    return thing.alive


@dataclasses.dataclass(frozen=True)
class RegionFacts:
    """What there is in one region.

    snapshots: our own. volumes: all of the account. images, templates: those that need a snapshot, by its id, whoever made them.
    locked, fast_restored: ids of snapshots. shared_with: accounts by snapshot id, as far as anybody has asked.
    """

    region: str
    snapshots: tuple[Snapshot, ...] = ()
    volumes: tuple[Volume, ...] = ()
    images: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    templates: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    fast_restored: frozenset[str] = frozenset()
    shared_with: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)


def software_graph(
    regions: Iterable[RegionFacts], registered: Iterable[tuple[str, RegisteredSnapshot]], min_age_days: float, now: datetime.datetime
) -> tuple[list[Thing], list[Need]]:
    """Return the graph of all software snapshots and build volumes, and of what needs them.

    registered: pairs of registry and snapshot. A retired one is needed for another min_age_days: those who use it elsewhere are not seen.
    now: with time zone.
    """
    regions = list(regions)
    in_use, retired = _registered(registered, min_age_days, now)
    things, needs = [], []
    for facts in regions:
        for snapshot in facts.snapshots:
            things.append(_snapshot_thing(snapshot, facts, retired, now))
            needs += _needs_of_snapshot(snapshot, facts, in_use)
        for volume in facts.volumes:
            things.append(_volume_thing(volume, facts.region, now))
            needs += _needs_of_volume(volume, facts.region)
    return things, needs


def key_of(kind: str, region: str, resource_id: str | None) -> str:
    return f"{kind} {region}/{resource_id}"


def _registered(
    registered: Iterable[tuple[str, RegisteredSnapshot]], min_age_days: float, now: datetime.datetime
) -> tuple[list[tuple[str, RegisteredSnapshot]], set[tuple[str, str]]]:
    """Return the registered snapshots that are in use, and the keys of those that nobody has been told about for long enough."""
    in_use, retired = [], set()
    for place, one in registered:
        if one.retired and _age_days(one.retired, now) >= min_age_days:
            retired.add(one.key)
        else:
            in_use.append((place, one))
    return in_use, retired - {one.key for _place, one in in_use}


def _snapshot_thing(snapshot: Snapshot, facts: RegionFacts, retired: set[tuple[str, str]], now: datetime.datetime) -> Thing:
    snapshot_id = str(snapshot.snapshot_id)
    shared = sorted(facts.shared_with.get(snapshot_id, ()))
    alive = {
        f"the tag {tag.key(tag.PROTECTED)}": tag.read(snapshot.tags, tag.PROTECTED) == "true",
        "it is locked": snapshot_id in facts.locked,
        "it is enabled for fast restore": snapshot_id in facts.fast_restored,
        f"it is {snapshot.state}": snapshot.state not in ("completed", "error"),
        # Who uses it there is not seen here. Once it has been retired for a while, they have had time to go.
        f"{', '.join(shared)} may use it, and it is not retired": bool(shared) and (facts.region, snapshot_id) not in retired,
    }
    return Thing(
        key_of(SNAPSHOT, facts.region, snapshot_id),
        # Other snapshots of ours hold users' data; ebs_snapshot_retention has rules for them.
        collectable=tag.ours(snapshot.tags) and snapshot.fingerprint is not None,
        alive=tuple(reason for reason, holds in alive.items() if holds),
        age_days=_age_days(snapshot.start_time, now) if snapshot.start_time else None,
    )


def _needs_of_snapshot(snapshot: Snapshot, facts: RegionFacts, in_use: list[tuple[str, RegisteredSnapshot]]) -> Iterable[Need]:
    """Yield what needs a snapshot, beside volumes, and what it needs itself."""
    key, snapshot_id = key_of(SNAPSHOT, facts.region, snapshot.snapshot_id), str(snapshot.snapshot_id)
    alike = [(place, one) for place, one in in_use if one.fingerprint and one.fingerprint == snapshot.fingerprint]
    for place, one in in_use:
        if one.key == (facts.region, snapshot_id):
            yield Need(f"registry {place}", key, f"registry {place} names it")
    if alike and not any(one.region == facts.region for _place, one in alike):
        yield Need(f"registry {alike[0][0]}", key, f"registry {alike[0][0]} names its fingerprint, and no other snapshot of it here")
    for image in sorted(facts.images.get(snapshot_id, ())):
        yield Need(f"image {image}", key, f"image {image} needs it")
    for template in sorted(facts.templates.get(snapshot_id, ())):
        yield Need(f"launch template {template}", key, f"launch template {template} names it")
    parent = tag.read(snapshot.tags, tag.PARENT)
    if parent:
        yield Need(key, key_of(SNAPSHOT, facts.region, parent), f"snapshot {snapshot_id} was built on it")
    source = tag.read(snapshot.tags, tag.COPIED_FROM)
    if source and snapshot.state == "pending":
        yield Need(key, f"{SNAPSHOT} {source}", f"it is being copied to {facts.region} ({snapshot_id})")


def _volume_thing(volume: Volume, region: str, now: datetime.datetime) -> Thing:
    lease = parse_lease(tag.read(volume.tags, tag.LEASE))
    alive = {
        f"the tag {tag.key(tag.PROTECTED)}": volume.protected,
        f"attached to {', '.join(str(one.instance_id) for one in volume.holders)}": bool(volume.holders),
        f"it is {volume.state}": volume.state not in ("available", "error"),
        f"{lease.holder if lease else ''} is building on it": lease is not None and lease.expires > now.timestamp(),
    }
    return Thing(
        key_of(VOLUME, region, volume.volume_id),
        collectable=tag.ours(volume.tags) and all(tag.read(volume.tags, name) for name in (tag.BUILD_ID, tag.FINGERPRINT)),
        alive=tuple(reason for reason, holds in alive.items() if holds),
        age_days=_age_days(volume.create_time, now) if volume.create_time else None,
    )


def _needs_of_volume(volume: Volume, region: str) -> Iterable[Need]:
    if volume.snapshot_id:
        cluster = volume.tags.get(CLUSTER_NAME)
        of_cluster = f" of cluster {cluster}" if cluster else ""
        why = f"volume {volume.volume_id}{of_cluster} was made from it"
        yield Need(key_of(VOLUME, region, volume.volume_id), key_of(SNAPSHOT, region, volume.snapshot_id), why)


def _age_days(moment: str, now: datetime.datetime) -> float:
    """moment: ISO 8601; a date without a time is its beginning in UTC."""
    then = datetime.datetime.fromisoformat(moment)
    then = then if then.tzinfo else then.replace(tzinfo=datetime.UTC)
    return (now - then).total_seconds() / 86400


def collectables(regions: Iterable[RegionFacts]) -> dict[str, dict[str, Any]]:
    """Return what a user wants to know of each snapshot and volume, by its key."""
    found: dict[str, dict[str, Any]] = {}
    for facts in regions:
        for one in facts.snapshots:
            found[key_of(SNAPSHOT, facts.region, one.snapshot_id)] = _described(
                SNAPSHOT, facts.region, one.snapshot_id, one.name, one.volume_size_gib, one.tags
            )
        for volume in facts.volumes:
            found[key_of(VOLUME, facts.region, volume.volume_id)] = _described(
                VOLUME, facts.region, volume.volume_id, volume.name, volume.size_gib, volume.tags
            )
    return found


def _described(
    kind: str, region: str, resource_id: str | None, name: str | None, size_gib: int | None, tags: Mapping[str, str]
) -> dict[str, Any]:
    fingerprint = tag.read(dict(tags), tag.FINGERPRINT)
    return {"kind": kind, "region": region, "id": resource_id, "name": name, "size_gib": size_gib, "fingerprint": fingerprint}
