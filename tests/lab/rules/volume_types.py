"""The volume types of EBS and what each can be asked for; the rules for creating and modifying volumes use it.

Source: EC2 API Reference, CreateVolume (sizes, IOPS, throughput); Amazon EBS User Guide, "Amazon EBS volume types" (ratios).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.rules.rulebook import refuse


@dataclass(frozen=True)
class VolumeType:
    """The limits of one type; None where a volume of this type cannot be asked for such a value."""

    size_gib: tuple[int, int]
    iops: tuple[int, int] | None = None
    iops_per_gib: int | None = None
    throughput_mib: tuple[int, int] | None = None
    throughput_per_iops: float | None = None
    concurrent_snapshots: int = 5


VOLUME_TYPES = {
    "standard": VolumeType((1, 1024)),
    "gp2": VolumeType((1, 16384)),
    "gp3": VolumeType((1, 65536), (3000, 80000), 500, (125, 2000), 0.25),
    "io1": VolumeType((4, 16384), (100, 64000), 50),
    "io2": VolumeType((4, 65536), (100, 256000), 1000),
    "st1": VolumeType((125, 16384), concurrent_snapshots=1),
    "sc1": VolumeType((125, 16384), concurrent_snapshots=1),
}
GP3_IOPS, GP3_THROUGHPUT = 3000, 125  # what a gp3 volume has at any size, and costs nothing extra


def check_type(name: str) -> None:
    """Refuse a type that EBS does not have."""
    if name not in VOLUME_TYPES:
        refuse("UnknownVolumeType", f"Unsupported volume type '{name}' for volume creation.")


def check_size(name: str, size_gib: int) -> None:
    """Refuse a size outside the type's range."""
    low, high = VOLUME_TYPES[name].size_gib
    if size_gib > high:
        refuse("InvalidParameterValue", f"Volume of {size_gib}GiB is too large for volume type {name}; maximum is {high}GiB.")
    if size_gib < low:
        refuse("InvalidParameterValue", f"Volume of {size_gib}GiB is too small for volume type {name}; minimum is {low}GiB.")


def check_iops(name: str, size_gib: int, iops: int | None) -> None:
    """Refuse IOPS outside the type's range, or too many for the size. A small gp3 volume keeps its 3000."""
    kind = VOLUME_TYPES[name]
    if iops is None or kind.iops is None:
        return
    low, high = kind.iops
    if iops < low:
        refuse("InvalidParameterValue", f"Volume iops of {iops} is too low; minimum is {low}.")
    if iops > high:
        refuse("InvalidParameterValue", f"Volume iops of {iops} is too high; maximum is {high}.")
    if iops > low and iops > kind.iops_per_gib * size_gib:
        ratio = iops / size_gib
        refuse("InvalidParameterValue", f"Iops to volume size ratio of {ratio:.6f} is too high; maximum is {kind.iops_per_gib}.")


def check_throughput(name: str, iops: int | None, throughput_mib: int | None) -> None:
    """Refuse throughput outside the type's range, or too much for the IOPS."""
    kind = VOLUME_TYPES[name]
    if throughput_mib is None or kind.throughput_mib is None:
        return
    low, high = kind.throughput_mib
    if throughput_mib < low:
        refuse("InvalidParameterValue", f"Throughput of {throughput_mib} MiBps is too low; minimum is {low} MiBps.")
    if throughput_mib > high:
        refuse("InvalidParameterValue", f"Throughput of {throughput_mib} MiBps is too high; maximum is {high} MiBps.")
    ratio = throughput_mib / (iops or GP3_IOPS)
    if ratio > kind.throughput_per_iops:
        refuse(
            "InvalidParameterValue",
            f"Throughput (MiBps) to iops ratio of {ratio:.6f} is too high; maximum is {kind.throughput_per_iops:.6f} MiBps per iops.",
        )
