# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_filters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_filters
short_description: The EC2 filters that find the resources of a build
description:
  - Returns filters that match the resources of one build, and only those that this collection made.
positional: _input
options:
  _input:
    description: The build id.
    type: str
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Find the hosts of a build
  amazon.aws.ec2_instance_info:
    filters: "{{ 'a1b2c3d4e5f6' | petal.hpc.build_filters }}"
"""

RETURN = r"""
_value:
  description: Filter names and values.
  type: dict
"""

from ..module_utils._core.build.marks import build_filters


class FilterModule:
    def filters(self):
        return {"build_filters": build_filters}
