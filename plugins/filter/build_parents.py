# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_parents."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_parents
short_description: The snapshots that a build can start from
description:
  - Returns the snapshots that save something, first the one whose packages leave the least to build, of those with the same operating
    system, architecture, CPU target, Spack, recipes, compiler and mount path.
  - What is not proven, deprecated or retired is left out, as it would live on in what is built.
  - For a volume that exists, returns what was chosen for it then, if anything.
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
    parent: "{{ variant | petal.hpc.build_parents(found.snapshots) | first | default({}) }}"
"""

RETURN = r"""
_value:
  description:
    - Each with C(snapshot_id), C(fingerprint) and C(generation); for a choice also C(volume_size_gib), and C(lacks), the number of packages
      of the seed that are not on it; for a volume that exists C(refused), why nothing is to be built on its parent any more.
  type: list
  elements: dict
"""

from ..module_utils._core.build.parent import MOST_GENERATIONS, parent_of, rank_parents


def build_parents(variant, snapshots, volumes=(), most_generations=MOST_GENERATIONS):
    if not volumes:
        return rank_parents(variant, snapshots, most_generations)
    parent = parent_of(volumes[0], snapshots)
    return [parent] if parent else []


class FilterModule:
    def filters(self):
        return {"build_parents": build_parents}
