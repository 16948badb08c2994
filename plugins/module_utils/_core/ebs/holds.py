# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds a snapshot back from being deleted, whoever wants to delete it: the collector, retention, or a person."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping

from .. import tags as tag
from .snapshot import Snapshot


@dataclasses.dataclass(frozen=True, kw_only=True)
class Uses:
    """Who uses snapshots of one region.

    images, templates: those that need a snapshot, by its id, whoever made them; of templates, any version.
    locked, fast_restored: ids of snapshots. shared_with: accounts by snapshot id, as far as anybody has asked.
    """

    images: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    templates: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    fast_restored: frozenset[str] = frozenset()
    shared_with: Mapping[str, Iterable[str]] = dataclasses.field(default_factory=dict)


def holds(snapshot: Snapshot, uses: Uses, *, retired: bool) -> list[str]:
    """Return why a snapshot must stay, whatever else refers to it; empty when none of this holds it.

    retired: whether its own tag says so for long enough. Who uses it in other accounts is not seen here; then they have had time to go.
    """
    snapshot_id = str(snapshot.snapshot_id)
    shared, images, templates = (sorted(named.get(snapshot_id, ())) for named in (uses.shared_with, uses.images, uses.templates))
    reasons = {
        f"the tag {tag.key(tag.PROTECTED)}": tag.read(snapshot.tags, tag.PROTECTED) == "true",
        f"image {', '.join(images)} needs it": bool(images),
        f"launch template {', '.join(templates)} names it": bool(templates),
        "it is locked": snapshot_id in uses.locked,
        "it is enabled for fast restore": snapshot_id in uses.fast_restored,
        f"it is {snapshot.state}": snapshot.state not in ("completed", "error"),
        f"{', '.join(shared)} may use it, and it is not retired": bool(shared) and not retired,
    }
    return [reason for reason, is_held in reasons.items() if is_held]


def retired_days(snapshot: Snapshot, now: datetime.datetime) -> float | None:
    """Return for how many days the snapshot's own tag has said that it is retired; None where it does not, or gives no date.

    Who may write to a registry need not have any right in AWS: what a registry says retires nothing. now: with time zone.
    """
    moment = tag.read(snapshot.tags, tag.RETIRED)
    try:
        return age_days(moment, now) if moment else None
    except ValueError:
        return None


def age_days(moment: str, now: datetime.datetime) -> float:
    """moment: ISO 8601; a date without a time is its beginning in UTC."""
    then = datetime.datetime.fromisoformat(moment)
    then = then if then.tzinfo else then.replace(tzinfo=datetime.UTC)
    return (now - then).total_seconds() / 86400
