# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.build_claim."""

from __future__ import annotations

DOCUMENTATION = r"""
name: build_claim
short_description: What a build claims before it begins
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Decides which snapshot a build starts from and what volume it needs, or why it must not begin.
  - A snapshot to start from has the same operating system, target, Spack, recipes and options, is proven, and is neither deprecated nor
    retired. The one whose packages leave the least to build is the best.
positional: _input, volumes, snapshots, wishes
options:
  _input:
    description: A variant, as P(petal.hpc.seed_variants#filter) returns it.
    type: dict
    required: true
  volumes:
    description: The volume of the build, as M(petal.hpc.ebs_volume_info) returns it; empty when there is none yet.
    type: list
    elements: dict
    required: true
  snapshots:
    description: Snapshots to choose from, as M(petal.hpc.ebs_snapshot_info) returns them, of any kind.
    type: list
    elements: dict
    required: true
  wishes:
    description:
      - What is asked for. C(size_gib), at least; C(encrypted), false for a volume that is not; C(kms_key_id); C(from_scratch), whether to
        start from nothing; C(vouched), the ids of the snapshots that may be started from, all when left out.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Say what a build would start from
  ansible.builtin.debug:
    msg: "{{ (variant | petal.hpc.build_claim([], found.snapshots)).parent }}"
"""

RETURN = r"""
_value:
  description: The claim.
  type: dict
  contains:
    parent:
      description:
        - The snapshot to start from, with C(snapshot_id), C(fingerprint) and C(generation); empty for none. For a choice also
          C(volume_size_gib), and C(lacks), the number of packages of the seed that are not on it; for the volume of an earlier run
          C(refused), why nothing is to be built on its parent any more.
      type: dict
    candidates:
      description: From which it was chosen, the best first.
      type: list
      elements: dict
    size_gib:
      description: How large the volume has to be, in GiB.
      type: int
      sample: 500
    encrypted:
      description: Whether the volume is, or will be, encrypted.
      type: bool
      sample: true
    kms_key_id:
      description: The key that it is encrypted with, as far as it is known; null for the account's own.
      type: str
    seconds_per_package:
      description: How long a package took in earlier builds that started from nothing; 0 where none tells.
      type: float
      sample: 42.5
    refusal:
      description: Why nothing may be built, and what to do. Empty where nothing speaks against it.
      type: str
      sample: ""
"""

from ..module_utils._core.build.claim import Wishes, plan_claim
from ..module_utils._core.plain import plain


def build_claim(variant, volumes, snapshots, wishes=None):
    return plan_claim(plain(variant), plain(volumes), plain(snapshots), Wishes(**plain(wishes or {}))).to_result()


class FilterModule:
    def filters(self):
        return {"build_claim": build_claim}
