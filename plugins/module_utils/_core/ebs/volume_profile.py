# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A volume's type and speed for what it will hold: a start from which to measure, within what EC2 allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..facts.volume_limits import LIMITS, check_limits
from ..inputs import choice, flag, gib, read_inputs

DATA, CHECKPOINT, SOFTWARE, ARCHIVE = PURPOSES = ("data", "checkpoint", "software", "archive")
RANDOM, SEQUENTIAL = ACCESSES = ("random", "sequential")
# From here on st1's 40 MiB/s for each TiB are gp3's free 125 MiB/s (EBS User Guide, "Throughput Optimized HDD volumes").
_SMALLEST_ST1_GIB = 3200


@dataclasses.dataclass(frozen=True)
class _Speed:
    """How speed grows with size, from gp3's free 3000 IOPS and 125 MiB/s on; throughput in MiB/s."""

    iops_per_gib: float
    most_iops: int
    throughput_per_gib: float
    most_throughput: int


# No more than 16,000 IOPS and 1,000 MiB/s: ParallelCluster 3.16.1 takes no faster gp3 volume.
_SPEEDS = {
    # Blocks at random, by one reader.
    DATA: _Speed(6, 16000, 0.5, 1000),
    # Large writes, and the run waits for the last byte.
    CHECKPOINT: _Speed(0, 4000, 1, 1000),
    # Many small files, which every node of a cluster reads through the head node.
    SOFTWARE: _Speed(8, 16000, 0.5, 500),
    # Written once, hardly read.
    ARCHIVE: _Speed(0, 3000, 0, 125),
}


@dataclasses.dataclass(frozen=True)
class Wish:
    """What the volume is for. size: GiB. access: how a data set is read; shared: whether several instances attach it at once, read-only."""

    purpose: str = choice(PURPOSES)
    size: int = gib(whole=True)
    access: str = choice(ACCESSES, default=RANDOM)
    shared: bool = flag()


@dataclasses.dataclass(frozen=True)
class Profile:
    """Options of ebs_volume. iops and throughput (MiB/s) are None where the type lets nobody choose them."""

    volume_type: str
    size_gib: int
    iops: int | None
    throughput: int | None
    multi_attach: bool
    reason: str


def wish_from(values: Mapping[str, Any]) -> Wish:
    """Read a Wish from what a template gives."""
    return read_inputs(Wish, values, "The profile of a volume")


def choose_profile(wish: Wish) -> Profile:
    """Return the type and speed for a volume.

    Raises ManyProblems when no volume of that size exists.
    """
    profile = _choose(wish)
    check_limits(
        profile.volume_type,
        size_gib=profile.size_gib,
        iops=profile.iops,
        throughput=profile.throughput,
        multi_attach=profile.multi_attach,
        resource=None,
    )
    return profile


def _choose(wish: Wish) -> Profile:
    speed, size = _SPEEDS[wish.purpose], wish.size
    if wish.shared:
        return _io2(size, speed)
    if wish.purpose == ARCHIVE and _fits("sc1", size):
        return Profile("sc1", size, None, None, False, "sc1 costs least for what is hardly read; an archived snapshot costs less still.")
    if wish.purpose == DATA and wish.access == SEQUENTIAL and size >= _SMALLEST_ST1_GIB and _fits("st1", size):
        return Profile("st1", size, None, None, False, "st1 costs little more than half of gp3 and reads large files in sequence.")
    return _gp3(size, speed, wish.purpose)


def _fits(volume_type: str, size_gib: int) -> bool:
    low, high = LIMITS[volume_type].size_gib
    return low <= size_gib <= high


def _gp3(size_gib: int, speed: _Speed, purpose: str) -> Profile:
    limits = LIMITS["gp3"]
    throughput = _between(limits.throughput[0], speed.throughput_per_gib * size_gib, speed.most_throughput)
    # gp3 wants 4 IOPS for each MiB/s, and at most 500 for each GiB.
    iops = _between(limits.iops[0], max(speed.iops_per_gib * size_gib, 4 * throughput), speed.most_iops)
    return Profile("gp3", size_gib, iops, throughput, False, f"gp3 is the cheapest type whose speed can be chosen; scaled to {purpose}.")


def _io2(size_gib: int, speed: _Speed) -> Profile:
    iops = _between(3000, speed.iops_per_gib * size_gib, speed.most_iops)
    reason = "Only io1 and io2 can be attached to several instances; every one of them must mount it read-only."
    return Profile("io2", size_gib, iops, None, True, reason)


def _between(low: int, value: float, high: int) -> int:
    return int(min(max(low, value), high))
