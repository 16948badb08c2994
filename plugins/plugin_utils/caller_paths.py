# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the actions of modules with paths of the controller have in common."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ..module_utils._core.playbook.caller_paths import absolute_options
from .controller_files import from_caller


class CallerPathsAction(ActionBase):
    """Runs the module of the same name; where that is on the controller, with paths as the caller of Ansible means them."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        # On another host a path is one of that host, and none of our business.
        here = self._connection.transport == "local"
        arguments = absolute_options(self._task.args, from_caller) if here else self._task.args
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars, tmp=tmp)}
