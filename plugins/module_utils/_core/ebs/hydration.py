# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the blocks of a snapshot reach a new volume: when they are read, beforehand at a set rate, or by fast snapshot restore.

A volume made from a snapshot is there at once, but each block comes from S3 when it is read for the first time.
Source: EBS User Guide, "Initialize Amazon EBS volumes".
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from ..cost.cost import rounded
from ..facts.prices import HOURS_PER_MONTH
from ..inputs import flag, gib, number, read_inputs
from .fast_restore import LARGEST_GIB, OPTIMIZING_MINUTES_PER_TIB, credits_of

LAZY, HOT_LIST, INITIALIZED, FAST_RESTORE = "lazy", "hot_list", "initialized_volume", "fast_restore"
# CreateVolume, VolumeInitializationRate: MiB/s.
RATES = (100, 200, 300)
# AWS promises nothing for blocks that are read lazily. An assumption of ours for one reader; give what you have measured.
LAZY_MIB_PER_SECOND = 20
# What a head node takes to come up anyway (aws-parallelcluster issue 6479: 4 to 9 minutes): reading within it costs no time.
BOOT_MINUTES = 4


@dataclasses.dataclass(frozen=True)
class Question:
    """What is known of the volume and of its use.

    size_gib: of the snapshot's volume. stored_gib: what it holds, None: all of it.
    first_read_gib: what the first jobs read; a module's program and its libraries are a small part of a software volume.
    hot_list: the volume lists the files that are read first (its smoke tests' files), and nodes read them at boot.
    clusters_per_hour: how many volumes are made from the snapshot in an hour. patience_minutes: what a first job may wait.
    """

    size_gib: float = gib()
    stored_gib: float | None = number(default=None)
    first_read_gib: float = number(default=2)
    hot_list: bool = flag()
    clusters_per_hour: float = number(default=1, above=0)
    patience_minutes: float = number(default=10)
    lazy_mib_per_second: float = number(default=LAZY_MIB_PER_SECOND, above=0)

    @property
    def content_gib(self) -> float:
        return self.size_gib if self.stored_gib is None else min(self.stored_gib, self.size_gib)

    @property
    def lazy_minutes(self) -> float:
        return minutes(min(self.first_read_gib, self.content_gib), self.lazy_mib_per_second)


@dataclasses.dataclass(frozen=True)
class Way:
    """One way.

    ready_minutes: from the request for a cluster until its first job reads at full speed.
    usd: what it costs beside the volume, None: unknown. why_not: empty for the one that is taken.
    """

    name: str
    ready_minutes: float
    usd: float | None
    how: str
    why_not: str = ""

    def to_result(self) -> dict[str, Any]:
        return {
            **dataclasses.asdict(self),
            "ready_minutes": round(self.ready_minutes, 1),
            "usd": None if self.usd is None else rounded(self.usd),
        }


def minutes(size_gib: float, mib_per_second: float) -> float:
    return size_gib * 1024 / mib_per_second / 60


def question_from(values: Mapping[str, Any]) -> Question:
    """Read a Question from what a template gives."""
    return read_inputs(Question, values, "The first reads of the volume")


def choose(question: Question, prices: Mapping[str, float]) -> tuple[str, list[Way]]:
    """Return the name of the way to take, and all of them, each with why it is not taken.

    Lazily where the first jobs need not wait longer than they may; with the hot list where that brings the wait under it; for one
    volume at the slowest sufficient rate; for several an hour by fast restore, whose price does not depend on their number.
    """
    ways = [_lazy(question), _hot_list(question), _initialized(question), _fast_restore(question, prices)]
    possible = [way for way in ways if not way.why_not]
    quick = [way for way in possible if way.ready_minutes <= question.patience_minutes]
    if quick and quick[0].name in (LAZY, HOT_LIST):
        chosen = quick[0]
    elif question.clusters_per_hour > 1 and any(way.name == FAST_RESTORE for way in possible):
        chosen = ways[-1]
    else:
        chosen = ways[2] if not ways[2].why_not else ways[0]
    told = [way if way.why_not or way is chosen else dataclasses.replace(way, why_not=_worse(way, question)) for way in ways]
    return chosen.name, told


def _worse(way: Way, question: Question) -> str:
    if way.ready_minutes > question.patience_minutes:
        return f"its {way.ready_minutes:.0f} minutes are more than the {question.patience_minutes:g} that a first job may wait"
    return "what is chosen is simpler or cheaper, and quick enough"


def _lazy(question: Question) -> Way:
    how = f"The first jobs read {question.first_read_gib:g} GiB from S3 as they go, at an assumed {question.lazy_mib_per_second:g} MiB/s."
    return Way(LAZY, question.lazy_minutes, 0, how)


def _hot_list(question: Question) -> Way:
    why_not = "" if question.hot_list else "the volume has no list of the files that are read first"
    left = max(0.0, question.lazy_minutes - BOOT_MINUTES)
    return Way(HOT_LIST, left, 0, "The head node reads the files of the list while it boots.", why_not)


def _initialized(question: Question) -> Way:
    enough = [rate for rate in RATES if minutes(question.content_gib, rate) <= question.patience_minutes]
    rate = enough[0] if enough else RATES[-1]
    how = (
        f"ebs_volume makes the volume beforehand with initialization_rate {rate} in the head node's zone, and cluster_config_volume_id "
        "names it. ParallelCluster does not delete such a volume with the cluster. AWS charges for the rate by the GiB, at a price not "
        "known here."
    )
    why_not = "it makes one volume for one cluster" if question.clusters_per_hour > 1 else ""
    return Way(INITIALIZED, minutes(question.content_gib, rate), None, how, why_not)


def _fast_restore(question: Question, prices: Mapping[str, float]) -> Way:
    size = math.ceil(question.size_gib)
    credit = credits_of(size)
    optimizing = size * OPTIMIZING_MINUTES_PER_TIB / 1024
    # Billed by the minute with an hour at least; one hour of use beside the time it takes to become fast.
    hours = max(1.0, optimizing / 60 + 1)
    usd_hour = prices["fast_snapshot_restore_zone_hour"]
    how = (
        f"ebs_snapshot turns it on in the head node's zone, and off again after {hours:.1f} hours: it takes {optimizing:.0f} minutes to "
        f"become fast, then gives {credit['credits']} volumes at once and {credit['credits_per_hour']:g} an hour. Left on, it costs "
        f"{usd_hour * HOURS_PER_MONTH:.0f} USD a month and zone."
    )
    why_not = ""
    if size > LARGEST_GIB:
        why_not = f"the snapshot has more than {LARGEST_GIB} GiB"
    elif question.clusters_per_hour > max(credit["credits"], credit["credits_per_hour"]):
        why_not = f"{question.clusters_per_hour:g} volumes an hour are more than its credits"
    return Way(FAST_RESTORE, optimizing, hours * usd_hour, how, why_not)
