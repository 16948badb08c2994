# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which snapshot a build can start from, so that only what it lacks has to be built."""

from __future__ import annotations

import hashlib
import json

from .. import tags
from ..software.facts import PASSED, of_variant, software_tags, tagged_software

# A chain of snapshots is as good as its first link: after so many generations a build starts from nothing again.
MOST_GENERATIONS = 10
MARK_DIGITS = 6
# What must be equal, because all packages are built for it: the inputs of the fingerprint but for the packages.
_BASE_FIELDS = ("os", "arch", "target", "spack_version", "recipes_version", "compiler", "mount_path", "externals", "image_id")


def lineage_tags(variant: dict) -> dict[str, str]:
    """Return what a snapshot says for later builds to compare theirs with, beside its software: names of tags without prefix, and values.

    variant: what the filter seed_variants returns. Of more packages than fit into its tags a snapshot holds marks, as many as fit in each.
    """
    if "specs" not in variant:
        return {}
    if tags.PACKAGES in software_tags(of_variant(variant)):
        return {tags.BASE: _base(variant)}
    marks = sorted(_mark(spec) for spec in variant["specs"])
    per_tag = tags.MAX_VALUE // MARK_DIGITS
    chunks = ["".join(marks[start : start + per_tag]) for start in range(0, len(marks), per_tag)]
    return {tags.BASE: _base(variant), **{f"{tags.SPECS}-{number}": chunk for number, chunk in enumerate(chunks, start=1)}}


def rank_parents(variant: dict, snapshots: list[dict], most_generations: int = MOST_GENERATIONS) -> list[dict]:
    """Return the snapshots that a build can start from, first the one that leaves least to build; empty when none would save anything.

    snapshots: as ebs_snapshot_info returns them, of any kind. What is not proven, deprecated or retired would live on, and is left out.
    Of those that lack equally few packages, one with fewer others is better, then a newer one. Packages are compared as the seed
    names them: what they depend on is known only once Spack has chosen versions.
    """
    wanted = {_mark(spec) for spec in variant["specs"]}
    candidates = []
    for snapshot in snapshots:
        held = _marks(snapshot["tags"])
        usable = snapshot["state"] == "completed" and tags.read(snapshot["tags"], tags.BASE) == _base(variant)
        if usable and wanted & held and _generation(snapshot["tags"]) < most_generations and not why_no_parent(snapshot):
            candidates.append((len(wanted & held), -len(held - wanted), snapshot["start_time"], snapshot["snapshot_id"], snapshot))
    return [
        {
            "snapshot_id": best["snapshot_id"],
            "fingerprint": tags.read(best["tags"], tags.FINGERPRINT) or "",
            "volume_size_gib": best["volume_size_gib"],
            "generation": _generation(best["tags"]) + 1,
            "lacks": len(wanted) - shared,
        }
        for shared, _others, _time, _id, best in sorted(candidates, key=lambda candidate: candidate[:4], reverse=True)
    ]


def why_no_parent(snapshot: dict) -> str | None:
    """Return why nothing is to be built on a snapshot any more, or None."""
    for mark in (tags.RETIRED, tags.DEPRECATED):
        if since := tags.read(snapshot["tags"], mark):
            return f"it is {mark} since {since}"
    proof = tags.read(snapshot["tags"], tags.PROOF)
    return None if proof == PASSED else f"its proof is {proof or 'unknown'}"


def parent_of(volume: dict, snapshots: list[dict] = ()) -> dict:
    """Return the parent of a volume that exists: its tags tell; empty for one that was made blank.

    snapshots: as ebs_snapshot_info returns them. `refused` says why nothing is to be built on the parent any more, if it is among them.
    """
    fingerprint = tags.read(volume["tags"], tags.PARENT)
    if not fingerprint:
        return {}
    reason = next((why_no_parent(one) for one in snapshots if one["snapshot_id"] == volume["snapshot_id"]), None)
    known = {"snapshot_id": volume["snapshot_id"], "fingerprint": fingerprint, "generation": _generation(volume["tags"])}
    return {**known, "refused": reason} if reason else known


def seconds_per_package(snapshots: list[dict]) -> float:
    """Return how long a package took on average in builds that started from nothing; 0 when no snapshot tells."""
    builds = [
        (float(seconds), int(count))
        for snapshot in snapshots
        if (seconds := tags.read(snapshot["tags"], tags.BUILD_SECONDS))
        and (count := tags.read(snapshot["tags"], tags.PACKAGE_COUNT))
        and not tags.read(snapshot["tags"], tags.PARENT)
    ]
    packages = sum(count for _seconds, count in builds)
    return round(sum(seconds for seconds, _count in builds) / packages, 1) if packages else 0.0


def _base(variant: dict) -> str:
    # Absent where there are none, so that what was built before they counted has the same base.
    options = {"options": variant["options"]} if variant.get("options") else {}
    text = json.dumps({**options, **{field: variant.get(field) for field in _BASE_FIELDS}}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _mark(spec: str) -> str:
    """Return a few digits that stand for a spec: two that share them would only make a worse choice."""
    return hashlib.sha256(spec.encode()).hexdigest()[:MARK_DIGITS]


def _marks(found: dict[str, str]) -> set[str]:
    if specs := tagged_software(found).specs:
        return {_mark(spec) for spec in specs}
    number, text = 1, ""
    while chunk := tags.read(found, f"{tags.SPECS}-{number}"):
        number, text = number + 1, text + chunk
    return {text[start : start + MARK_DIGITS] for start in range(0, len(text), MARK_DIGITS)}


def _generation(found: dict[str, str]) -> int:
    value = tags.read(found, tags.BUILD_GENERATION) or "0"
    return int(value) if value.isdigit() else 0
