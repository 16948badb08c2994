# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.seed_fix: a seed with everything mended that its recipes can tell."""

from __future__ import annotations

import os
import pathlib
import tempfile

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.recipes.seed_lint import mend_seed, recipes_version
from ..module_utils._git.recipes import ARGUMENT_SPEC, load_recipes
from ..plugin_utils.controller_files import seed_schema


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            {
                **ARGUMENT_SPEC,
                "seed": {"type": "path", "required": True},
                "dest": {"type": "path"},
                "replace": {"type": "bool", "default": False},
                "force": {"type": "bool", "default": False},
                "comment_out": {"type": "bool", "default": False},
            },
            mutually_exclusive=[("dest", "replace")],
        )
        try:
            fixed = fix(options, self._task.check_mode)
        except (ExplainedError, OSError) as error:
            explained = error if isinstance(error, ExplainedError) else ExplainedError(f"Cannot write the seed: {error}.")
            return {**result, "failed": True, **explained.to_result()}
        for problem in fixed["left"]:
            Display().warning(f"Not mended: {problem}")
        return {**result, **fixed}


def fix(options, check_mode):
    """Write the mended seed, unless it is there already; return what was mended, what was not, and the diff."""
    seed = pathlib.Path(options["seed"])
    text = read(seed)
    source = load_recipes(options, recipes_version(text))
    mended = mend_seed(text, seed_schema(), str(seed), source.recipes, options["comment_out"])
    dest = destination(options, seed)
    # A seed without anything to mend needs no copy.
    differs = mended.text != (read(dest) if dest.is_file() else text)
    if differs and dest.is_file() and not (options["replace"] or options["force"]):
        raise ExplainedError(
            f"{dest} exists and says something else.",
            resource=str(dest),
            next_step="Name another file with dest, or overwrite it with force.",
        )
    if differs and not check_mode:
        write(dest, mended.text, like=seed)
    return {
        "changed": differs,
        "dest": str(dest if dest.is_file() or differs else seed),
        "mended": [finding.located(str(seed)) for finding in mended.mended],
        "left": [finding.located(str(dest)) for finding in mended.left],
        "commented_out": mended.commented_out,
        "recipes_version": source.version,
        "recipes_commit": source.commit,
        "diff": {"before_header": str(seed), "after_header": str(dest), "before": text, "after": mended.text},
    }


def read(path):
    """Return a file's text with the ends of its lines as they are."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExplainedError(f"{path} cannot be read: {error}.", next_step="A seed is a YAML file in UTF-8.") from error


def destination(options, seed):
    if options["replace"]:
        return seed
    return pathlib.Path(options["dest"]) if options["dest"] else seed.with_suffix(f".fixed{seed.suffix}")


def write(dest, text, like):
    """Write the file as a whole, with the permissions of the seed it comes from."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=dest.parent, delete=False) as new:
        new.write(text)
    os.chmod(new.name, like.stat().st_mode & 0o7777)
    os.replace(new.name, dest)
