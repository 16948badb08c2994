# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.build_lease: names the run that asks, then runs the module of the same name."""

from __future__ import annotations

import os
import socket

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        # Tasks run in children of the ansible-playbook process: our parent is the run itself. On a build host that goes on with
        # no controller, every run is one holder.
        holder = self._task.args.get("holder") or os.environ.get("PETAL_BUILD_HOLDER") or f"{socket.gethostname()}/{os.getppid()}"
        arguments = {**self._task.args, "holder": holder}
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars, tmp=tmp)}
