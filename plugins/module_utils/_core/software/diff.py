# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What changes for users when one set of packages takes the place of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from .spec import canonical_spec, spec_name


def compare_packages(wanted: Iterable[str], running: Iterable[str] | None) -> dict[str, Any]:
    """Compare specs by package; order, repetition and spelling do not count.

    running: None when nobody knows what the cluster has.
    Returns {"known", "added", "removed", "changed": [{"package", "before", "after"}], "unchanged": number}; specs are canonical.
    """
    after = _by_name(wanted)
    if running is None:
        return {"known": False, "added": [], "removed": [], "changed": [], "unchanged": 0}
    before = _by_name(running)
    both = sorted(before.keys() & after.keys())
    return {
        "known": True,
        "added": [spec for name in sorted(after.keys() - before.keys()) for spec in after[name]],
        "removed": [spec for name in sorted(before.keys() - after.keys()) for spec in before[name]],
        "changed": [{"package": name, "before": before[name], "after": after[name]} for name in both if before[name] != after[name]],
        "unchanged": sum(before[name] == after[name] for name in both),
    }


def _by_name(specs: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for spec in sorted({canonical_spec(spec) for spec in specs}):
        found[spec_name(spec)].append(spec)
    return dict(found)
