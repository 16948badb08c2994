# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What sets two configurations of a cluster apart, key by key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..errors import ExplainedError

try:
    import yaml
except ImportError:  # Ansible itself always has it.
    yaml = None

# By which ParallelCluster tells the items of a list apart. Source: aws-parallelcluster 3.16.1, schemas.cluster_schema (update_key).
IDENTITIES = ("Name", "Key", "BucketName", "Policy", "InstanceType", "Script")
MISSING = object()
LONGEST = 120


def parse_config(text: str, where: str) -> dict[str, Any]:
    """Return a configuration as plain values. where: its file or cluster, for the message. Raises ExplainedError."""
    try:
        config = yaml.safe_load(text)
    except (AttributeError, yaml.YAMLError, RecursionError) as error:
        raise ExplainedError(f"The configuration of {where} is no YAML: {' '.join(str(error).split())}", resource=where) from error
    if not isinstance(config, dict):
        raise ExplainedError(f"The configuration of {where} is no YAML mapping.", resource=where)
    return config


def differences(before: Any, after: Any) -> list[str]:
    """Return a line for each setting that differs: "Scheduling.SlurmQueues[compute].CapacityType: ONDEMAND -> SPOT"."""
    return [f"{path}: {_shown(old)} -> {_shown(new)}" for path, old, new in _walk(before, after, "")]


def _walk(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _walk(before.get(key, MISSING), after.get(key, MISSING), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list) and (identity := _identity(before, after)):
        old, new = ({item[identity]: item for item in listed} for listed in (before, after))
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _walk(old.get(name, MISSING), new.get(name, MISSING), f"{path}[{name}]")
        # The first queue is where jobs go that name none, and scripts run one after the other.
        if list(old) != list(new) and set(old) == set(new):
            yield f"{path} (order)", ", ".join(map(str, old)), ", ".join(map(str, new))
    elif type(before) is not type(after) or before != after:
        yield path, before, after


def _identity(*lists: list[Any]) -> str | None:
    """Return the key by whose values the items of both lists are told apart, or None where there is no such key."""
    for key in IDENTITIES:
        named = [[item.get(key) if isinstance(item, dict) else None for item in listed] for listed in lists]
        if all(isinstance(name, str) for names in named for name in names) and all(len(names) == len(set(names)) for names in named):
            return key
    return None


def _shown(value: Any) -> str:
    if value is MISSING:
        return "(not set)"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
