# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.spot_breakeven."""

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_breakeven
short_description: From how many restarts on a volume costs less than downloading from S3
version_added: 0.1.0
description:
  - Compares two ways to give a data set to spot instances that are interrupted and restarted - a volume that moves to the new instance,
    and a download from S3 after each restart.
  - The documents from which this collection began say that EBS pays above 3 restarts a month, and in another place above about 80, for the
    same data set. Neither holds in general, because the instance price decides. So it is computed here, and not quoted.
  - Paid are the volume, storage and requests of S3, and the instance while it waits for its data. What the waiting of people costs is not.
author: petal.hpc contributors (@petal-hpc)
positional: _input
options:
  _input:
    description: The size of the data set in GiB, or a quantity such as V(500Gi).
    type: raw
    required: true
  restarts_per_month:
    description: How often an instance starts without the data.
    type: float
    required: true
  download_mib_per_second:
    description: The rate at which the data comes from S3, in MiB/s.
    type: float
    required: true
  instance_usd_per_hour:
    description: What the instance costs in USD an hour, at its spot price.
    type: float
    required: true
  volume_hours_per_month:
    description: How long the volume exists, in hours a month. All of it when left out.
    type: float
    default: 730
  volume_type:
    description: The type of the volume.
    type: str
    choices: [gp3, gp2, io1, io2, st1, sc1, standard]
    default: gp3
  iops:
    description: Provisioned IOPS of the volume. EC2's default when left out.
    type: int
  throughput:
    description: Throughput of a gp3 volume in MiB/s. EC2's default when left out.
    type: int
  attach_minutes:
    description: How long a restarted instance waits for its volume.
    type: float
    default: 1
  fills_per_month:
    description: How often the volume is filled from S3 in a month.
    type: float
    default: 1
  keep_s3_copy:
    description: Whether the data stays in S3 as well. A volume lives in one zone, and a copy in S3 does not.
    type: bool
    default: true
  prices:
    description: Prices in USD that replace the known ones, by name, as for P(petal.hpc.monthly_cost#filter).
    type: dict
seealso:
  - plugin: petal.hpc.storage_advice
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say whether a volume pays for 500 GiB and ten interruptions a month
  ansible.builtin.debug:
    msg: "{{ (500 | petal.hpc.spot_breakeven(restarts_per_month=10, download_mib_per_second=284, instance_usd_per_hour=0.10)).sentence }}"

- name: The same on an instance with eight GPUs, with a volume that exists on working days
  ansible.builtin.debug:
    msg: >-
      {{ '500Gi' | petal.hpc.spot_breakeven(restarts_per_month=10, download_mib_per_second=284, instance_usd_per_hour=12,
      volume_hours_per_month=520) }}
"""

RETURN = r"""
_value:
  description: The comparison.
  type: dict
  contains:
    cheaper:
      description: V(ebs) or V(s3).
      type: str
      sample: s3
    ebs_usd:
      description: What a month costs with the volume, in USD.
      type: float
      sample: 51.5923
    s3_usd:
      description: What a month costs with downloads, in USD.
      type: float
      sample: 12.2568
    break_even_restarts:
      description: Above how many restarts a month EBS is cheaper; null when a restart costs no less with EBS.
      type: float
      sample: 541.5
    ebs_waiting_hours:
      description: How long the instances wait for the volume, in hours a month.
      type: float
      sample: 0.17
    s3_waiting_hours:
      description: How long the instances wait for downloads, in hours a month.
      type: float
      sample: 5.01
    sentence:
      description: The result for people.
      type: str
      sample: With 10 restarts a month EBS costs 51.59 USD and S3 12.26 USD; EBS is cheaper above 541.5 restarts a month.
    prices:
      description: Where the prices come from, as for P(petal.hpc.monthly_cost#filter).
      type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cost.storage_advice import compare, workload_from
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.facts.prices import origin, prices_with


def spot_breakeven(dataset, prices=None, **workload):
    try:
        comparison = compare(workload_from({**workload, "dataset_gib": dataset}), prices_with(prices))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    return {**comparison.to_result(), "prices": origin(prices)}


class FilterModule:
    def filters(self):
        return {"spot_breakeven": spot_breakeven}
