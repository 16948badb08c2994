# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_proof_problems
short_description: What the proof of a software volume found broken
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns one sentence for each package, shell and shared library that C(proof.json) says does not work.
options:
  _input:
    description: The content of C(/shared/.petal/proof.json), parsed.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what does not work
  ansible.builtin.debug:
    msg: "{{ spack_bootstrap_proof | petal.hpc.spack_proof_problems }}"
"""

RETURN = r"""
_value:
  description: Sentences. None when everything works.
  type: list
  elements: str
"""

from ..module_utils._core.plain import plain
from ..module_utils._core.software.proof import proof_problems


def spack_proof_problems(proof):
    return proof_problems(plain(proof))


class FilterModule:
    def filters(self):
        return {"spack_proof_problems": spack_proof_problems}
