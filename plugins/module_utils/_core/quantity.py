# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes as people write them (100, "500Gi", "1Ti"), in the whole GiB that EBS counts."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction

from .errors import ExplainedError

# Binary suffixes as Kubernetes writes them, in GiB.
_GIB_PER_UNIT = {
    "Ki": Fraction(1, 2**20),
    "Mi": Fraction(1, 2**10),
    "Gi": Fraction(1),
    "Ti": Fraction(2**10),
    "Pi": Fraction(2**20),
}
_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[A-Za-z]*)")


@dataclasses.dataclass(frozen=True)
class Size:
    """gib: whole GiB (2**30 bytes). warning: what was changed on the way, or None."""

    gib: int
    warning: str | None = None


def parse_size(value: int | str) -> Size:
    """Read a size; a number without a unit counts GiB, as EC2 does.

    "500Gi" is 500, "1Ti" is 1024; "500Mi" is rounded up to 1 with a warning.
    Raises ExplainedError for decimal units ("10G", "10GB"), which are 7 % less than people expect, and for anything else.
    """
    exact = exact_gib(value)
    gib = -(-exact.numerator // exact.denominator)
    warning = None if gib == exact else f"Size {str(value).strip()} was rounded up to {gib} GiB: EBS counts whole GiB."
    return Size(gib, warning)


def exact_gib(value: int | float | str) -> Fraction:
    """Read a size as parse_size does, and leave it as exact as it was written."""
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ExplainedError(f"Size '{value}' is not a size.", next_step="Write whole GiB (100), or a quantity such as 500Gi or 1Ti.")
    unit = match["unit"] or "Gi"
    if unit not in _GIB_PER_UNIT:
        raise ExplainedError(
            f"Size '{value}' has the unit {unit}, which is not exact: EBS counts GiB (2**30 bytes).",
            next_step=f"Write {match['number']}Gi or {match['number']}Ti; the units are {', '.join(_GIB_PER_UNIT)}.",
        )
    exact = Fraction(match["number"]) * _GIB_PER_UNIT[unit]
    if exact <= 0:
        raise ExplainedError(f"Size '{value}' is zero.", next_step="Give at least 1 GiB.")
    return exact
