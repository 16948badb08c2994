# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.cpu_features; the facts are archspec's."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cpu_features
short_description: The instruction sets that a CPU target has
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns what code that is compiled for a target may use. The proof of a software volume looks for code that uses more.
positional: _input
options:
  _input:
    description: An archspec name, such as V(x86_64_v3) or V(neoverse_n1).
    type: str
    required: true
requirements:
  - archspec >= 0.2.6 on the controller
"""

EXAMPLES = r"""
- name: Show what may be used
  ansible.builtin.debug:
    msg: "{{ 'x86_64_v3' | petal.hpc.cpu_features }}"
"""

RETURN = r"""
_value:
  description: Instruction sets, as archspec names them.
  type: list
  elements: str
  sample: [cx16, lahf_lm, mmx, popcnt, sse, sse2, sse3, sse4_1, sse4_2, ssse3]
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.seed.variant import cpu_features as features_of


def cpu_features(target):
    try:
        return features_of(str(target))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    def filters(self):
        return {"cpu_features": cpu_features}
