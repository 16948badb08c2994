# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a build claims before it begins: the snapshot that it starts from, and the volume that it needs; or why it must not begin."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from .parent import parent_of, rank_parents, seconds_per_package

# Each may have to be looked up in registries; the fifth best would hardly save anything.
MOST_CANDIDATES = 5


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the caller of a build asks for.

    size_gib: at least, in GiB. encrypted: None for what the account does by default, which is taken for encrypted. kms_key_id: None for
    the account's key. from_scratch: take no snapshot to start from. vouched: the ids of those that signed entries vouch for; None: all do.
    """

    size_gib: int = 500
    encrypted: bool | None = None
    kms_key_id: str | None = None
    from_scratch: bool = False
    vouched: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a build claims.

    parent: the snapshot to start from, as rank_parents or parent_of have it; empty for none. candidates: from which it was chosen.
    size_gib, encrypted, kms_key_id: of the volume, as far as they are known before it is made.
    seconds_per_package: how long earlier builds took for one, 0 where nobody knows. refusal: why nothing may be built; empty: go on.
    """

    parent: dict[str, Any]
    candidates: tuple[dict[str, Any], ...]
    size_gib: int
    encrypted: bool
    kms_key_id: str | None
    seconds_per_package: float
    refusal: str

    def to_result(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "candidates": list(self.candidates)}


def plan_claim(variant: dict[str, Any], volumes: list[dict[str, Any]], snapshots: list[dict[str, Any]], wishes: Wishes) -> Claim:
    """Decide what a build of a variant claims.

    volumes: of this build, as ebs_volume_info returns them, which an earlier run has left. snapshots: as ebs_snapshot_info returns them.
    """
    there = volumes[0] if volumes else {}
    candidates = _candidates(variant, there, snapshots, wishes)
    vouched = [one for one in candidates if wishes.vouched is None or one["snapshot_id"] in wishes.vouched]
    parent = vouched[0] if vouched else {}
    origin = there or next((one for one in snapshots if one["snapshot_id"] == parent.get("snapshot_id")), {})
    return Claim(
        parent=parent,
        candidates=tuple(candidates),
        size_gib=max(wishes.size_gib, parent.get("volume_size_gib") or 0, there.get("size_gib") or 0),
        encrypted=bool(there["encrypted"]) if there else bool(origin.get("encrypted")) or wishes.encrypted is not False,
        kms_key_id=there.get("kms_key_id") if there else wishes.kms_key_id or origin.get("kms_key_id"),
        seconds_per_package=seconds_per_package(snapshots),
        refusal=_refusal(there, candidates, parent, wishes),
    )


def _candidates(variant: dict[str, Any], there: dict[str, Any], snapshots: list[dict[str, Any]], wishes: Wishes) -> list[dict[str, Any]]:
    """Return the snapshots to choose from, the best first; of a volume that is there, the one that it was made from."""
    if there:
        parent = parent_of(there, snapshots)
        return [parent] if parent else []
    if wishes.from_scratch:
        return []
    # What is made from an encrypted snapshot is encrypted.
    usable = snapshots if wishes.encrypted is not False else [one for one in snapshots if not one["encrypted"]]
    return rank_parents(variant, usable)[:MOST_CANDIDATES]


def _refusal(there: dict[str, Any], candidates: Iterable[dict[str, Any]], parent: dict[str, Any], wishes: Wishes) -> str:
    """Return why the volume of an earlier run must not be built on, and what to do; nothing speaks against a new one."""
    made_from = next(iter(candidates), None) if there else None
    if made_from is None:
        return ""
    way_on = "Delete the volume with the playbook build_cancel and delete_volume=true, then run this again."
    volume = f"volume {there['volume_id']} of an earlier run was made from {made_from['snapshot_id']}"
    if not parent:
        return f"The {volume}: no entry that is signed as require_signature asks for vouches for it. {way_on}"
    if parent.get("refused"):
        return f"The {volume}: {parent['refused']}. {way_on}"
    if wishes.from_scratch:
        return f"from_scratch is set, but the {volume}. {way_on}"
    return ""
