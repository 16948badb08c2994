# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a CPU runs what was built for another."""

from __future__ import annotations

from .errors import ExplainedError

try:
    from archspec.cpu import TARGETS
except ImportError:
    TARGETS = None


def runs_target(microarchitecture: str, target: str) -> bool:
    """Say whether a CPU has every instruction that a target uses; both are archspec names, such as "zen3" and "x86_64_v3".

    Raises ExplainedError when archspec is missing or the target is not one of its names.
    """
    if TARGETS is None:
        raise ExplainedError("The Python library archspec is missing on the controller.", next_step="Run `pip install archspec`.")
    if target not in TARGETS:
        raise ExplainedError(f"archspec knows no CPU target {target!r}.", resource=target, next_step="Use one like x86_64_v3.")
    return TARGETS[microarchitecture] >= TARGETS[target]
