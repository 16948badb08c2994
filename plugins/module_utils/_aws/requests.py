# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How EC2 wants values in its requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._core.errors import ManyProblems

# EC2 API reference, "Filtering": at most 200 values in one request's filters.
FILTER_VALUES = 200
# botocore's adaptive mode slows down by itself when AWS throttles; ten tries last about a minute.
CLIENT_CONFIG = {"retries": {"mode": "adaptive", "max_attempts": 10}, "max_pool_connections": 32}


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield the values, each of them once, in lists that one filter takes."""
    unique = list(dict.fromkeys(values))
    return (unique[start : start + FILTER_VALUES] for start in range(0, len(unique), FILTER_VALUES))


def literal(value: str) -> str:
    """Escape what EC2's filters take for wildcards."""
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def filter_values(filters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return a user's filters, each a value or a list of values, as EC2 compares them: text, and YAML's true is "true".

    Raises ManyProblems for values that are no text.
    """
    lists = {name: value if isinstance(value, (list, tuple)) else [value] for name, value in filters.items()}
    wrong = [name for name, values in lists.items() if any(value is None or isinstance(value, (Mapping, list, tuple)) for value in values)]
    if wrong:
        raise ManyProblems(
            "These filters have values that are no text:",
            [f"{name}: {filters[name]!r}" for name in wrong],
            next_step="Give each a value or a list of values.",
        )
    return {name: [str(value).lower() if isinstance(value, bool) else str(value) for value in values] for name, values in lists.items()}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
