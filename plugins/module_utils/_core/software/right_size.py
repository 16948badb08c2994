# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How large a volume has to be that holds a build's software and room to grow, and whether a smaller one saves anything."""

from __future__ import annotations

import dataclasses
import math

from ..facts.volume_limits import LIMITS

GIB = 2**30
# Room for what comes later: a tenth of the bytes and of the files, and at least a GiB.
MARGIN = 0.1
LEAST_MARGIN_BYTES = GIB
# What file systems keep for themselves (journal, tables of inodes, descriptors): measured with e2fsprogs 1.47 and xfsprogs 6.1, they never
# take more of a volume of 1 GiB to 2 TiB.
OWN_SHARE = 0.05
# mke2fs.conf(5), inode_ratio: ext4 has one inode for each 16 KiB, decided when it is made.
EXT4_BYTES_FOR_AN_INODE = 16 * 1024
# mkfs.xfs(8), -i size: XFS makes inodes where it needs them, from the space for data.
XFS_INODE_BYTES = 512


@dataclasses.dataclass(frozen=True)
class Fit:
    """size_gib: of the volume to make; None: the build's own is the right one. summary: the reason, for people."""

    size_gib: int | None
    summary: str


def right_size(
    used_bytes: int, used_inodes: int, file_system: str, *, volume_size_gib: int, volume_type: str, parent_snapshot: str | None = None
) -> Fit:
    """Decide on which volume the software of a finished build goes into its snapshot.

    used_bytes, used_inodes: what the software takes on its file system, ext4 or xfs.
    volume_size_gib, volume_type: of the build's volume. parent_snapshot: the one that this volume was made from.
    """
    if parent_snapshot:
        return Fit(
            None,
            f"stays at {volume_size_gib} GiB: its snapshot stores only what differs from {parent_snapshot}; "
            "with from_scratch=true it would be fitted",
        )
    smallest = LIMITS[volume_type].size_gib[0]
    size_gib = max(smallest, math.ceil(_needed_bytes(used_bytes, used_inodes, file_system) / GIB))
    software = f"{math.ceil(10 * used_bytes / GIB) / 10} GiB of software"
    if size_gib >= volume_size_gib:
        return Fit(None, f"stays at {volume_size_gib} GiB: {software} in {used_inodes} files need {size_gib} GiB with room to grow")
    return Fit(size_gib, f"{size_gib} GiB for {software}, instead of {volume_size_gib}")


def _needed_bytes(used_bytes: int, used_inodes: int, file_system: str) -> float:
    inodes = used_inodes * (1 + MARGIN)
    data = used_bytes + max(used_bytes * MARGIN, LEAST_MARGIN_BYTES)
    if file_system == "ext4":
        return max(data / (1 - OWN_SHARE), inodes * EXT4_BYTES_FOR_AN_INODE)
    return (data + inodes * XFS_INODE_BYTES) / (1 - OWN_SHARE)
