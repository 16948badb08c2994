# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.build_info: runs the module of the same name, again and again while it is to watch."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.build.state import build_line


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        # Templates give strings; the module's own options are checked by the module.
        watch = str(arguments.pop("watch", False)).lower() in ("true", "yes", "1")
        interval = float(arguments.pop("interval", 10))
        shown = set()
        while True:
            answer = self._execute_module(module_args=arguments, task_vars=task_vars)
            builds = answer.get("builds", [])
            if not watch or answer.get("failed"):
                return {**result, **answer}
            for line in map(build_line, builds):
                if line not in shown:
                    Display().display(line, color="cyan")
                    shown.add(line)
            if not any(build["running"] for build in builds):
                return {**result, **answer}
            time.sleep(interval)
