# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: image_software
short_description: Where software of the image lies, and what tells its version
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns what a build host has to have when a seed takes software from its image rather than building it.
positional: _input
options:
  _input:
    description: Names of software, V(libfabric), V(openmpi), V(pmix) or V(slurm), each with its version as the software itself says it.
    type: dict
    required: true
seealso:
  - plugin: petal.hpc.image_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show where Slurm has to be
  ansible.builtin.debug:
    msg: "{{ ({'slurm': '24.05.8'} | petal.hpc.image_software | first).prefix }}"
"""

RETURN = r"""
_value:
  description: Sorted by name.
  type: list
  elements: dict
  contains:
    name:
      description: The software.
      type: str
      sample: slurm
    version:
      description: The version that it has to have.
      type: str
      sample: 24.05.8
    prefix:
      description: Where it lies on the image.
      type: str
      sample: /opt/slurm
    version_from:
      description: A file of pkg-config, or a command, that tells the version.
      type: str
      sample: bin/sinfo --version
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.software.image_software import image_software as software_of


def image_software(versions):
    try:
        return software_of(versions)
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"image_software": image_software}
