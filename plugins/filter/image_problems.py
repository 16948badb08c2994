# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: image_problems
short_description: What the image lacks of the software that a seed takes from it
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns one sentence for each that is missing, or there in another version.
positional: _input
options:
  _input:
    description: What P(petal.hpc.image_software#filter) returns, each with C(found), the version that is there; empty for none.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse an image without the Slurm that is wanted
  ansible.builtin.assert:
    that: looked | petal.hpc.image_problems | length == 0
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
  sample: ["The image has slurm 23.11.10 in /opt/slurm; the seed takes 24.05.8 from it."]
"""

from ..module_utils._core.software.image_software import image_problems


class FilterModule:
    def filters(self):
        return {"image_problems": image_problems}
