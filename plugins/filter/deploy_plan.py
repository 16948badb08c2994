# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.deploy_plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_plan
short_description: What a deployment would do, cost and risk
version_added: 0.1.0
description:
  - Joins what is decided about a cluster with the snapshot that was found, the cluster that runs under its name, prices, and how the
    volume is read for the first time. Asks AWS nothing.
positional: _input
options:
  _input:
    description: What P(petal.hpc.cluster_plan#filter) returns.
    type: dict
    required: true
  lookup:
    description: What M(petal.hpc.snapshot_registry_info) returned for the seed's fingerprint.
    type: dict
    required: true
  packages:
    description: The specs of the seed.
    type: list
    elements: str
    default: []
  running:
    description: The cluster of that name, as M(petal.hpc.cluster_info) describes it. Left out or empty, there is none.
    type: dict
  differences:
    description: What P(petal.hpc.cluster_difference#filter) says of the running cluster and this plan. Left out, nobody knows.
    type: list
    elements: str
  running_packages:
    description: The specs that the running cluster has. Left out, nobody knows.
    type: list
    elements: str
  reading:
    description: >-
      What is known of the first reads - C(stored_gib), C(first_read_gib) (V(2)), C(hot_list) (V(false)), C(clusters_per_hour) (V(1)),
      C(patience_minutes) (V(10)), C(lazy_mib_per_second) (V(20), an assumption; AWS promises nothing).
    type: dict
  prices:
    description: Prices of storage, as for P(petal.hpc.monthly_cost#filter).
    type: dict
  instance_prices:
    description: USD for an hour, by instance type, in place of the dated prices of us-east-1.
    type: dict
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say what the cluster costs while no job runs
  vars:
    plan: "{{ seed | petal.hpc.cluster_plan(options) | petal.hpc.deploy_plan(lookup=found, packages=seed.software.spack_packages) }}"
  ansible.builtin.debug:
    msg: "{{ plan.cost.idle_usd_month }} USD a month"
"""

RETURN = r"""
_value:
  description: >-
    C(ready), C(cluster), C(action), C(running), C(differences), C(snapshot), C(trace), C(packages), C(cost), C(reading), C(problems),
    C(risks) and
    C(notes).
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.deploy_plan import Facts
from ..module_utils._core.cluster.deploy_plan import deploy_plan as decide
from ..module_utils._core.ebs.hydration import question_from
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.facts.prices import prices_with
from ..module_utils._core.plain import plain


def deploy_plan(
    plan, lookup, packages=(), running=None, running_packages=None, reading=None, prices=None, instance_prices=None, differences=None
):
    plan, lookup = plain(plan), plain(lookup)
    size_gib = (lookup.get("snapshot") or {}).get("size_gib")
    try:
        facts = Facts(
            model=plan["model"],
            problems=plan["problems"],
            notes=plan["notes"],
            lookup=lookup,
            packages=plain(list(packages)),
            prices=prices_with(plain(prices or {})),
            running=plain(running) or None,
            running_packages=None if running_packages is None else plain(list(running_packages)),
            differences=None if differences is None else plain(list(differences)),
            reading=question_from({**plain(reading or {}), "size_gib": size_gib}) if size_gib else None,
            instance_prices=plain(instance_prices or {}),
        )
        return decide(facts)
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"deploy_plan": deploy_plan}
