# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fast snapshot restore: where volumes are fast from their first second, how many of them, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ExplainedError
from ..facts.prices import HOURS_PER_MONTH
from ..plan import Plan

# EBS User Guide, "Amazon EBS fast snapshot restore".
LARGEST_GIB = 16 * 1024
OPTIMIZING_MINUTES_PER_TIB = 60
# States in which a zone is, or will be, fast; in any other one it is on its way out.
FAST_STATES = ("enabling", "optimizing", "enabled")


def credits_of(size_gib: int) -> dict[str, float]:
    """Return how many volumes can be restored fast at once, and how many more each hour, in one zone.

    Source: EBS User Guide, "Volume creation credits": a bucket of MAX(1, MIN(10, 1024 / size)), filled with MIN(10, 1024 / size) an hour.
    """
    return {"credits": max(1, min(10, 1024 // size_gib)), "credits_per_hour": round(min(10.0, 1024 / size_gib), 4)}


def fast_restore_result(states: Mapping[str, str], size_gib: int | None, usd_per_zone_hour: float) -> dict[str, Any]:
    """Return what modules say about fast restore of a snapshot; states: by zone."""
    usd_per_hour = usd_per_zone_hour * len(states)
    facts: dict[str, Any] = {"zones": dict(sorted(states.items())), "usd_per_hour": usd_per_hour}
    facts["usd_per_month"] = round(usd_per_hour * HOURS_PER_MONTH, 2)
    if size_gib:
        facts |= credits_of(size_gib) | {"optimizing_minutes": -(-size_gib * OPTIMIZING_MINUTES_PER_TIB // 1024)}
    return {"fast_restore": facts}


def plan_fast_restore(
    zones: Iterable[str], found: Mapping[str, str], size_gib: int | None, usd_per_zone_hour: float, resource: str | None
) -> Plan:
    """Decide in which zones fast restore has to be turned on or off.

    zones: all zones that are to be fast; none turns it off. found: EC2's state by zone.
    usd_per_zone_hour: what one snapshot costs in one zone.
    Returns a Plan whose actions are a part of ("enable", "disable").
    Raises ExplainedError for a snapshot that is too large.
    """
    wanted = set(zones)
    fast = {zone: state for zone, state in found.items() if state in FAST_STATES}
    gained, lost = wanted - set(fast), set(fast) - wanted
    if gained and size_gib and size_gib > LARGEST_GIB:
        raise ExplainedError(
            f"Snapshot {resource} has {size_gib} GiB; fast restore takes up to {LARGEST_GIB}.",
            resource=resource,
            next_step="Leave fast_restore_zones out; initialization_rate of ebs_volume loads such a volume at a steady speed.",
        )
    after = {zone: fast.get(zone, "enabling") for zone in wanted}
    actions = (*(("enable",) if gained else ()), *(("disable",) if lost else ()))
    results = [fast_restore_result(states, size_gib, usd_per_zone_hour) for states in (fast, after)]
    return Plan(actions, results[0], results[1])


def changes(plan: Plan) -> tuple[list[str], list[str]]:
    """Return the zones that a plan turns on, and those that it turns off."""
    before, after = (set(side["fast_restore"]["zones"]) for side in (plan.before, plan.after))
    return sorted(after - before), sorted(before - after)
