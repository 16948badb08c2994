# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ParallelCluster's own command, which lives in an environment of its own, and what it answers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from .._core.errors import ExplainedError, ManyProblems

# (arguments, extra environment) -> (exit status, output, errors)
RunCommand = Callable[[list[str], dict[str, str]], tuple[int, str, str]]


class PclusterCommand:
    """executable: the path of `pcluster`. Each method returns once AWS has taken the request; it does not wait for the stack."""

    def __init__(self, run_command: RunCommand, executable: str, region: str) -> None:
        self.run_command, self.executable, self.region = run_command, executable, region

    def create(self, name: str, config: str) -> dict[str, Any]:
        return self._run("create", name, ["create-cluster", "--cluster-configuration", config])

    def update(self, name: str, config: str) -> dict[str, Any]:
        return self._run("update", name, ["update-cluster", "--cluster-configuration", config])

    def delete(self, name: str) -> dict[str, Any]:
        return self._run("delete", name, ["delete-cluster"])

    def _run(self, verb: str, name: str, arguments: list[str]) -> dict[str, Any]:
        command = [self.executable, *arguments, "--cluster-name", name, "--region", self.region]
        # Beside the executable lies the Python that it needs, and it looks for node on the PATH.
        path = os.pathsep.join([os.path.dirname(self.executable), os.environ.get("PATH", "")])
        status, output, errors = self.run_command(command, {"PATH": path, "PYTHONWARNINGS": "ignore"})
        answer = _answer(output)
        if status == 0 and answer is not None:
            return answer
        raise _refusal(verb, name, answer, (errors or output).strip())


def _answer(output: str) -> dict[str, Any] | None:
    """Return the JSON that the command prints; warnings of its libraries may stand before it."""
    start = output.find("{")
    try:
        return json.loads(output[start:]) if start >= 0 else None
    except ValueError:
        return None


def _refusal(verb: str, name: str, answer: dict[str, Any] | None, text: str) -> ExplainedError:
    what = f"aws-parallelcluster does not {verb} cluster {name}"
    if answer is None:
        return ExplainedError(f"{what}: {text[-1000:]}", resource=name, next_step="See the log of pcluster in ~/.parallelcluster.")
    validated = [f"{one.get('type')}: {one.get('message')}" for one in answer.get("configurationValidationErrors") or []]
    refused = [f"{one.get('parameter')}: {one.get('message')}" for one in answer.get("updateValidationErrors") or []]
    message = answer.get("message", "")
    return ManyProblems(f"{what}: {message}", validated + refused, resource=name)
