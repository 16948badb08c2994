# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moving a snapshot between the standard tier and the archive."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from ..cost.cost import ARCHIVE, STANDARD
from ..errors import ExplainedError
from ..plan import Plan

# Amazon EBS User Guide, "Considerations and limitations for archiving Amazon EBS snapshots".
SHORTEST_ARCHIVE_DAYS = 90
LONGEST_RESTORE_HOURS = 72
LONGEST_TEMPORARY_DAYS = 180


@dataclasses.dataclass(frozen=True)
class Tier:
    """Where a snapshot is kept.

    name: standard or archive. operation: the last move as EC2 gives it, such as archival-in-progress; None for none.
    restored_until: ISO 8601, when a temporary restore ends; None without one.
    """

    name: str = STANDARD
    operation: str | None = None
    restored_until: str | None = None

    @property
    def moving_to(self) -> str | None:
        """The tier to which the snapshot is on its way."""
        if not (self.operation or "").endswith("-in-progress"):
            return None
        return ARCHIVE if self.operation.startswith("archival") else STANDARD

    def to_result(self) -> dict[str, object]:
        return {"storage_tier": self.name, "tiering": self.operation, "restored_until": self.restored_until}


def plan_tier(wanted: str, temporary_days: int | None, found: Tier, images: Iterable[str], resource: str | None) -> Plan:
    """Decide whether a snapshot has to be archived or restored.

    temporary_days: how long it is to be in the standard tier; None for ever. images: AMIs that need it.
    Returns a Plan whose actions are (), ("archive",), ("restore",) or ("restore temporarily",).
    Raises ExplainedError when EC2 would refuse.
    """
    before = found.to_result()
    if temporary_days is not None and (wanted != STANDARD or not 1 <= temporary_days <= LONGEST_TEMPORARY_DAYS):
        raise ExplainedError(
            f"temporary_restore_days: {temporary_days} makes no sense here.",
            resource=resource,
            next_step=f"Give 1 to {LONGEST_TEMPORARY_DAYS} days together with storage_tier: standard.",
        )
    if wanted == ARCHIVE:
        return _plan_archive(found, before, list(images), resource)
    if found.name == STANDARD and found.moving_to is None:
        return Plan((), before, before)
    if found.moving_to == ARCHIVE:
        raise ExplainedError(
            f"Snapshot {resource} is being archived.", resource=resource, next_step="Wait until that is done, then run the task again."
        )
    for_good = temporary_days is None
    temporary_now = found.restored_until is not None or (found.operation or "").startswith("temporary-restore-in")
    if found.moving_to == STANDARD or (temporary_now and not for_good):
        return Plan((), before, before)
    warnings = (f"Restoring from the archive takes up to {LONGEST_RESTORE_HOURS} hours; it is not waited for.",)
    operation = "permanent-restore-in-progress" if for_good else "temporary-restore-in-progress"
    after = {**before, "tiering": operation}
    return Plan(("restore",) if for_good else ("restore temporarily",), before, after, warnings)


def _plan_archive(found: Tier, before: dict[str, object], images: list[str], resource: str | None) -> Plan:
    if found.moving_to == STANDARD:
        raise ExplainedError(
            f"Snapshot {resource} is being restored.", resource=resource, next_step="Wait until that is done, then run the task again."
        )
    if ARCHIVE in (found.name, found.moving_to):
        return Plan((), before, before)
    if images:
        raise ExplainedError(
            f"Snapshot {resource} holds the data of {', '.join(images)} and cannot be archived.",
            resource=resource,
            next_step="Disable or deregister the image first.",
            image_ids=images,
        )
    warnings = (
        f"An archived snapshot is paid for {SHORTEST_ARCHIVE_DAYS} days at least, as a full one; sharing and fast restore of it end.",
    )
    return Plan(("archive",), before, {**before, "tiering": "archival-in-progress"}, warnings)
