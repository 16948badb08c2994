# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.software_mount_path."""

from __future__ import annotations

DOCUMENTATION = r"""
name: software_mount_path
short_description: The mount path of one version of a seed's software
version_added: 0.1.0
description:
  - Names a path for software that is mounted beside an older version of it. A build is for one path; build the seed for this one.
positional: _input
options:
  _input:
    description: A seed, as P(petal.hpc.seed#lookup) returns it.
    type: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say where the next version of a seed's software would be mounted
  ansible.builtin.debug:
    msg: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml') | petal.hpc.software_mount_path }}"
"""

RETURN = r"""
_value:
  description: The path, made of the seed's name and what its software is.
  type: str
  sample: /sw/bioinformatics-01234567
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.upgrade import versioned_path
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.seed.variant import seed_variants


def software_mount_path(seed, **options):
    seed = plain(seed)
    try:
        return versioned_path(seed["cluster"]["name"], seed_variants(plain(seed), **plain(options))[0].fingerprint)
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"software_mount_path": software_mount_path}
