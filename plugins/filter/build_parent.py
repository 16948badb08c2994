# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_parent."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_parent
short_description: The snapshot that a build can start from
description:
  - Returns the snapshot whose packages leave the least to build, of those with the same operating system, architecture, CPU target, Spack,
    recipes, compiler and mount path; an empty dictionary when none would save anything.
  - For a volume that exists, returns what was chosen for it then.
positional: _input, snapshots, volumes
options:
  _input:
    description: The variant that is built, as P(petal.hpc.seed_variants#filter) returns it.
    type: dict
    required: true
  snapshots:
    description: What M(petal.hpc.ebs_snapshot_info) returns.
    type: list
    elements: dict
    required: true
  volumes:
    description: The volume of the build, as M(petal.hpc.ebs_volume_info) returns it; empty when there is none yet.
    type: list
    elements: dict
    default: []
  most_generations:
    description: A snapshot that goes back to so many others is no parent.
    type: int
    default: 10
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Choose where to start from
  ansible.builtin.set_fact:
    parent: "{{ variant | petal.hpc.build_parent(found.snapshots) }}"
"""

RETURN = r"""
_value:
  description:
    - C(snapshot_id), C(fingerprint) and C(generation); for a choice also C(volume_size_gib), and C(lacks), the number of packages of the
      seed that are not on it.
  type: dict
"""

from ..module_utils._core.build_parent import MOST_GENERATIONS, choose_parent, parent_of


def build_parent(variant, snapshots, volumes=(), most_generations=MOST_GENERATIONS):
    return parent_of(volumes[0]) if volumes else choose_parent(variant, snapshots, most_generations)


class FilterModule:
    def filters(self):
        return {"build_parent": build_parent}
