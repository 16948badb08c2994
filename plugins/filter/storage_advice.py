# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.storage_advice."""

from __future__ import annotations

DOCUMENTATION = r"""
name: storage_advice
short_description: Whether to keep a data set on EBS or in S3, and by which rule
version_added: 0.1.0
description:
  - Returns where to keep the data, the rule that decided, and all other rules that fired. What is not given is not asked.
  - "The rules, in the order in which they decide:"
  - C(checkpoint_bound) - runs wait for their checkpoints. EBS, for the checkpoints.
  - C(small_dataset) - less than 1 GiB. S3.
  - C(short_run) - a single run of less than half an hour. S3.
  - C(rare_runs) - less than one run a month. S3.
  - C(break_even) - what costs less, as P(petal.hpc.spot_breakeven#filter) computes it. Needs O(restarts_per_month),
    O(download_mib_per_second) and O(instance_usd_per_hour).
  - C(restarts) - more than 3 restarts a month. EBS.
  - C(long_run) - a run takes more than an hour. EBS.
  - C(large_dataset) - more than 10 GiB. EBS.
  - C(default) - no rule fired. S3.
author: petal.hpc contributors (@petal-hpc)
positional: _input
options:
  _input:
    description: The size of the data set in GiB, or a quantity such as V(500Gi) or V(200Mi).
    type: raw
    required: true
  run_hours:
    description: How long a run takes, in hours.
    type: float
  runs_per_month:
    description: How many runs there are in a month. When left out, C(short_run) takes a run to be the only one.
    type: float
  restarts_per_month:
    description: How often an instance starts without the data.
    type: float
  checkpoint_bound:
    description: Whether runs wait for their checkpoints to be written.
    type: bool
    default: false
  download_mib_per_second:
    description: The rate at which the data comes from S3, in MiB/s.
    type: float
  instance_usd_per_hour:
    description: What the instance costs in USD an hour, at its spot price.
    type: float
  prices:
    description: Prices in USD that replace the known ones, by name, as for P(petal.hpc.monthly_cost#filter).
    type: dict
seealso:
  - plugin: petal.hpc.spot_breakeven
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask where a data set should be
  ansible.builtin.debug:
    msg: "{{ 500 | petal.hpc.storage_advice(run_hours=6, restarts_per_month=10) }}"

- name: Ask again, with what decides
  ansible.builtin.debug:
    msg: >-
      {{ (500 | petal.hpc.storage_advice(run_hours=6, restarts_per_month=10, download_mib_per_second=284,
      instance_usd_per_hour=0.10)).reason }}
"""

RETURN = r"""
_value:
  description: The advice.
  type: dict
  contains:
    storage:
      description: V(ebs) or V(s3).
      type: str
      sample: ebs
    rule:
      description: The name of the rule that decided.
      type: str
      sample: long_run
    reason:
      description: What the rule says.
      type: str
      sample: A run takes more than 1 hour.
    fired:
      description: Every rule that fired, the one that decided first, each with C(storage), C(rule) and C(reason).
      type: list
      elements: dict
      sample: [{storage: ebs, rule: long_run, reason: A run takes more than 1 hour.}]
"""

import dataclasses

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cost.storage_advice import advise, question_from
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.facts.prices import prices_with


def storage_advice(dataset, prices=None, **question):
    try:
        fired = advise(question_from({**question, "dataset_gib": dataset}), prices_with(prices))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    listed = [dataclasses.asdict(advice) for advice in fired]
    return {**listed[0], "fired": listed}


class FilterModule:
    def filters(self):
        return {"storage_advice": storage_advice}
