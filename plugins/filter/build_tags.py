# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_tags."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_tags
short_description: The tags of a resource that belongs to a build
description:
  - Returns the tags that mark an AWS resource as ours and as part of one build, so that any controller finds it again.
positional: _input, variant, outcome, parent
options:
  _input:
    description: The build id.
    type: str
    required: true
  variant:
    description: The variant that is built, as P(petal.hpc.seed_variants#filter) returns it; its fingerprint and platform become tags.
    type: dict
  outcome:
    description: What its build has told, as for P(petal.hpc.build_software#filter).
    type: dict
  stage:
    description: The last stage that the build has finished.
    type: str
  seed:
    description: The name of the seed.
    type: str
  parent:
    description: The C(parent) that P(petal.hpc.build_claim#filter) returns, for what goes back to another snapshot.
    type: dict
  copy_of:
    description: The volume of the build, for a volume that is a copy of it.
    type: str
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Mark a volume as part of a build
  petal.hpc.ebs_volume:
    name: scratch
    availability_zone: us-east-1a
    size: 100
    tags: "{{ 'a1b2c3d4e5f6' | petal.hpc.build_tags(stage='claimed') }}"
"""

RETURN = r"""
_value:
  description: Tag keys and values.
  type: dict
"""

from ..module_utils._core.build.marks import build_tags


class FilterModule:
    def filters(self):
        return {"build_tags": build_tags}
