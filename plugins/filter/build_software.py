# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_software."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_software
short_description: All that is known of the software that a build makes
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Puts together what a variant asks for and what its build has told, with the names that registries have for it.
  - What is not known is left out.
positional: _input, outcome, parent
options:
  _input:
    description: A variant, as P(petal.hpc.seed_variants#filter) returns it.
    type: dict
    required: true
  outcome:
    description:
      - What the build has told, of the options C(roots), C(package_count), C(lock), C(spack_lock), C(manifest), C(sbom), C(proof) and
        C(seconds) of M(petal.hpc.snapshot_registry).
    type: dict
    default: {}
  parent:
    description: The C(parent) of what P(petal.hpc.build_claim#filter) returned, which it started from.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Enter what was built in a registry
  petal.hpc.snapshot_registry: "{{ variant | petal.hpc.build_software({'proof': 'passed'}) | combine(place) }}"
  vars:
    place: {registry: /srv/petal-snapshots, name: bioinformatics-v1, snapshot_id: snap-0123456789abcdef0}
"""

RETURN = r"""
_value:
  description: Options of M(petal.hpc.snapshot_registry).
  type: dict
"""

from ..module_utils._core.plain import plain
from ..module_utils._core.software.facts import of_variant


def build_software(variant, outcome=None, parent=None):
    return of_variant(plain(variant), plain(outcome or {}), plain(parent or {})).said


class FilterModule:
    def filters(self):
        return {"build_software": build_software}
