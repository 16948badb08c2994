# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_environment
short_description: A seed's packages as one Spack environment
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns the content of C(spack.yaml). All packages are in one environment, so Spack concretises them together, and the result does
    not depend on their order.
positional: _input, paths
options:
  _input:
    description: Specs of the packages that are asked for.
    type: list
    elements: str
    required: true
  paths:
    description: The paths of the volume, as P(petal.hpc.spack_layout#filter) returns them.
    type: dict
    required: true
  compiler:
    description: A compiler that is built first and then used for every package. Without it, the host's own.
    type: str
  lmod:
    description: Whether Lmod joins the packages.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Write the environment
  ansible.builtin.copy:
    content: "{{ ['samtools@1.17', 'zlib'] | petal.hpc.spack_environment('/shared' | petal.hpc.spack_layout) | to_nice_yaml }}"
    dest: /shared/.petal/spack.yaml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The content of C(spack.yaml).
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.software.environment import environment


def spack_environment(packages, paths, compiler=None, lmod=False):
    try:
        return environment(plain(list(packages)), plain(paths), compiler=plain(compiler), lmod=lmod)
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"spack_environment": spack_environment}
