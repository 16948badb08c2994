# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A user's own settings, merged into a rendered cluster configuration."""

from __future__ import annotations

from typing import Any

# What tells the items of ParallelCluster's lists apart: queues and storage by name, tags by key.
IDENTITIES = ("Name", "Key")


def merge_overrides(config: Any, overrides: Any) -> Any:
    """Return the configuration with the overrides in it.

    Mappings are merged key by key. Lists of named items are merged by name, unknown names are added; every other list, and
    every plain value, is replaced. None removes a key.
    """
    if isinstance(config, dict) and isinstance(overrides, dict):
        merged = {key: merge_overrides(config.get(key), value) for key, value in overrides.items()}
        return {key: value for key, value in {**config, **merged}.items() if value is not None or key not in overrides}
    if isinstance(config, list) and isinstance(overrides, list):
        return _merge_lists(config, overrides)
    return overrides


def _merge_lists(items: list, overrides: list) -> list:
    identity = next((name for name in IDENTITIES if all(isinstance(item, dict) and name in item for item in items + overrides)), None)
    if identity is None:
        return overrides
    changes = {item[identity]: item for item in overrides}
    merged = [merge_overrides(item, changes.pop(item[identity], {})) for item in items]
    return merged + list(changes.values())
