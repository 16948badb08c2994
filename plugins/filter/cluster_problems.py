# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.cluster_problems."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_problems
short_description: What is wrong with a finished ParallelCluster configuration although ParallelCluster accepts it
description:
  - Checks shared storage, where ParallelCluster 3.16 lets overlapping directories pass, and a snapshot beside a volume id or RAID.
positional: _input
options:
  _input:
    description: The configuration, parsed.
    type: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Check a configuration written by hand
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'cluster.yaml') | from_yaml | petal.hpc.cluster_problems }}"
"""

RETURN = r"""
_value:
  description: A sentence for each problem, with its fix; empty when there is none.
  type: list
  elements: str
"""

from ..module_utils._core.cluster.storage import shared_storage_problems
from ..module_utils._core.plain import plain


def cluster_problems(config):
    return shared_storage_problems("", plain(config.get("SharedStorage") or []))


class FilterModule:
    def filters(self):
        return {"cluster_problems": cluster_problems}
