# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the snapshots of an account can be public in a region."""

from __future__ import annotations

import dataclasses

from ..errors import ExplainedError
from ..plan import Plan

UNBLOCKED = "unblocked"
# Our word for each of EC2's states.
STATES = {"block-all-sharing": "blocked-all-sharing", "block-new-sharing": "blocked-new-sharing", UNBLOCKED: UNBLOCKED}
EC2_STATES = {ours: theirs for theirs, ours in STATES.items()}


@dataclasses.dataclass(frozen=True)
class PublicAccess:
    """state: one of ours. managed_by: "account", or "declarative-policy" when only the organization can change it."""

    state: str
    managed_by: str = "account"


def plan_public_access(wanted: str, found: PublicAccess, region: str) -> Plan:
    """Decide whether a region's state has to change.

    Returns a Plan whose actions are () or ("set",); its before and after hold state.
    Raises ExplainedError where a policy of the organization holds another state.
    """
    before, after = {"state": found.state}, {"state": wanted}
    if found.state == wanted:
        return Plan((), before, before)
    if found.managed_by == "declarative-policy":
        raise ExplainedError(
            f"A policy of the organization holds {region} {found.state}.",
            resource=region,
            next_step="Ask the organization's administrators to change the declarative policy.",
        )
    return Plan(("set",), before, after)
