# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.software_diff."""

from __future__ import annotations

DOCUMENTATION = r"""
name: software_diff
short_description: What changes when one set of packages takes the place of another
version_added: 0.1.0
description:
  - Compares Spack specs by package. Order, repetition and spelling do not count.
positional: _input, running
options:
  _input:
    description: The specs that are wanted.
    type: list
    elements: str
    required: true
  running:
    description: The specs that there are; V(null) when nobody knows.
    type: list
    elements: str
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say which packages a new seed drops
  ansible.builtin.debug:
    msg: "{{ (['bwa', 'samtools@1.19'] | petal.hpc.software_diff(['bwa', 'samtools@1.17', 'fastqc'])).removed }}"
"""

RETURN = r"""
_value:
  description: >-
    C(known), whether there was something to compare with; C(added), C(removed), C(changed) with C(package), C(before) and C(after);
    C(unchanged), a number.
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.software.diff import compare_packages


def software_diff(wanted, running=None):
    try:
        return compare_packages(plain(list(wanted)), None if running is None else plain(list(running)))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"software_diff": software_diff}
