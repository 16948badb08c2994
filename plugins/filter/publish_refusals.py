# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: publish_refusals
short_description: Which software of a registry entry may not be shared yet, and why
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Looks at the reports of the role C(publish_gate) that an entry holds. A report counts for the content that was searched, by its
    C(manifest), and for no other with the same fingerprint. What is retired is left out.
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
  region:
    description: Where there is a choice between copies, the one of this region is to be searched.
    type: str
"""

EXAMPLES = r"""
- name: Show what has to be searched before an entry can be shared
  ansible.builtin.debug:
    msg: "{{ listed.entries[0] | petal.hpc.publish_refusals }}"
"""

RETURN = r"""
_value:
  description:
    - For each content that may not be shared yet, a snapshot of it as the entry describes it, with C(reason), and C(short), a few digits to
      name what its search needs. Empty when everything may be shared.
  type: list
  elements: dict
"""

from ..module_utils._core.plain import plain
from ..module_utils._core.registry.publish_gate import why_not_enough
from ..module_utils._core.software.fingerprint import short_fingerprint


def publish_refusals(entry, fingerprint=None, public=False, region=None):
    entry = plain(entry)
    refused = {}
    for one in sorted(entry["snapshots"], key=lambda one: (one["region"] != region, one["region"], one["snapshot_id"])):
        if one.get("retired") or fingerprint not in (None, one["fingerprint"]):
            continue
        content, reports = one.get("manifest"), entry.get("reports") or {}
        reason = why_not_enough(reports, fingerprint=one["fingerprint"], manifest=content, public=bool(public))
        if reason:
            refused.setdefault(content or one["snapshot_id"], {**one, "reason": reason})
    return [{**one, "short": short_fingerprint(content.removeprefix("snap-"))} for content, one in sorted(refused.items())]


class FilterModule:
    def filters(self):
        return {"publish_refusals": publish_refusals}
