# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.ebs_snapshot_retention: runs the module of the same name with paths as the caller means them."""

from __future__ import annotations

from ..plugin_utils.caller_paths import CallerPathsAction


class ActionModule(CallerPathsAction):
    """Nothing more."""
