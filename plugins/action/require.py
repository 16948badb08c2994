# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.require: refuses to go on while something is wrong with the variables of a playbook."""

from __future__ import annotations

from ansible.errors import AnsibleUndefinedVariable
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import ManyProblems
from ..module_utils._core.playbook.variables import missing_variables, playbook_definition, problems_of
from ..plugin_utils.controller_files import playbook_variables

ARGUMENTS = {
    "playbook": {"type": "str", "required": True},
    "later": {"type": "bool", "default": False},
    "fail": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(ARGUMENTS)
        definition = playbook_definition(playbook_variables(), options["playbook"])
        given = {name: self._value(task_vars[name]) for name in definition["variables"] if name in task_vars}
        problems = missing_variables(definition, given, "later") if options["later"] else problems_of(definition, given)
        if not problems:
            return {**result, "changed": False, "problems": []}
        error = ManyProblems(
            "The variables are not as the playbook needs them:",
            problems,
            next_step=f"{options['playbook']} begins with a list of its variables; docs/playbook_variables.md says what each is for.",
        )
        if not options["fail"]:
            Display().warning(str(error))
            return {**result, "changed": False, "problems": problems}
        return {**result, "failed": True, **error.to_result()}

    def _value(self, template):
        """Return a value, or None for one that refers to what the playbook has yet to find out."""
        try:
            return self._templar.template(template)
        except AnsibleUndefinedVariable:
            return None
