# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.cluster_losses."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_losses
short_description: What a seed asks for and a ParallelCluster configuration lacks
description:
  - Compares node counts, instance types, capacity types, allocation strategies, users and S3 buckets, on every kind of node.
positional: _input, seed
options:
  _input:
    description: The configuration, parsed.
    type: dict
    required: true
  seed:
    description: The seed, as P(petal.hpc.seed#lookup) returns it.
    type: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Show what a configuration written by hand lacks
  vars:
    config: "{{ lookup('ansible.builtin.file', 'cluster.yaml') | from_yaml }}"
  ansible.builtin.debug:
    msg: "{{ config | petal.hpc.cluster_losses(lookup('petal.hpc.seed', 'bioinformatics.yaml')) }}"
"""

RETURN = r"""
_value:
  description: A sentence for each loss; empty when there is none.
  type: list
  elements: str
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.losses import find_losses
from ..module_utils._core.plain import plain


def cluster_losses(config, seed):
    try:
        return find_losses(plain(config), plain(seed))
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"This is no ParallelCluster configuration of Slurm queues: {type(error).__name__}: {error}") from error


class FilterModule:
    def filters(self):
        return {"cluster_losses": cluster_losses}
