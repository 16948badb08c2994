# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds a snapshot or a volume back from being deleted, whoever wants to delete it: the collector, retention, or a person."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import tags as tag

if TYPE_CHECKING:
    from .snapshot import Snapshot
    from .volume import Volume

# What it takes for a person to delete the thing all the same. Retention and the collector never do.
NOTHING, FORCE, NAMING_IT = "nothing", "force", "naming it"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Uses:
    """Who uses snapshots of one region, as far as anybody has asked; by snapshot id, if nothing else is said.

    images, templates: those that need a snapshot, whoever made them; of templates, any version.
    locked: until when. fast_restored: in which zones. shared_with: accounts.
    being_restored: ids of the snapshots that are sources of volumes in creation.
    registered: registries that need a snapshot; fingerprints: registries by the fingerprint that they name, sha256:<hex>.
    """

    images: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    templates: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    locked: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fast_restored: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    shared_with: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    being_restored: frozenset[str] = frozenset()
    registered: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    fingerprints: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Hold:
    """One reason for which a thing stays.

    overridden_by: NOTHING, FORCE or NAMING_IT. holders: reads from the thing, and from who uses it, who or what holds it; empty: nothing
    does. why: as words that follow "it stays because", {} for the holders.
    """

    name: str
    overridden_by: str
    holders: Callable[..., Iterable[str]]
    why: str


# In the order in which they are told. `it`: a snapshot; `by`: Uses; `retired`: see holds_of.
HOLDS = (
    Hold("foreign", FORCE, lambda it, by, retired: () if tag.ours(it.tags) else (tag.CREATOR,), "it was not made by {}"),
    Hold("restored", NAMING_IT, lambda it, by, retired: by.being_restored & {it.snapshot_id}, "a volume is being made from it"),
    Hold("registered", FORCE, lambda it, by, retired: by.registered.get(it.snapshot_id, ()), "registry {}"),
    Hold("named", NAMING_IT, lambda it, by, retired: _one(by.fingerprints.get(it.fingerprint)), "its fingerprint is in registry {}"),
    Hold("protected", NOTHING, lambda it, by, retired: _protected(it.tags), "the tag {}"),
    Hold("images", NOTHING, lambda it, by, retired: sorted(by.images.get(it.snapshot_id, ())), "image {} needs it"),
    Hold("templates", NOTHING, lambda it, by, retired: sorted(by.templates.get(it.snapshot_id, ())), "launch template {} names it"),
    Hold("locked", NOTHING, lambda it, by, retired: _one(by.locked.get(it.snapshot_id)), "it is locked"),
    Hold("fast", NOTHING, lambda it, by, retired: by.fast_restored.get(it.snapshot_id, ()), "it is enabled for fast restore"),
    Hold("unfinished", NAMING_IT, lambda it, by, retired: () if it.state in ("completed", "error") else (it.state,), "it is {}"),
    Hold(
        "shared",
        FORCE,
        lambda it, by, retired: () if retired else sorted(by.shared_with.get(it.snapshot_id, ())),
        "{} may use it, and it is not retired",
    ),
)
# `it`: a volume.
VOLUME_HOLDS = (
    Hold("foreign", FORCE, lambda it: () if tag.ours(it.tags) else (tag.CREATOR,), "it was not made by {}"),
    Hold("protected", NOTHING, lambda it: _protected(it.tags), "the tag {}"),
    Hold("attached", FORCE, lambda it: [one.instance_id or "unknown" for one in it.holders], "attached to {}"),
    Hold("busy", NAMING_IT, lambda it: () if it.state in ("available", "error") else (it.state,), "it is {}"),
)


def holds_of(snapshot: Snapshot, uses: Uses, *, retired: bool) -> dict[str, tuple[Hold, list[str]]]:
    """Return what holds a snapshot, whatever else refers to it: each hold and its holders, by name; empty when nothing does.

    retired: whether its own tag says so for long enough. Who uses it in other accounts is not seen here; then they have had time to go.
    """
    return dict(_held(HOLDS, snapshot, uses, retired))


def volume_holds_of(volume: Volume) -> dict[str, tuple[Hold, list[str]]]:
    """Return what holds a volume: each hold and its holders, by name; empty when nothing does."""
    return dict(_held(VOLUME_HOLDS, volume))


def reasons(held: Mapping[str, tuple[Hold, list[str]]]) -> list[str]:
    """Return holds as words that follow "it stays because"."""
    return [hold.why.format(", ".join(holders)) for hold, holders in held.values()]


def refused_for(held: Mapping[str, tuple[Hold, list[str]]], names: Iterable[str], force: bool) -> tuple[str, list[str]] | None:
    """Return the first of the named holds that a person has not overridden, and its holders; None when there is none."""
    left = (name for name in names if name in held and not (force and held[name][0].overridden_by == FORCE))
    return next(((name, held[name][1]) for name in left), None)


def _held(table: Iterable[Hold], *facts: Any) -> Iterator[tuple[str, tuple[Hold, list[str]]]]:
    for hold in table:
        holders = list(hold.holders(*facts))
        if holders:
            yield hold.name, (hold, holders)


def _protected(tags: Mapping[str, str]) -> tuple[str, ...]:
    return (tag.key(tag.PROTECTED),) if tag.read(tags, tag.PROTECTED) == "true" else ()


def _one(holder: str | None) -> tuple[str, ...]:
    return (holder,) if holder else ()


def retired_days(snapshot: Snapshot, now: datetime.datetime) -> float | None:
    """Return for how many days the snapshot's own tag has said that it is retired; None where it does not, or gives no date.

    Who may write to a registry need not have any right in AWS: what a registry says retires nothing. now: with time zone.
    """
    moment = tag.read(snapshot.tags, tag.RETIRED)
    try:
        return age_days(moment, now) if moment else None
    except ValueError:
        return None


def age_days(moment: str | datetime.datetime, now: datetime.datetime) -> float:
    """moment: if a text, ISO 8601; a date without a time is its beginning in UTC."""
    then = datetime.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    then = then if then.tzinfo else then.replace(tzinfo=datetime.UTC)
    return (now - then).total_seconds() / 86400
