# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.monthly_cost."""

from __future__ import annotations

DOCUMENTATION = r"""
name: monthly_cost
short_description: What EBS volumes and snapshots cost in a month
version_added: 0.1.0
description:
  - Returns the cost of each volume and snapshot, term by term, and the sum. Asks AWS nothing.
  - A volume is paid for all that is provisioned, whether it is attached and used or not. gp3 costs extra for IOPS above 3000 and for
    throughput above 125 MiB/s; the IOPS of io2 become cheaper above 32000 and above 64000.
  - A snapshot is paid for the blocks that it stores. Without C(stored_gib) the whole size is taken, which is the upper bound.
  - The prices are those of us-east-1 as known on one day, which the result names. Give O(prices) for another region or for today's.
author: petal.hpc contributors (@petal-hpc)
positional: _input
options:
  _input:
    description:
      - A volume or snapshot, or a list of them, as M(petal.hpc.ebs_volume_info) and M(petal.hpc.ebs_snapshot_info) return them.
        Keys that are not named here are ignored.
      - A volume has C(volume_type) and C(size_gib), and may have C(iops) and C(throughput) (MiB/s).
      - A snapshot has C(volume_size_gib), and may have C(storage_tier) (V(standard) or V(archive)), C(stored_gib) (in the standard tier the
        blocks that changed since the snapshot before it, in the archive tier all blocks that hold data), C(fast_restore_zones) (the
        number of zones with fast snapshot restore) and C(fast_restore_hours) (V(730) when left out).
    type: raw
    required: true
  prices:
    description:
      - Prices in USD that replace the known ones, by name. Each name says its unit.
      - The names are C(gp3_gib_month), C(gp3_iops_month), C(gp3_mib_per_second_month), C(gp2_gib_month), C(io1_gib_month),
        C(io1_iops_month), C(io2_gib_month), C(io2_iops_month), C(io2_iops_month_above_32000), C(io2_iops_month_above_64000),
        C(st1_gib_month), C(sc1_gib_month), C(standard_gib_month), C(snapshot_gib_month), C(snapshot_archive_gib_month),
        C(fast_snapshot_restore_zone_hour), C(s3_gib_month) and C(s3_thousand_get_requests).
    type: dict
seealso:
  - plugin: petal.hpc.spot_breakeven
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say what a volume would cost
  ansible.builtin.debug:
    msg: "{{ ({'volume_type': 'gp3', 'size_gib': 500, 'iops': 6000} | petal.hpc.monthly_cost).usd }} USD a month"

- name: List all volumes
  petal.hpc.ebs_volume_info:
  register: found

- name: Say what each project pays for its volumes
  ansible.builtin.debug:
    msg: "{{ item.0 or 'no project' }}: {{ '%.2f' | format(item.1 | map(attribute='usd') | sum) }} USD a month"
  loop: "{{ (found.volumes | petal.hpc.monthly_cost).resources | groupby('project', default='') | map('list') }}"

- name: Say what a snapshot costs in Frankfurt that changes by 20 GiB each time
  ansible.builtin.debug:
    msg: "{{ {'volume_size_gib': 500, 'stored_gib': 20} | petal.hpc.monthly_cost(prices={'snapshot_gib_month': 0.054}) }}"
"""

RETURN = r"""
_value:
  description: The cost.
  type: dict
  contains:
    usd:
      description: The sum in USD for a month.
      type: float
      sample: 55.0
    resources:
      description: The volumes and snapshots in the order of the input.
      type: list
      elements: dict
      contains:
        resource:
          description: The snapshot id, the volume id or the name; null when there is none.
          type: str
          sample: vol-0123456789abcdef0
        name:
          description: The name, or null.
          type: str
          sample: datasets
        owner:
          description: The owner, or an empty string.
          type: str
          sample: ada
        project:
          description: The project, or an empty string.
          type: str
          sample: genomics
        usd:
          description: The cost of this one in USD for a month.
          type: float
          sample: 55.0
        terms:
          description: What it is made of.
          type: list
          elements: dict
          sample: [{what: gp3 storage, quantity: 500, unit: GiB, usd_each: 0.08, usd: 40.0}]
        notes:
          description: What the amount leaves open.
          type: list
          elements: str
          sample: []
    prices:
      description: Where the prices come from - C(date), C(region), C(currency), C(sources), and C(overridden), the names that were given.
      type: dict
      sample: {date: "2026-11-23", region: us-east-1, currency: USD, overridden: []}
"""

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cost.cost import rounded
from ..module_utils._core.cost.resource_cost import label, resource_cost
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.facts.prices import origin, prices_with
from ..module_utils._core.plain import plain


def monthly_cost(resources, prices=None):
    listed = plain([resources] if isinstance(resources, Mapping) else resources)
    if not isinstance(listed, list) or not all(isinstance(resource, dict) for resource in listed):
        raise AnsibleFilterError("monthly_cost takes a volume or snapshot as a dictionary, or a list of them.")
    try:
        all_prices = prices_with(prices)
        costs = [resource_cost(resource, all_prices) for resource in listed]
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    return {
        "usd": rounded(sum(cost.usd for cost in costs)),
        "resources": [{**_identity(resource), **cost.to_result()} for resource, cost in zip(listed, costs, strict=True)],
        "prices": origin(prices),
    }


def _identity(resource):
    # An empty text, not null: Jinja cannot sort the two together, and groupby sorts.
    groups = {key: resource.get(key) or "" for key in ("owner", "project")}
    return {"resource": label(resource), "name": resource.get("name"), **groups}


class FilterModule:
    def filters(self):
        return {"monthly_cost": monthly_cost}
