# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.cluster_plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_plan
short_description: What a ParallelCluster configuration for a seed has to contain
description:
  - Groups the instance types of each queue as ParallelCluster demands, shares the node counts out without loss, and checks
    ParallelCluster's rules before AWS is asked.
positional: _input, options
options:
  _input:
    description: A seed, as P(petal.hpc.seed#lookup) returns it.
    type: dict
    required: true
  options:
    description: >-
      The variables of the role C(petal.hpc.cluster_config) without their prefix, for example C(subnet_id) and C(snapshot_id).
      Those left out, empty or V(null) take the role's defaults.
    type: dict
    default: {}
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Refuse a seed that ParallelCluster would refuse
  vars:
    plan: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml') | petal.hpc.cluster_plan({'subnet_id': 'subnet-0123456789abcdef0'}) }}"
  ansible.builtin.assert:
    that: plan.problems == []
    fail_msg: "{{ plan.problems }}"
"""

RETURN = r"""
_value:
  description: >-
    C(model), the variables of the templates; C(problems), sentences that say why the configuration would be refused and what to
    change; C(notes), sentences worth knowing.
  type: dict
"""

import dataclasses

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.plan import ClusterOptions, plan_cluster
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain


def cluster_plan(seed, options=None):
    known = {field.name for field in dataclasses.fields(ClusterOptions)}
    given = plain(options or {})
    unknown = sorted(set(given) - known)
    if unknown:
        raise AnsibleFilterError(f"cluster_plan: unknown options {', '.join(unknown)}. Known are {', '.join(sorted(known))}.")
    try:
        plan = plan_cluster(plain(seed), ClusterOptions(**{name: value for name, value in given.items() if value not in (None, "")}))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    return dataclasses.asdict(plan)


class FilterModule:
    def filters(self):
        return {"cluster_plan": cluster_plan}
