# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_layout
short_description: Where everything lies on the software volume
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns every path of a software volume by its name. docs/software_volume.md in the collection explains each.
positional: _input, root
options:
  _input:
    description: Where the volume is mounted.
    type: str
    required: true
  root:
    description: Where Spack itself lies. Without it, C(spack) on the volume.
    type: str
"""

EXAMPLES = r"""
- name: Show where the modules lie
  ansible.builtin.debug:
    msg: "{{ ('/shared' | petal.hpc.spack_layout).lmod }}"
"""

RETURN = r"""
_value:
  description: Paths by name, such as C(root), C(software), C(lmod), C(tcl), C(profile), C(petal), C(lock), C(manifest).
  type: dict
"""

from ..module_utils._core.software.layout import layout


class FilterModule:
    def filters(self):
        return {"spack_layout": layout}
