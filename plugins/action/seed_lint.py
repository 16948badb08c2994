# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.seed_lint: seeds against the recipes that they will be built from."""

from __future__ import annotations

import pathlib

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import ExplainedError, ManyProblems
from ..module_utils._core.recipes.seed_lint import lint_seed, recipes_version
from ..module_utils._git.recipes import ARGUMENT_SPEC, Source, load_recipes
from ..plugin_utils.controller_files import seed_schema


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            {
                **ARGUMENT_SPEC,
                "seeds": {"type": "list", "elements": "path", "required": True},
                "unreachable": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
            }
        )
        try:
            linted = lint(options)
        except ExplainedError as error:
            return {**result, "failed": True, **error.to_result()}
        problems = [problem for seed in linted for problem in seed.pop("problems")]
        if problems:
            error = ManyProblems(
                "The seed cannot be built:", problems, next_step="The playbook petal.hpc.fix_seed writes what can be mended."
            )
            return {**result, "failed": True, **error.to_result(), "seeds": linted}
        return {**result, "changed": False, "seeds": linted}


def lint(options):
    """Return what is wrong with each seed, and the recipes it was held against; those of one version are loaded once."""
    schema, sources = seed_schema(), {}
    linted = []
    for path in options["seeds"]:
        text = read(path)
        version = recipes_version(text)
        if version not in sources:
            sources[version] = load(options, version)
        source = sources[version]
        findings = lint_seed(text, schema, path, source.recipes)
        linted.append(
            {
                "path": path,
                "recipes_version": source.version,
                "recipes_commit": source.commit,
                "findings": [finding.to_dict() for finding in findings],
                "problems": [finding.located(path) for finding in findings],
            }
        )
    return linted


def load(options, version):
    try:
        return load_recipes(options, version)
    except ExplainedError as error:
        if options["unreachable"] == "fail":
            raise
        Display().warning(f"The packages of the seed are not checked against the recipes. {error}")
        return Source(None)


def read(path):
    try:
        return pathlib.Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExplainedError(f"{path} cannot be read: {error}.", next_step="A seed is a YAML file in UTF-8.") from error
