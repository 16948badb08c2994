#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin petal.hpc.seed_lint."""

from __future__ import annotations

DOCUMENTATION = r"""
module: seed_lint
short_description: Check whether the recipes can build what seeds ask for
version_added: 0.1.0
description:
  - Checks each seed as the lookup P(petal.hpc.seed#lookup) does, and every package, version and variant in it against the recipes.
  - All that is wrong is reported at once, with file, line and column, and with the nearest version that can be used, the package
    that a virtual or another name stands for, the variant that is spelt alike.
  - What is found wrong fails the task. What is not found may still have no solution, because only Spack's solver combines the
    requirements of all packages.
options:
  seeds:
    description: Paths of the seeds.
    type: list
    elements: path
    required: true
  unreachable:
    description:
      - What to do when the recipes cannot be had. With V(warn), seeds are still checked as far as that needs no recipes.
    type: str
    choices: [fail, warn]
    default: fail
extends_documentation_fragment:
  - petal.hpc.recipes
attributes:
  check_mode:
    description: Checks the same in check mode.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
seealso:
  - module: petal.hpc.seed_fix
"""

EXAMPLES = r"""
- name: Check a seed against the recipes that it names
  petal.hpc.seed_lint:
    seeds: [bioinformatics.yaml]

- name: Check all seeds of a folder against one release of the recipes
  petal.hpc.seed_lint:
    seeds: "{{ query('ansible.builtin.fileglob', 'seeds/*.yaml') }}"
    recipes_version: v2026.06.0
    cache_path: /var/cache/petal
"""

RETURN = r"""
problems:
  description: One line for each thing that is wrong.
  returned: failure
  type: list
  elements: str
  sample: ["bioinformatics.yaml:24:10: gcc@11.3.0 is deprecated, and Spack refuses it; the nearest usable version is 11.5.0."]
seeds:
  description: What was found in each seed, in the order of O(seeds); also when the task fails.
  returned: when the recipes could be read
  type: list
  elements: dict
  contains:
    path:
      description: The seed.
      type: str
      sample: bioinformatics.yaml
    recipes_version:
      description: The recipes it was held against; empty where O(repos_override) replaces them or they could not be had.
      type: str
      sample: v2026.06.0
    recipes_commit:
      description: Their commit.
      type: str
      sample: d4f7c711a6a42f1c4d551c8fd10fce9a11340a81
    findings:
      description: What is wrong with it, in the order of the file.
      type: list
      elements: dict
      contains:
        line:
          description: Line in the seed, from 1; none where the problem is in no line.
          type: int
        column:
          description: Column in that line, from 1; none where the whole value is meant.
          type: int
        value:
          description: The spec that is wrong; empty where it is something else.
          type: str
          sample: gcc@11.3.0
        instead:
          description: The whole spec as M(petal.hpc.seed_fix) would write it; none where it cannot tell.
          type: str
          sample: gcc@11.5.0
        message:
          description: What is wrong, and what would be right.
          type: str
"""
