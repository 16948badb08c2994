#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin petal.hpc.require."""

from __future__ import annotations

DOCUMENTATION = r"""
module: require
short_description: Refuse to go on while something is wrong with the variables of a playbook of the collection
description:
  - Fails with a line for each variable that is missing, has a value of another type, or none of its choices, or does not go with another.
    The line says what to add to the command, or to change.
  - A variable that is undefined or empty counts as not given. Unknown variables are passed over.
  - The playbooks begin with it, before anything costs. C(playbooks/meta/variables.yml) says what each takes.
options:
  playbook:
    description: The name of the playbook, without the collection's.
    type: str
    required: true
  later:
    description:
      - Check what is not always needed, such as a subnet where something has to be built, now that it is known to be needed.
      - With V(false), it is told too where something else is missing, and only then.
    type: bool
    default: false
  fail:
    description: Whether to fail. With V(false), a warning says the same.
    type: bool
    default: true
attributes:
  check_mode:
    description: Checks in check mode, too.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Refuse to start without what is needed
  petal.hpc.require:
    playbook: build_seed
"""

RETURN = r"""
problems:
  description: A sentence for each thing that is wrong.
  returned: always
  type: list
  elements: str
"""
