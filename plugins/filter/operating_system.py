# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.operating_system."""

from __future__ import annotations

DOCUMENTATION = r"""
name: operating_system
short_description: What petal.hpc knows of an operating system
description:
  - Returns the name that ParallelCluster uses, the image's login user, the family and the part of the official image's name.
positional: _input
options:
  _input:
    description: The operating system under any of its names, for example V(al2023) or V(alinux2023).
    type: str
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Log in as the image's own user
  ansible.builtin.set_fact:
    ansible_user: "{{ ('ubuntu2404' | petal.hpc.operating_system).login_user }}"
"""

RETURN = r"""
_value:
  description:
    - The operating system with the keys C(name), C(aliases), C(login_user), C(family), C(image_name_part), C(gcc_version),
      C(official_image) and C(can_build), whether it can be built on.
  type: dict
"""

import dataclasses

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.facts.operating_system import find_os


def operating_system(name):
    try:
        return dataclasses.asdict(find_os(name))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"operating_system": operating_system}
