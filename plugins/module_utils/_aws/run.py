# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The frame of every module that calls AWS: made, run, and ended in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .._core.errors import ExplainedError


def run_module(run: Callable[[AnsibleAWSModule], dict[str, Any]], argument_spec: dict[str, Any], **rules: Any) -> None:
    """Make the module, run it, and exit or fail with its result.

    run: returns the module's result; the texts under "warnings" in it are shown, and "failed" makes it a failure.
    rules: further arguments of AnsibleAWSModule, such as required_if.
    """
    module = AnsibleAWSModule(argument_spec=argument_spec, supports_check_mode=True, **rules)
    try:
        result = run(module)
    except ExplainedError as error:
        module.fail_json(**error.to_result())
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
