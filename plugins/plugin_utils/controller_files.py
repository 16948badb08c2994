# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of the controller: those that the caller of Ansible names."""

from __future__ import annotations

import os


def from_caller(path):
    """Return an absolute path, ~ expanded; a relative one counts from the directory in which Ansible was started. A link stays one.

    Tasks run in children of the process that was started, in its directory.
    """
    return os.path.abspath(os.path.expanduser(path))
