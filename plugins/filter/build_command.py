# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_command."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_command
short_description: The command that builds a variant of a seed
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns a command that, run as it stands, builds exactly the variant. What the seed alone says is not repeated.
  - The variables of the build host, such as C(build_host_subnet_id), are not in it.
positional: _input, seed, variant
options:
  _input:
    description: The path of the seed.
    type: str
    required: true
  seed:
    description: The seed, as P(petal.hpc.seed#lookup) returns it.
    type: dict
    required: true
  variant:
    description: The variant, as P(petal.hpc.seed_variants#filter) returns it.
    type: dict
    required: true
  region:
    description: The region to build in. Left out or the seed's, it is not repeated.
    type: str
  registry:
    description: The registry to enter the snapshot in.
    type: str
  role_variables:
    description: What was given to the role spack_bootstrap, by whole names. Those that decide the build are repeated.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Say how to build it
  ansible.builtin.debug:
    msg: "{{ 'bioinformatics.yaml' | petal.hpc.build_command(seed, variant, registry='/srv/petal-snapshots') }}"
  vars:
    seed: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml') }}"
    variant: "{{ (seed | petal.hpc.seed_variants(mount_path='/opt/shared')) | first }}"
"""

RETURN = r"""
_value:
  description: The command, quoted for a shell.
  type: str
  sample: ansible-playbook petal.hpc.build_seed -e seed=bioinformatics.yaml -e mount_path=/opt/shared -e registry=/srv/petal-snapshots
"""

from ..module_utils._core.build.command import build_command as command_of
from ..module_utils._core.plain import plain


def build_command(seed_path, seed, variant, region=None, registry=None, role_variables=None):
    return command_of(
        str(seed_path), plain(seed), plain(variant), region=region, registry=registry, role_variables=plain(role_variables or {})
    )


class FilterModule:
    def filters(self):
        return {"build_command": build_command}
