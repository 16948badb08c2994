# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.stage: one line for each stage of a long job."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

MARK = "petal"


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, stage = self.validate_argument_spec(
            {"name": {"type": "str", "required": True}, "detail": {"type": "str", "default": ""}, "since": {"type": "float"}}
        )
        seconds = round(time.time() - stage["since"], 1) if stage["since"] else None
        clock = f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}" if seconds is not None else "      "
        Display().display(f"{MARK} | {clock} | {stage['name']:<10} | {stage['detail']}", color="cyan")
        stages = [*(task_vars or {}).get("petal_stages", []), {"name": stage["name"], "detail": stage["detail"], "seconds": seconds}]
        return {**result, "changed": False, "ansible_facts": {"petal_stages": stages}}
