# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.pcluster_os."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pcluster_os
short_description: The name of an operating system as ParallelCluster's Image.Os spells it
description:
  - Translates the names people use, V(al2023) or V(Ubuntu 22.04), into ParallelCluster's.
positional: _input, reverse
options:
  _input:
    description: The operating system under any of its names.
    type: str
    required: true
  reverse:
    description: Return the short name that people use instead, V(al2023).
    type: bool
    default: false
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Translate a name in both directions
  ansible.builtin.debug:
    msg:
      - "{{ 'al2023' | petal.hpc.pcluster_os }}"  # alinux2023
      - "{{ 'alinux2023' | petal.hpc.pcluster_os(reverse=true) }}"  # al2023
"""

RETURN = r"""
_value:
  description: The name.
  type: str
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.facts.operating_system import find_os


def pcluster_os(name, reverse=False):
    try:
        system = find_os(name)
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    return system.aliases[0] if reverse else system.name


class FilterModule:
    def filters(self):
        return {"pcluster_os": pcluster_os}
