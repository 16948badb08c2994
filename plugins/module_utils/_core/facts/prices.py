# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS charges for storage in one region, as known on one day: data that goes out of date, so every caller may override it."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ExplainedError, ManyProblems

# Compiled on this day from public sources. The pages named below decide; they were not read by a program.
DATE = "2026-11-23"
REGION = "us-east-1"
CURRENCY = "USD"
SOURCES = ("Amazon EBS pricing, https://aws.amazon.com/ebs/pricing/", "Amazon S3 pricing, https://aws.amazon.com/s3/pricing/")

# USD. What AWS writes as GB is a GiB (2**30 bytes), as everywhere in EBS. One month has HOURS_PER_MONTH hours.
HOURS_PER_MONTH = 730
PRICES = {
    "gp3_gib_month": 0.08,
    "gp3_iops_month": 0.005,  # for each IOPS above 3000
    "gp3_mib_per_second_month": 0.04,  # for each MiB/s above 125
    "gp2_gib_month": 0.10,
    "io1_gib_month": 0.125,
    "io1_iops_month": 0.065,
    "io2_gib_month": 0.125,
    "io2_iops_month": 0.065,
    "io2_iops_month_above_32000": 0.0455,
    "io2_iops_month_above_64000": 0.03185,
    "st1_gib_month": 0.045,
    "sc1_gib_month": 0.015,
    "standard_gib_month": 0.05,  # and 0.05 for a million requests, which nobody knows beforehand
    "snapshot_gib_month": 0.05,
    "snapshot_archive_gib_month": 0.0125,  # for 90 days at least
    "fast_snapshot_restore_zone_hour": 0.75,  # for one snapshot in one zone
    "s3_gib_month": 0.023,  # S3 Standard, the first 50 TB
    "s3_thousand_get_requests": 0.0004,
}


def prices_with(overrides: Mapping[str, float] | None) -> dict[str, float]:
    """Return all prices, those in `overrides` in place of ours.

    Raises ExplainedError for a name that is no price, and for a value that is no price.
    """
    given = dict(overrides or {})
    unknown = sorted(set(given) - set(PRICES))
    if unknown:
        raise ExplainedError(f"There is no price {', '.join(unknown)}.", next_step=f"Choose from {', '.join(PRICES)}.")
    wrong = [f"{name} is {value!r}" for name, value in given.items() if not _is_price(value)]
    if wrong:
        raise ManyProblems("A price is a number of USD, 0 or more:", wrong)
    return {**PRICES, **{name: float(value) for name, value in given.items()}}


def origin(overrides: Mapping[str, float] | None) -> dict[str, object]:
    """Return where the prices of a result come from, so that a reader can tell how old they are."""
    return {"date": DATE, "region": REGION, "currency": CURRENCY, "sources": list(SOURCES), "overridden": sorted(overrides or {})}


def _is_price(value: object) -> bool:
    try:
        return not isinstance(value, bool) and 0 <= float(value) < float("inf")  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
