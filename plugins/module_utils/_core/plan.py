# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to happen to get from what is found to what is requested."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Plan:
    """One decision, taken alike for check mode and for a real run.

    actions: what has to be done, in order; empty when nothing has to change.
    before, after: the resource as plain values, now and then; None where it does not exist.
    warnings: what a person should know although it is no failure.
    """

    actions: tuple[str, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.actions)

    def diff(self) -> dict[str, Any]:
        """Return Ansible's diff: before and after as dictionaries."""
        return {"before": self.before or {}, "after": self.after or {}}
