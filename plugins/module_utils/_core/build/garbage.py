# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which software snapshots and build volumes nobody needs any more: those that nothing alive refers to, directly or through others."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .. import tags as tag
from ..ebs.holds import Uses, age_days, holds_of, reasons, retired_days, volume_holds_of
from ..ebs.snapshot import Snapshot, bare
from ..ebs.volume import Volume
from ..errors import ExplainedError
from ..registry.entries import RegisteredSnapshot
from .lease import parse_lease

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


def look_again(key: str, things: Iterable[Thing], needs: Iterable[Need], going: Iterable[str], min_age_days: float) -> tuple[str, ...]:
    """Return why a thing that was found to be garbage stays after all; empty when it is to be deleted now.

    things, needs: the thing and all that refers to it, as they are at this moment. going: the keys of all that this run deletes,
    what it has deleted included: none of that needs anything. What else refers to the thing is there, so it is alive.
    """
    thing = next((one for one in things if one.key == key), None)
    if thing is None or not thing.collectable:
        return ("its tags do not say any more that a build of ours made it",)
    condemned = set(going)
    return (
        *_own_reasons(thing, min_age_days),
        *sorted({need.why for need in needs if need.needed == key and need.holder not in condemned}),
    )


def in_waves(keys: Iterable[str], needs: Iterable[Need]) -> list[list[str]]:
    """Return the keys in an order in which they can be deleted: in each wave, nothing that a later one needs. A circle is one wave."""
    left = list(keys)
    known = set(left)
    holders: dict[str, set[str]] = defaultdict(set)
    for need in needs:
        if need.holder in known and need.holder != need.needed:
            holders[need.needed].add(need.holder)
    waves = []
    while left:
        wave = [key for key in left if not holders[key] & known] or left
        waves.append(wave)
        known -= set(wave)
        left = [key for key in left if key in known]
    return waves


# Of a few, most may be garbage. Of many, so much at once is a mistake: a registry that is not named, or has lost something.
MOST_AT_ONCE, MOST_OF_ALL = 20, 0.25


def refuse_too_many(going: int, looked_at: int, max_delete: int | None) -> None:
    """Refuse to delete more than a usual run does, or than max_delete says."""
    most = max(MOST_AT_ONCE, int(looked_at * MOST_OF_ALL)) if max_delete is None else max_delete
    if going > most:
        raise ExplainedError(
            f"{going} of {looked_at} snapshots and volumes would be deleted; at most {most} may be in one run. Nothing was deleted.",
            next_step=f"Look at the list, and whether all registries are named. If all of it is to go, say max_delete: {going}.",
        )


@dataclasses.dataclass(frozen=True)
class RegionFacts(Uses):
    """What there is in one region, and who uses the snapshots.

    snapshots: our own. volumes: all of the account.
    """

    region: str
    snapshots: tuple[Snapshot, ...] = ()
    volumes: tuple[Volume, ...] = ()


class _Claims:
    """What registries claim, and how much of it holds: a registry alone retires nothing, and an id that it names need not exist."""

    def __init__(self, registered: Iterable[tuple[str, RegisteredSnapshot]], min_age_days: float, now: datetime.datetime) -> None:
        self.min_age_days, self.now = min_age_days, now
        self.by_key: dict[tuple[str, str], list[tuple[str, RegisteredSnapshot]]] = defaultdict(list)
        self.by_fingerprint: dict[str, list[tuple[str, RegisteredSnapshot]]] = defaultdict(list)
        for place, one in registered:
            self.by_key[one.key].append((place, one))
            if one.fingerprint:
                self.by_fingerprint[bare(one.fingerprint)].append((place, one))

    def retired(self, snapshot: Snapshot) -> bool:
        """Say whether the snapshot's own tag has said for long enough that it is retired."""
        days = retired_days(snapshot, self.now)
        return days is not None and days >= self.min_age_days

    def needs(self, snapshot: Snapshot, facts: RegionFacts) -> Iterable[Need]:
        """Yield what registries need a snapshot for."""
        own, key = (facts.region, str(snapshot.snapshot_id)), key_of(SNAPSHOT, facts.region, snapshot.snapshot_id)
        for place, one in self._in_force(self.by_key[own], snapshot):
            not_long = f"has retired it, but its own tag {tag.key(tag.RETIRED)} has not said so for {self.min_age_days:g} days"
            yield Need(f"registry {place}", key, f"registry {place} {not_long if one.retired else 'names it'}")
        alike = self._in_force(self.by_fingerprint[bare(snapshot.fingerprint)], snapshot) if snapshot.fingerprint else []
        if alike and not any(one.key == own for _place, one in alike) and not self._has_stand_in(snapshot, facts):
            yield Need(f"registry {alike[0][0]}", key, f"registry {alike[0][0]} names its fingerprint, and no other snapshot of it here")

    def _in_force(self, claims: list[tuple[str, RegisteredSnapshot]], snapshot: Snapshot) -> list[tuple[str, RegisteredSnapshot]]:
        return [(place, one) for place, one in claims if not (one.retired and self.retired(snapshot))]

    def _has_stand_in(self, snapshot: Snapshot, facts: RegionFacts) -> bool:
        """Say whether another snapshot of ours here holds the same, is complete, and stays because a registry names it."""
        return any(
            one.snapshot_id != snapshot.snapshot_id
            and one.state == "completed"
            and one.fingerprint == snapshot.fingerprint
            and self._in_force(self.by_key[(facts.region, str(one.snapshot_id))], one)
            for one in facts.snapshots
            if tag.ours(one.tags)
        )


def software_graph(
    regions: Iterable[RegionFacts], registered: Iterable[tuple[str, RegisteredSnapshot]], min_age_days: float, now: datetime.datetime
) -> tuple[list[Thing], list[Need]]:
    """Return the graph of all software snapshots and build volumes, and of what needs them.

    registered: pairs of registry and snapshot. A retired one is needed until the snapshot's own tag, too, has said so for min_age_days:
    those who use it elsewhere are not seen. now: with time zone.
    """
    claims = _Claims(registered, min_age_days, now)
    things, needs = [], []
    for facts in regions:
        for snapshot in facts.snapshots:
            things.append(_snapshot_thing(snapshot, facts, claims))
            needs += claims.needs(snapshot, facts)
            needs += _needs_of_snapshot(snapshot, facts)
        for volume in facts.volumes:
            things.append(_volume_thing(volume, facts.region, now))
            needs += _needs_of_volume(volume, facts.region)
    return things, needs


def key_of(kind: str, region: str, resource_id: str | None) -> str:
    return f"{kind} {region}/{resource_id}"


def _snapshot_thing(snapshot: Snapshot, facts: RegionFacts, claims: _Claims) -> Thing:
    return Thing(
        key_of(SNAPSHOT, facts.region, snapshot.snapshot_id),
        # Other snapshots of ours hold users' data; ebs_snapshot_retention has rules for them.
        collectable=tag.ours(snapshot.tags) and snapshot.fingerprint is not None,
        alive=tuple(reasons(holds_of(snapshot, facts, retired=claims.retired(snapshot)))),
        age_days=age_days(snapshot.start_time, claims.now) if snapshot.start_time else None,
    )


def _needs_of_snapshot(snapshot: Snapshot, facts: RegionFacts) -> Iterable[Need]:
    """Yield what a snapshot needs itself: those with the software that it was built on, and what it is being copied from."""
    key, parent = key_of(SNAPSHOT, facts.region, snapshot.snapshot_id), tag.read(snapshot.tags, tag.PARENT)
    for one in facts.snapshots if parent else ():
        if one.fingerprint and bare(one.fingerprint) == bare(parent) and one.snapshot_id != snapshot.snapshot_id:
            yield Need(key, key_of(SNAPSHOT, facts.region, one.snapshot_id), f"snapshot {snapshot.snapshot_id} was built on it")
    source = tag.read(snapshot.tags, tag.COPIED_FROM)
    if source and snapshot.state == "pending":
        yield Need(key, f"{SNAPSHOT} {source}", f"it is being copied to {facts.region} ({snapshot.snapshot_id})")


def _volume_thing(volume: Volume, region: str, now: datetime.datetime) -> Thing:
    lease = parse_lease(tag.read(volume.tags, tag.LEASE))
    building = [f"{lease.holder} is building on it"] if lease is not None and lease.expires > now.timestamp() else []
    return Thing(
        key_of(VOLUME, region, volume.volume_id),
        collectable=tag.ours(volume.tags) and all(tag.read(volume.tags, name) for name in (tag.BUILD_ID, tag.FINGERPRINT)),
        alive=(*reasons(volume_holds_of(volume)), *building),
        age_days=age_days(volume.create_time, now) if volume.create_time else None,
    )


def _needs_of_volume(volume: Volume, region: str) -> Iterable[Need]:
    if volume.snapshot_id:
        cluster = volume.tags.get(CLUSTER_NAME)
        of_cluster = f" of cluster {cluster}" if cluster else ""
        why = f"volume {volume.volume_id}{of_cluster} was made from it"
        yield Need(key_of(VOLUME, region, volume.volume_id), key_of(SNAPSHOT, region, volume.snapshot_id), why)


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
