# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.seconds_per_package."""

from __future__ import annotations

DOCUMENTATION = r"""
name: seconds_per_package
short_description: How long a package took in earlier builds
description:
  - Returns the average over the builds whose snapshots say how long they took, without those that started from another snapshot; 0 when
    nothing is known.
positional: _input
options:
  _input:
    description: What M(petal.hpc.ebs_snapshot_info) returns.
    type: list
    elements: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Estimate how long ten packages take
  ansible.builtin.debug:
    msg: "{{ 10 * (found.snapshots | petal.hpc.seconds_per_package) }} seconds"
"""

RETURN = r"""
_value:
  description: Seconds.
  type: float
"""

from ..module_utils._core.build.parent import seconds_per_package


class FilterModule:
    def filters(self):
        return {"seconds_per_package": seconds_per_package}
