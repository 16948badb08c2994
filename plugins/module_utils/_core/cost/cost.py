# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What volumes and snapshots cost in a month, term by term, from prices given as input."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ExplainedError
from ..facts.prices import DATE, HOURS_PER_MONTH, PRICES, REGION
from ..facts.volume_limits import LIMITS, check_limits

STANDARD, ARCHIVE = "standard", "archive"
# EBS pricing: gp3 has these for nothing; the IOPS of io2 become cheaper above each of these.
GP3_FREE_IOPS, GP3_FREE_THROUGHPUT = 3000, 125
_IO2_TIERS = ((0, 32000, "io2_iops_month"), (32000, 64000, "io2_iops_month_above_32000"), (64000, None, "io2_iops_month_above_64000"))


@dataclasses.dataclass(frozen=True)
class Term:
    """One line of a bill: `quantity` units at `usd_each` a month."""

    what: str
    quantity: float
    unit: str
    usd_each: float

    @property
    def usd(self) -> float:
        return self.quantity * self.usd_each

    def to_result(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "usd": rounded(self.usd)}


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one resource costs in a month. notes: what the amount leaves open, as sentences."""

    terms: tuple[Term, ...]
    notes: tuple[str, ...] = ()

    @property
    def usd(self) -> float:
        return sum(term.usd for term in self.terms)

    def to_result(self) -> dict[str, Any]:
        return {"usd": rounded(self.usd), "terms": [term.to_result() for term in self.terms], "notes": list(self.notes)}


def rounded(usd: float) -> float:
    """Return an amount as results show it: small volumes cost less than a cent, so to a hundredth of one."""
    return round(usd, 4)


def volume_cost(
    volume_type: str, size_gib: int, *, prices: Mapping[str, float], iops: int | None = None, throughput: int | None = None
) -> Cost:
    """Return what a volume costs, used or not, attached or not.

    size_gib: GiB. iops and throughput (MiB/s): what is provisioned; None is EC2's default. Where a type lets nobody choose them
    they are part of its price, and what EC2 reports is ignored.
    Raises ExplainedError for a type that does not exist, and for a volume that EC2 would refuse.
    Source: EBS pricing; the original description's "0.005 per GB IOPS" is 0.005 USD per IOPS above 3000.
    """
    limits = LIMITS.get(volume_type)
    iops = iops if limits and limits.iops else None
    throughput = throughput if limits and limits.throughput else None
    check_limits(volume_type, size_gib=size_gib, iops=iops, throughput=throughput, multi_attach=False, resource=None)
    storage = Term(f"{volume_type} storage", size_gib, "GiB", prices[f"{volume_type}_gib_month"])
    speed = [term for term in _speed(volume_type, iops or 0, throughput or 0, prices) if term.quantity > 0]
    notes = ("Requests to a standard volume cost extra.",) if volume_type == "standard" else ()
    return Cost((storage, *speed), notes)


def snapshot_cost(
    size_gib: float,
    *,
    prices: Mapping[str, float],
    stored_gib: float | None = None,
    storage_tier: str = STANDARD,
    fast_restore_zones: int = 0,
    fast_restore_hours: float = HOURS_PER_MONTH,
) -> Cost:
    """Return what a snapshot costs.

    size_gib: the size of its volume. stored_gib: what it stores, in GiB: in the standard tier the blocks that changed since the
    snapshot before it, in the archive tier every block that holds data. None: the whole size, which is the upper bound.
    fast_restore_zones: zones in which fast snapshot restore is on, for fast_restore_hours each.
    Raises ExplainedError when stored_gib is more than size_gib, and for fast restore of an archived snapshot.
    """
    if stored_gib is not None and stored_gib > size_gib:
        raise ExplainedError(
            f"A snapshot of a {size_gib} GiB volume cannot store {stored_gib} GiB.", next_step="Correct stored_gib or volume_size_gib."
        )
    archived = storage_tier == ARCHIVE
    if archived and fast_restore_zones:
        raise ExplainedError("An archived snapshot has no fast snapshot restore.", next_step="Set fast_restore_zones to 0.")
    price = prices["snapshot_archive_gib_month" if archived else "snapshot_gib_month"]
    terms = [Term("archived snapshot" if archived else "snapshot", size_gib if stored_gib is None else stored_gib, "GiB", price)]
    if fast_restore_zones:
        zone_hours = fast_restore_zones * fast_restore_hours
        terms.append(Term("fast snapshot restore", zone_hours, "zone-hours", prices["fast_snapshot_restore_zone_hour"]))
    notes = []
    if stored_gib is None:
        notes.append("The upper bound: a snapshot is billed for the blocks that it stores, and stored_gib was not given.")
    if archived:
        notes.append("An archived snapshot is billed for 90 days at least, and for each GiB that is restored from it.")
    return Cost(tuple(terms), tuple(notes))


def price_of_sharing(volume_type: str, size_gib: int, iops: int) -> str:
    """Return, as a sentence, what a volume for multi-attach costs more than a gp3 volume of its size and speed, as far as gp3 goes."""
    limits = LIMITS["gp3"]
    fastest = min(limits.iops[1], max(limits.iops[0], size_gib * limits.iops_per_gib))
    shared = volume_cost(volume_type, size_gib, prices=PRICES, iops=iops).usd
    single = volume_cost("gp3", size_gib, prices=PRICES, iops=min(max(iops, limits.iops[0]), fastest)).usd
    return (
        f"A volume for several instances costs {shared - single:.2f} USD a month more than gp3 of that size and speed: "
        f"{shared:.2f} instead of {single:.2f} (prices of {REGION}, {DATE})."
    )


def _speed(volume_type: str, iops: int, throughput: int, prices: Mapping[str, float]) -> Iterable[Term]:
    if volume_type == "gp3":
        yield Term(f"gp3 IOPS above {GP3_FREE_IOPS}", iops - GP3_FREE_IOPS, "IOPS", prices["gp3_iops_month"])
        extra = throughput - GP3_FREE_THROUGHPUT
        yield Term(f"gp3 throughput above {GP3_FREE_THROUGHPUT} MiB/s", extra, "MiB/s", prices["gp3_mib_per_second_month"])
    elif volume_type == "io1":
        yield Term("io1 IOPS", iops, "IOPS", prices["io1_iops_month"])
    elif volume_type == "io2":
        for low, high, price in _IO2_TIERS:
            what = f"io2 IOPS above {low}" if low else "io2 IOPS"
            yield Term(what, min(iops, high or iops) - low, "IOPS", prices[price])
