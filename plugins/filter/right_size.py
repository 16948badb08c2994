# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.right_size."""

from __future__ import annotations

DOCUMENTATION = r"""
name: right_size
short_description: The size of a volume that holds a build's software
description:
  - Returns the size in GiB of a volume that holds what was measured and a tenth more, at least 1 GiB more; or none where a volume of
    that size would save nothing.
  - ext4 has one inode for each 16 KiB, so many small files need a larger volume than their bytes.
positional: _input, volume, parent
options:
  _input:
    description:
      - What the entry point C(measure) of the role P(petal.hpc.shared_volume#role) has found - C(bytes), C(inodes) and C(file_system).
    type: dict
    required: true
  volume:
    description: The volume of the build, as M(petal.hpc.ebs_volume) returns it.
    type: dict
    required: true
  parent:
    description: The C(parent) that P(petal.hpc.build_claim#filter) returns, for a build that started from a snapshot.
    type: dict
    default: {}
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Decide on the size
  ansible.builtin.set_fact:
    fit: "{{ shared_volume_content | petal.hpc.right_size(volume) }}"
"""

RETURN = r"""
_value:
  description: The decision.
  type: dict
  contains:
    size_gib:
      description: The size of the volume to make; none where that of the build is the right one.
      type: int
      sample: 12
    summary:
      description: The decision in words.
      type: str
      sample: 12 GiB for 9.1 GiB of software, instead of 500
"""

import dataclasses

from ..module_utils._core.software.right_size import right_size


def of_build(content, volume, parent=None):
    fit = right_size(
        content["bytes"],
        content["inodes"],
        content["file_system"],
        volume_size_gib=volume["size_gib"],
        volume_type=volume["volume_type"],
        parent_snapshot=(parent or {}).get("snapshot_id"),
    )
    return dataclasses.asdict(fit)


class FilterModule:
    def filters(self):
        return {"right_size": of_build}
