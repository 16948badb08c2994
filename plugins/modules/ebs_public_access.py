#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ebs_public_access
version_added: 0.1.0
short_description: Block public access to the EBS snapshots of an account
description:
  - Says for one or more regions whether the account's snapshots can be public. It holds for the whole account there.
options:
  state:
    description:
      - V(blocked-all-sharing) - no snapshot can be made public, and those that are public are hidden from other accounts.
      - V(blocked-new-sharing) - no snapshot can be made public; those that are public stay so.
      - V(unblocked) - snapshots can be made public, and those that were hidden are public again.
    type: str
    choices: [blocked-all-sharing, blocked-new-sharing, unblocked]
    required: true
  regions:
    description:
      - The regions that it is to hold for, all at once. A region that fails does not stop the others.
      - Left out, the region of the task.
    type: list
    elements: str
seealso:
  - module: petal.hpc.ebs_snapshot
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - petal.hpc.ebs
"""

EXAMPLES = r"""
- name: Let no snapshot of the account be public where we work
  petal.hpc.ebs_public_access:
    state: blocked-all-sharing
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Allow public snapshots in one region, from which official software is published
  petal.hpc.ebs_public_access:
    state: unblocked
    region: us-east-1
"""

RETURN = r"""
regions:
  description: What became of each region, in the order of O(regions).
  returned: always
  type: list
  elements: dict
  contains:
    region:
      description: The region.
      type: str
      sample: us-east-1
    state:
      description: Its state after the task, or as it would be.
      type: str
      returned: on success
      sample: blocked-all-sharing
    changed:
      description: Whether it was or would be changed.
      type: bool
      sample: true
    failed:
      description: Whether it failed.
      type: bool
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: on failure
      sample: A policy of the organization holds us-east-1 unblocked.
"""

from ..module_utils._aws.fleet import at_once
from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshot_features import SnapshotFeatures
from ..module_utils._core.ebs.public_access import STATES, plan_public_access
from ..module_utils._core.errors import ExplainedError

ARGUMENT_SPEC = {
    "state": {"choices": list(STATES.values()), "required": True},
    "regions": {"type": "list", "elements": "str"},
}
REGIONS_AT_ONCE = 16


def run(state, features, check_mode):
    """Bring each region to the state; features: by region, SnapshotFeatures or its fake. Raises ExplainedError when one failed."""

    def converge(region):
        try:
            plan = plan_public_access(state, features[region].public_access(), region)
            if plan.changed and not check_mode:
                features[region].set_public_access(state)
        except ExplainedError as error:
            return {"region": region, "changed": False, "failed": True, **error.to_result()}, None
        return {"region": region, "changed": plan.changed, "failed": False, **plan.after}, plan

    results, plans = zip(*at_once(converge, features, REGIONS_AT_ONCE), strict=True)
    decided = {region: plan for region, plan in zip(features, plans, strict=True) if plan}
    outcome = {
        "changed": any(result["changed"] for result in results),
        "regions": list(results),
        "diff": {
            "before": {region: plan.before["state"] for region, plan in decided.items()},
            "after": {region: plan.after["state"] for region, plan in decided.items()},
        },
    }
    failed = [result for result in results if result["failed"]]
    if failed:
        reasons = " ".join(f"{result['region']}: {result['msg']}" for result in failed)
        raise ExplainedError(f"{len(failed)} of {len(results)} regions failed: {reasons}", **outcome)
    return outcome


def run_for(module):
    regions = dict.fromkeys(module.params["regions"] or [module.region])
    features = {region: SnapshotFeatures(module.client("ec2", region=region)) for region in regions}
    return run(module.params["state"], features, module.check_mode)


def main():
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
