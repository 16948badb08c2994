# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values from templates, freed of what Ansible adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return a value made of Python's own types only.

    Since ansible-core 2.19 the strings and containers that a filter receives are subclasses, which PyYAML refuses to write.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    for own in (bool, int, float, str):
        if isinstance(value, own):
            return own(value)
    return value


def without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if not is_empty(value)}


def is_empty(value: Any) -> bool:
    """Say whether a value says nothing: zero and False say something, an empty text or list does not."""
    return value is None or value in ("", (), [], {})
