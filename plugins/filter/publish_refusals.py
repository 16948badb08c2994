# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: publish_refusals
short_description: Which software of a registry entry may not be shared yet, and why
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Looks at the reports of the role C(publish_gate) that an entry holds. What is retired is left out.
positional: _input
options:
  _input:
    description: An entry, as M(petal.hpc.snapshot_registry_info) returns it.
    type: dict
    required: true
  fingerprint:
    description: The only software that is meant. Left out, all of the entry.
    type: str
  public:
    description: Whether it is to be shared with everybody.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what has to be searched before an entry can be shared
  ansible.builtin.debug:
    msg: "{{ listed.entries[0] | petal.hpc.publish_refusals }}"
"""

RETURN = r"""
_value:
  description: The reason by fingerprint. Empty when everything may be shared.
  type: dict
"""

from ..module_utils._core.plain import plain
from ..module_utils._core.publish_gate import why_not_enough


def publish_refusals(entry, fingerprint=None, public=False):
    entry = plain(entry)
    meant = {one["fingerprint"] for one in entry["snapshots"] if not one.get("retired") and fingerprint in (None, one["fingerprint"])}
    reports = entry.get("reports") or {}
    reasons = {one: why_not_enough(reports.get(one), fingerprint=one, public=bool(public)) for one in sorted(meant)}
    return {one: reason for one, reason in reasons.items() if reason}


class FilterModule:
    def filters(self):
        return {"publish_refusals": publish_refusals}
