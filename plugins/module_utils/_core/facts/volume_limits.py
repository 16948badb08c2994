# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What EC2 allows for each EBS volume type (ParallelCluster allows less; its table is its own)."""

from __future__ import annotations

import dataclasses

from ..errors import ExplainedError, ManyProblems

DEFAULT_TYPE = "gp3"
MULTI_ATTACH_TYPES = ("io1", "io2")
# EC2 User Guide, "Attach an EBS volume to multiple EC2 instances using Multi-Attach": up to 16 Nitro instances in one zone.
MULTI_ATTACH_INSTANCES = 16
INITIALIZATION_RATES = range(100, 301)
SUGGESTIONS = {
    "gp2": "gp3 costs less and performs the same or better.",
    "io1": "io2 costs the same and is more durable.",
    "standard": "gp3 is faster; standard is a previous generation.",
}


@dataclasses.dataclass(frozen=True)
class VolumeLimits:
    """Sizes in GiB, throughput in MiB/s; iops and throughput are None where the type does not let one choose."""

    size_gib: tuple[int, int]
    iops: tuple[int, int] | None = None
    iops_per_gib: int = 0
    throughput: tuple[int, int] | None = None
    iops_required: bool = False


# Source: EBS User Guide, "Amazon EBS volume types" (gp3: 64 TiB, 80,000 IOPS, 2,000 MiB/s since 2025).
LIMITS = {
    "gp3": VolumeLimits((1, 65536), iops=(3000, 80000), iops_per_gib=500, throughput=(125, 2000)),
    "gp2": VolumeLimits((1, 16384)),
    "io1": VolumeLimits((4, 16384), iops=(100, 64000), iops_per_gib=50, iops_required=True),
    "io2": VolumeLimits((4, 65536), iops=(100, 256000), iops_per_gib=1000, iops_required=True),
    "st1": VolumeLimits((125, 16384)),
    "sc1": VolumeLimits((125, 16384)),
    "standard": VolumeLimits((1, 1024)),
}
# gp3: 0.25 MiB/s for each provisioned IOPS.
_IOPS_PER_GP3_MIB = 4


def check_limits(
    volume_type: str,
    *,
    size_gib: int | None,
    iops: int | None,
    throughput: int | None,
    multi_attach: bool,
    resource: str | None,
) -> None:
    """Refuse what EC2 would refuse, every problem at once. None means "EC2's own default".

    Raises ExplainedError for an unknown type, ManyProblems for values out of the type's limits.
    """
    limits = LIMITS.get(volume_type)
    if limits is None:
        raise ExplainedError(
            f"Volume type '{volume_type}' does not exist.", resource=resource, next_step=f"Choose from {', '.join(LIMITS)}."
        )
    problems = [
        *_size_problems(volume_type, limits, size_gib),
        *_iops_problems(volume_type, limits, size_gib, iops),
        *_throughput_problems(volume_type, limits, iops, throughput),
    ]
    if multi_attach and volume_type not in MULTI_ATTACH_TYPES:
        problems.append(f"multi_attach is possible with {' and '.join(MULTI_ATTACH_TYPES)} only, not with {volume_type}")
    if problems:
        raise ManyProblems(f"EC2 has no such {volume_type} volume:", problems, resource=resource)


def _size_problems(volume_type: str, limits: VolumeLimits, size_gib: int | None) -> list[str]:
    low, high = limits.size_gib
    if size_gib is None or low <= size_gib <= high:
        return []
    return [f"size {size_gib} GiB is out of range; {volume_type} takes {low} to {high} GiB"]


def _iops_problems(volume_type: str, limits: VolumeLimits, size_gib: int | None, iops: int | None) -> list[str]:
    if iops is None:
        return [f"iops is required for {volume_type}"] if limits.iops_required else []
    if limits.iops is None:
        return [f"iops cannot be chosen for {volume_type}; leave it out, or use {', '.join(t for t in LIMITS if LIMITS[t].iops)}"]
    low, high = limits.iops
    if not low <= iops <= high:
        return [f"iops {iops} is out of range; {volume_type} takes {low} to {high}"]
    allowed = max(low, limits.iops_per_gib * (size_gib or high))
    if iops > allowed:
        needed = -(-iops // limits.iops_per_gib)
        return [f"iops {iops} needs at least {needed} GiB; {volume_type} takes {limits.iops_per_gib} IOPS per GiB"]
    return []


def _throughput_problems(volume_type: str, limits: VolumeLimits, iops: int | None, throughput: int | None) -> list[str]:
    if throughput is None:
        return []
    if limits.throughput is None:
        return [f"throughput can be chosen for gp3 only, not for {volume_type}"]
    low, high = limits.throughput
    if not low <= throughput <= high:
        return [f"throughput {throughput} MiB/s is out of range; {volume_type} takes {low} to {high}"]
    needed = throughput * _IOPS_PER_GP3_MIB
    if needed > (iops or limits.iops[0]):
        return [f"throughput {throughput} MiB/s needs iops {needed} or more (4 IOPS for each MiB/s)"]
    return []
