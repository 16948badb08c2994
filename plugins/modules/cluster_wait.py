#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: cluster_wait
short_description: Wait until a ParallelCluster is there or gone, and say how it goes
version_added: 0.1.0
description:
  - Looks at the cluster's stack with M(petal.hpc.cluster_info) and prints a line whenever it has come further.
  - Only watches. The stack neither needs it nor notices when it stops, and a new run of the task goes on watching.
  - Takes the options for AWS of M(petal.hpc.cluster_info) too, such as C(region) and C(profile).
options:
  name:
    description: The cluster's name.
    type: str
    required: true
  state:
    description: What to wait for.
    type: str
    choices: [present, absent]
    default: present
  interval:
    description: Seconds between two looks.
    type: float
    default: 15
  timeout:
    description: Seconds after which the task gives up watching and fails; the stack goes on.
    type: float
    default: 3600
attributes:
  action:
    support: full
    description: Runs on the controller.
  check_mode:
    support: full
    description: Does not wait in check mode, where nothing was asked for.
  diff_mode:
    support: none
    description: There is nothing to compare.
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Wait until the cluster can be used
  petal.hpc.cluster_wait:
    name: genomics
    region: us-east-1
"""

RETURN = r"""
cluster:
  description: The cluster, as M(petal.hpc.cluster_info) describes it; null when it is gone.
  returned: always
  type: dict
"""
