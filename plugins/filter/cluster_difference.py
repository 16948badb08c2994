# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.cluster_difference."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_difference
short_description: What sets two ParallelCluster configurations apart
version_added: 0.1.0
description:
  - Compares two configurations key by key. Items of lists are told apart by their name, so that a new queue is one difference.
  - Comments, white space and the order of keys make no difference.
positional: _input, after
options:
  _input:
    description: The text of the one, such as C(config) of M(petal.hpc.cluster_info).
    type: str
    required: true
  after:
    description: The text of the other.
    type: str
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Show how a file differs from what a cluster runs with
  ansible.builtin.debug:
    msg: "{{ found.clusters[0].config | petal.hpc.cluster_difference(lookup('ansible.builtin.file', 'genomics.cluster.yaml')) }}"
"""

RETURN = r"""
_value:
  description: A line for each setting, the old value and the new one; empty when there is none.
  type: list
  elements: str
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.difference import differences, parse_config
from ..module_utils._core.errors import ExplainedError


def cluster_difference(config, after):
    try:
        return differences(parse_config(str(config), "the cluster"), parse_config(str(after), "the other file"))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"cluster_difference": cluster_difference}
