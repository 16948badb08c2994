# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.spec_name."""

from __future__ import annotations

DOCUMENTATION = r"""
name: spec_name
short_description: The package that a Spack spec is about
version_added: 0.1.0
description:
  - Returns the package's name, without version, options, dependencies and namespace.
  - Modules on the software volume are called so.
positional: _input
options:
  _input:
    description: A Spack spec.
    type: str
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: List the packages of a seed
  ansible.builtin.debug:
    msg: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml').software.spack_packages | map('petal.hpc.spec_name') }}"
"""

RETURN = r"""
_value:
  description: The name.
  type: str
  sample: samtools
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.software.spec import spec_name as name_of


def spec_name(spec):
    try:
        return name_of(spec)
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    def filters(self):
        return {"spec_name": spec_name}
