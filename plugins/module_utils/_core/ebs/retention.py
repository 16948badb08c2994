# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which snapshots are kept and which are deleted, and why: for each of them every reason that keeps it."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable

from ..errors import ExplainedError
from .holds import Uses, age_days, holds_of, reasons, retired_days
from .snapshot import Snapshot

# A name for each way to tell which snapshots are versions of one another.
GROUPINGS: dict[str, Callable[[Snapshot], str | None]] = {
    "volume": lambda snapshot: snapshot.volume_id,
    "name": lambda snapshot: snapshot.name,
    "nothing": lambda snapshot: None,
}
_PERIODS: dict[str, Callable[[datetime.datetime], object]] = {
    "day": lambda moment: moment.date(),
    "week": lambda moment: moment.isocalendar()[:2],
    "month": lambda moment: (moment.year, moment.month),
}


@dataclasses.dataclass(frozen=True)
class Rules:
    """What is to be kept of each group of snapshots; None is no such rule.

    keep_last: the newest ones, whatever their age; the newest one is kept without it too.
    keep_daily, keep_weekly, keep_monthly: the newest one of each of the last days, weeks or months in which there are any (UTC).
    max_age_days: with none of these three, younger ones are all kept; with them, it is how long they keep something.
    group_by: one of GROUPINGS.
    """

    keep_last: int | None = None
    keep_daily: int | None = None
    keep_weekly: int | None = None
    keep_monthly: int | None = None
    max_age_days: float | None = None
    group_by: str = "volume"

    def __post_init__(self) -> None:
        said = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "group_by"}
        if all(value is None for value in said.values()):
            raise ExplainedError("No rule says what to keep.", next_step=f"Give one of {', '.join(said)}.")
        wrong = [name for name, value in said.items() if value is not None and value < 1]
        if wrong:
            raise ExplainedError(f"{', '.join(wrong)} must be 1 or more.", next_step="Leave out what is not to be a rule.")

    @property
    def periods(self) -> dict[str, int]:
        """How many of each period are kept."""
        counts = {"day": self.keep_daily, "week": self.keep_weekly, "month": self.keep_monthly}
        return {period: count for period, count in counts.items() if count is not None}


def reasons_to_stay(snapshot: Snapshot, uses: Uses, now: datetime.datetime) -> list[str]:
    """Return why a snapshot must stay whatever the rules say. now: with time zone."""
    since = retired_days(snapshot, now)
    return reasons(holds_of(snapshot, uses, retired=since is not None and since >= 0))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """reasons: why the snapshot is kept; for one that is deleted, why no rule keeps it."""

    snapshot: Snapshot
    keep: bool
    reasons: tuple[str, ...]

    def to_result(self) -> dict[str, object]:
        snapshot = self.snapshot
        return {
            "snapshot_id": snapshot.snapshot_id,
            "name": snapshot.name,
            "volume_id": snapshot.volume_id,
            "start_time": snapshot.start_time,
            "size_gib": snapshot.volume_size_gib,
            "reasons": list(self.reasons),
        }


def decide_retention(snapshots: Iterable[Snapshot], rules: Rules, uses: Uses, now: datetime.datetime) -> list[Verdict]:
    """Decide about each snapshot, newest first.

    now: with time zone. Only completed snapshots count for the rules; those that must stay for another reason count too.
    A failed snapshot holds nothing and goes, unless something refers to it.
    """
    newest_first = sorted(snapshots, key=lambda snapshot: (_moment(snapshot), str(snapshot.snapshot_id)), reverse=True)
    groups: dict[str | None, list[Snapshot]] = defaultdict(list)
    for snapshot in newest_first:
        if snapshot.state == "completed":
            groups[GROUPINGS[rules.group_by](snapshot)].append(snapshot)
    by_rule: dict[str, list[str]] = defaultdict(list)
    for group in groups.values():
        for snapshot, reason in _kept_by_rules(group, rules, now):
            by_rule[str(snapshot.snapshot_id)].append(reason)
    return [_verdict(snapshot, reasons_to_stay(snapshot, uses, now), by_rule[str(snapshot.snapshot_id)], now) for snapshot in newest_first]


def _kept_by_rules(newest_first: list[Snapshot], rules: Rules, now: datetime.datetime) -> Iterable[tuple[Snapshot, str]]:
    for snapshot in newest_first[: rules.keep_last or 1]:
        yield snapshot, f"among the newest {rules.keep_last}" if rules.keep_last else "the newest"
    young = [snapshot for snapshot in newest_first if rules.max_age_days is None or age_days(_moment(snapshot), now) <= rules.max_age_days]
    for period, count in rules.periods.items():
        for snapshot in _newest_of_each(young, _PERIODS[period])[:count]:
            yield snapshot, f"the newest of its {period}"
    if rules.max_age_days is not None and not rules.periods:
        for snapshot in young:
            yield snapshot, f"not older than {rules.max_age_days:g} days"


def _newest_of_each(newest_first: list[Snapshot], period: Callable[[datetime.datetime], object]) -> list[Snapshot]:
    first: dict[object, Snapshot] = {}
    for snapshot in newest_first:
        first.setdefault(period(_moment(snapshot)), snapshot)
    return list(first.values())


def _verdict(snapshot: Snapshot, referenced: list[str], by_rule: list[str], now: datetime.datetime) -> Verdict:
    if referenced or by_rule:
        return Verdict(snapshot, True, (*referenced, *by_rule))
    if snapshot.state == "error":
        return Verdict(snapshot, False, (f"it failed: {snapshot.state_message or 'no reason given'}",))
    return Verdict(snapshot, False, (f"{age_days(_moment(snapshot), now):.0f} days old, and no rule keeps it",))


def _moment(snapshot: Snapshot) -> datetime.datetime:
    if snapshot.start_time is None:
        # Never seen in AWS; taken for the youngest, which is kept.
        return datetime.datetime.max.replace(tzinfo=datetime.UTC)
    return datetime.datetime.fromisoformat(snapshot.start_time).astimezone(datetime.UTC)
