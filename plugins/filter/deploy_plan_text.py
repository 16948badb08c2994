# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.deploy_plan_text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_plan_text
short_description: A deployment's plan, for a person to read and approve
version_added: 0.1.0
description:
  - Writes what P(petal.hpc.deploy_plan#filter) returns as text.
positional: _input
options:
  _input:
    description: The plan.
    type: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ (plan | petal.hpc.deploy_plan_text).splitlines() }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

from ..module_utils._core.cluster.deploy_plan import plan_text
from ..module_utils._core.plain import plain


def deploy_plan_text(plan):
    return plan_text(plain(plan))


class FilterModule:
    def filters(self):
        return {"deploy_plan_text": deploy_plan_text}
