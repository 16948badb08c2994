# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_state."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_state
short_description: How far a build is
description:
  - Sums up the tags of a build's resources; no state is kept anywhere else.
positional: _input, volumes, hosts, snapshots
options:
  _input:
    description: The build id.
    type: str
    required: true
  volumes:
    description: What M(petal.hpc.ebs_volume_info) returns for the build.
    type: list
    elements: dict
    required: true
  hosts:
    description: What M(amazon.aws.ec2_instance_info) returns for the build.
    type: list
    elements: dict
    required: true
  snapshots:
    description: What M(petal.hpc.ebs_snapshot_info) returns for the build.
    type: list
    elements: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say how far a build is
  ansible.builtin.debug:
    msg: "{{ ('a1b2c3d4e5f6' | petal.hpc.build_state([], [], [])).summary }}"
"""

RETURN = r"""
_value:
  description: C(build_id), C(stage), C(summary), C(holder), C(volume_id), C(instance_id) and C(snapshot_id).
  type: dict
"""

from ..module_utils._core.build import build_state


class FilterModule:
    def filters(self):
        return {"build_state": build_state}
