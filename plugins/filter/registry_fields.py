# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: registry_fields
short_description: What a registry is to say of a snapshot that was built
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Reads from the tags of a software snapshot what M(petal.hpc.snapshot_registry) wants to know of it, such as what it was proven by.
positional: _input, variant
options:
  _input:
    description: A snapshot of this account, as M(petal.hpc.ebs_snapshot_info) returns it.
    type: dict
    required: true
  variant:
    description: The variant that it holds, as P(petal.hpc.seed_variants#filter) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Enter a snapshot in a registry
  petal.hpc.snapshot_registry: "{{ snapshot | petal.hpc.registry_fields(variant) | combine(place) }}"
  vars:
    place: {registry: /srv/petal-snapshots, name: bioinformatics-v1}
"""

RETURN = r"""
_value:
  description: Options of M(petal.hpc.snapshot_registry).
  type: dict
"""

from ..module_utils._core.plain import plain
from ..module_utils._core.registry.publication import fields_from


def registry_fields(snapshot, variant):
    return fields_from(plain(snapshot), plain(variant))


class FilterModule:
    def filters(self):
        return {"registry_fields": registry_fields}
