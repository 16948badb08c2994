# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.ebs_profile."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ebs_profile
short_description: The type and speed of a volume for what it will hold
version_added: 0.1.0
description:
  - Returns options for M(petal.hpc.ebs_volume), scaled to the size and within what EC2 allows. gp3 profiles stay within what
    ParallelCluster allows, too.
  - They are a start. Measure with CloudWatch, and change the volume in place when it has too much or too little.
author: petal.hpc contributors (@petal-hpc)
positional: _input
options:
  _input:
    description:
      - What the volume will hold.
      - V(data) - a data set, which is read.
      - V(checkpoint) - what runs write while they wait for it.
      - V(software) - many small files, which all nodes of a cluster read.
      - V(archive) - what is kept and hardly read.
    type: str
    choices: [data, checkpoint, software, archive]
    required: true
  size:
    description: The size in GiB, or a quantity such as V(500Gi).
    type: raw
    required: true
  access:
    description: How V(data) is read. Large data sets that are read in V(sequential) order get st1.
    type: str
    choices: [random, sequential]
    default: random
  shared:
    description: Whether several instances attach the volume at once, each read-only. Gives io2 with multi-attach.
    type: bool
    default: false
seealso:
  - module: petal.hpc.ebs_volume
  - plugin: petal.hpc.monthly_cost
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Have a volume for checkpoints
  petal.hpc.ebs_volume:
    name: checkpoints
    availability_zone: us-east-1a
    size: "{{ profile.size_gib }}"
    volume_type: "{{ profile.volume_type }}"
    iops: "{{ profile.iops | default(omit, true) }}"
    throughput: "{{ profile.throughput | default(omit, true) }}"
  vars:
    profile: "{{ 'checkpoint' | petal.hpc.ebs_profile(size=200) }}"

- name: Say what it costs
  ansible.builtin.debug:
    msg: "{{ ('checkpoint' | petal.hpc.ebs_profile(size=200) | petal.hpc.monthly_cost).usd }} USD a month"
"""

RETURN = r"""
_value:
  description: The profile.
  type: dict
  contains:
    volume_type:
      description: The type.
      type: str
      sample: gp3
    size_gib:
      description: The size in GiB.
      type: int
      sample: 200
    iops:
      description: Provisioned IOPS; null for a type that lets nobody choose them.
      type: int
      sample: 3000
    throughput:
      description: Throughput in MiB/s; null for a type that lets nobody choose it.
      type: int
      sample: 200
    multi_attach:
      description: Whether several instances may attach it.
      type: bool
      sample: false
    reason:
      description: Why this type.
      type: str
      sample: gp3 is the cheapest type whose speed can be chosen; scaled to checkpoint.
"""

import dataclasses

from ansible.errors import AnsibleFilterError

from ..module_utils._core.ebs.volume_profile import choose_profile, wish_from
from ..module_utils._core.errors import ExplainedError


def ebs_profile(purpose, size=None, **wish):
    try:
        return dataclasses.asdict(choose_profile(wish_from({**wish, "purpose": purpose, "size": size})))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"ebs_profile": ebs_profile}
