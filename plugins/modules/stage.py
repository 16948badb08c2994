#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin petal.hpc.stage."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stage
short_description: Say which stage a long job has reached
description:
  - Prints one line with the time since the start, the stage and what came of it, at once, also under ansible-runner and AWX.
  - Adds the stage to the fact C(petal_stages) of the host, so that a job can return its stages as data.
  - It decides and changes nothing.
options:
  name:
    description: The stage.
    type: str
    required: true
  detail:
    description: What came of it, with ids.
    type: str
    default: ""
  since:
    description: When the job started, in seconds since the epoch. Left out, the line shows no time.
    type: float
attributes:
  check_mode:
    description: Prints the same line in check mode.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say that the volume is there
  petal.hpc.stage:
    name: volume
    detail: vol-0123456789abcdef0, 500 GiB gp3 in us-east-1a
"""

RETURN = r"""
ansible_facts:
  description: The stages so far.
  returned: always
  type: dict
  contains:
    petal_stages:
      description: One dictionary for each stage, with C(name), C(detail) and C(seconds) since the start.
      type: list
      elements: dict
"""
