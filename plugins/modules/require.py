#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin petal.hpc.require."""

from __future__ import annotations

DOCUMENTATION = r"""
module: require
short_description: Refuse to go on without the variables that a playbook of the collection needs
description:
  - Fails with a line for each variable that is not defined, or is empty, which says what to add to the command.
  - The playbooks begin with it, before anything costs.
options:
  variables:
    description: Names of variables, or alternatives such as C(seed or build_id and region).
    type: list
    elements: str
    default: []
  later:
    description: What is needed later on, in the same form. It is told as well where something of O(variables) is missing, and only then.
    type: list
    elements: str
    default: []
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
    variables: [seed, cluster_config_subnet_id]
"""

RETURN = r"""
missing:
  description: A sentence for each variable that is missing.
  returned: always
  type: list
  elements: str
"""
