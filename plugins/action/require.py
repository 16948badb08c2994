# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.require: refuses to go on without the variables that a playbook needs."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import ManyProblems
from ..module_utils._core.playbook.required_variables import missing_variables

LIST = {"type": "list", "elements": "str", "default": []}


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec({"variables": LIST, "later": LIST, "fail": {"type": "bool", "default": True}})

        def is_given(name):
            value = self._templar.template(task_vars[name]) if name in task_vars else None
            return value not in (None, "", [], {})

        problems = missing_variables(options["variables"], is_given)
        if not problems:
            return {**result, "changed": False, "missing": []}
        problems += missing_variables(options["later"], is_given)
        error = ManyProblems(
            "Variables are missing:", problems, next_step="The playbook begins with a comment that names all its variables."
        )
        if not options["fail"]:
            Display().warning(str(error))
            return {**result, "changed": False, "missing": problems}
        return {**result, "failed": True, **error.to_result(), "missing": problems}
