# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What S3 takes for the name of a bucket."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def is_bucket_name(name: str) -> bool:
    """Source: S3 user guide, general purpose bucket naming rules; what S3 keeps for itself is no part of them here."""
    return _NAME.fullmatch(name) is not None and ".." not in name
