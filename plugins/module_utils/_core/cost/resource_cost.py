# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a resource costs in a month, as the info modules describe it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..errors import ExplainedError
from ..facts.prices import HOURS_PER_MONTH
from ..facts.volume_limits import LIMITS
from ..inputs import choice, gib, number, read_inputs
from .cost import ARCHIVE, STANDARD, Cost, snapshot_cost, volume_cost


@dataclasses.dataclass(frozen=True)
class _VolumeInputs:
    volume_type: str = choice(LIMITS)
    size_gib: int = gib(whole=True)
    iops: int | None = number(default=None)
    throughput: int | None = number(default=None)


@dataclasses.dataclass(frozen=True)
class _SnapshotInputs:
    size_gib: float = gib()
    stored_gib: float | None = number(default=None)
    storage_tier: str = choice((STANDARD, ARCHIVE), default=STANDARD)
    fast_restore_zones: int = number(default=0)
    fast_restore_hours: float = number(default=HOURS_PER_MONTH)


def resource_cost(resource: Mapping[str, Any], prices: Mapping[str, float]) -> Cost:
    """Return what a volume (it has a volume_type) or a snapshot (it has a volume_size_gib) costs, as the info modules describe them.

    Other keys are ignored. Raises ExplainedError for anything else, ManyProblems for values that do not fit.
    """
    if resource.get("volume_type") is not None:
        volume = _read(_VolumeInputs, resource, "The cost of the volume")
        return volume_cost(prices=prices, **dataclasses.asdict(volume))
    if resource.get("volume_size_gib") is not None:
        facts = {**resource, "size_gib": resource["volume_size_gib"]}
        return snapshot_cost(prices=prices, **dataclasses.asdict(_read(_SnapshotInputs, facts, "The cost of the snapshot")))
    raise ExplainedError(
        f"{label(resource) or 'A resource'} is neither a volume nor a snapshot.",
        resource=label(resource),
        next_step="Give volume_type and size_gib for a volume, volume_size_gib for a snapshot.",
    )


def label(resource: Mapping[str, Any]) -> str | None:
    """Return what to call a resource: its snapshot id, its volume id, else its name."""
    # A snapshot knows its volume, and a volume the snapshot it was made from: what it is says which id is its own.
    own_id = "snapshot_id" if resource.get("volume_type") is None else "volume_id"
    return resource.get(own_id) or resource.get("name")


def _read(kind: type[Any], resource: Mapping[str, Any], what: str) -> Any:
    names = {field.name for field in dataclasses.fields(kind)}
    return read_inputs(kind, {name: value for name, value in resource.items() if name in names}, f"{what} {label(resource) or ''}".strip())
