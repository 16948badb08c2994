# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.refused_claim."""

from __future__ import annotations

DOCUMENTATION = r"""
name: refused_claim
short_description: What is left of a build that could not be begun
version_added: 0.1.0
description:
  - Says why, what became of the volume and what it costs in a month, and what to do.
positional: _input, volume, became, build_id, region
options:
  _input:
    description: Why the build could not be begun.
    type: str
    required: true
  volume:
    description: What M(petal.hpc.ebs_volume) returns of the volume of the build; empty when there is none, or another run holds it.
    type: dict
    required: true
  became:
    description: What became of the volume. V(unknown) when giving it back has failed too.
    type: str
    choices: [deleted, kept, unknown]
    required: true
  build_id:
    description: The build.
    type: str
    required: true
  region:
    description: Its region.
    type: str
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say what is left
  ansible.builtin.debug:
    msg: "{{ 'There is no host.' | petal.hpc.refused_claim(made.volume, 'kept', build_id='a1b2c3d4e5f6', region='us-east-1') }}"
"""

RETURN = r"""
_value:
  description: A few sentences.
  type: str
  sample: "There is no host. The volume vol-0123456789abcdef0 (500 GiB), made for this build and still empty, is deleted: nothing is left."
"""

from ..module_utils._core.build.launch import refused_claim


class FilterModule:
    def filters(self):
        return {"refused_claim": refused_claim}
