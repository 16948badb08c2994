# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How git is run where nobody can answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping


def without_prompts(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git and ssh fail rather than ask for a password; a GIT_SSH_COMMAND of the user's stays.

    Source: git(1), GIT_TERMINAL_PROMPT and GIT_SSH_COMMAND; ssh_config(5), BatchMode.
    """
    return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **environment, "GIT_TERMINAL_PROMPT": "0"}


def canonical_git_ref(written: str | None) -> str | None:
    """Return a release's tag also when it was written without its v: 1.2.2 is v1.2.2."""
    return f"v{written}" if written and re.fullmatch(r"\d+(\.\d+)+", written) else written
