# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How EC2 wants values in its requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# EC2 API reference, "Filtering": at most 200 values in one request's filters.
FILTER_VALUES = 200


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield the values, each of them once, in lists that one filter takes."""
    unique = list(dict.fromkeys(values))
    return (unique[start : start + FILTER_VALUES] for start in range(0, len(unique), FILTER_VALUES))


def literal(value: str) -> str:
    """Escape what EC2's filters take for wildcards."""
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
