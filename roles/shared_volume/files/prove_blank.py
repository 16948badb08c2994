# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove that a device was never written to, as far as that can be seen in seconds.

usage: python3 prove_blank.py DEVICE

A device without any signature may still hold data: a file system that has lost its first block, or data that has no signature.
Reads the beginning and the end, every place where a file system, a partition table or an encrypted volume keeps its spare copy, and
pages all over the rest. An EBS volume that was never written reads as zeros.
Prints {"in_use": whether something on this host holds the device, "data": the first places that are not zero, as "offset", "bytes"
(hexadecimal, from the first that is not zero) and "like" (what they look like, or null)}. Never writes. Runs on the Python of the host:
3.6 or newer, standard library only.
"""

import errno
import json
import os
import sys

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
# Partition tables, LVM, LUKS (its spare header is up to 4 MiB in), RAID, ZFS, swap, and the first copies of file systems with small blocks.
HEAD = 16 * MIB
# The spare partition table, RAID 0.90 and 1.0, two labels of ZFS, DRBD.
TAIL = MIB
SPREAD, PAGE = 4096, 16 * KIB
MOST_FOUND = 3
SHOWN = 16
# A magic number, and where in the 4 KiB it has to be; None: anywhere.
SIGNATURES = (
    ("a spare superblock of ext4", b"\x53\xef", 56),
    ("a spare superblock of ext4", b"\x53\xef", KIB + 56),
    ("a superblock of XFS", b"XFSB", 0),
    ("a superblock of btrfs", b"_BHRfS_M", 64),
    ("a spare partition table", b"EFI PART", None),
    ("a label of LVM", b"LABELONE", None),
    ("a header of LUKS", b"LUKS\xba\xbe", None),
    ("a spare header of LUKS", b"SKUL\xba\xbe", None),
    ("a superblock of Linux RAID", b"\xfc\x4e\x2b\xa9", 0),
    ("a label of ZFS", b"\x0c\xb1\xba\x00\x00\x00\x00\x00", None),
)


def sparse_groups(most):
    """Yield the groups of ext2, ext3 and ext4 that have a copy of the superblock: 1 and the powers of 3, 5 and 7."""
    yield 1
    for base in (3, 5, 7):
        group = base
        while group <= most:
            yield group
            group *= base


def spare_places(size):
    """Yield where the known file systems keep a spare superblock on a device of this size."""
    for block in (KIB, 2 * KIB, 4 * KIB, 64 * KIB):
        # A group is as large as one block can count blocks, bit by bit; with blocks of 1 KiB, the first block is no part of a group.
        group_bytes, first = 8 * block * block, KIB if block == KIB else 0
        yield from (group * group_bytes + first for group in sparse_groups(size // group_bytes))
    yield from (64 * MIB, 256 * GIB)  # btrfs
    # XFS divides a volume into four parts, or into parts of 1 TiB.
    yield from (part * TIB for part in range(1, size // TIB + 1))


def places(size):
    """Return what to read of a device of this size, as pairs of offset and length, in order."""
    spread = (index * size // SPREAD for index in range(SPREAD))
    wanted = {(place - place % (4 * KIB), PAGE) for place in (*spread, *spare_places(size))}
    wanted |= {(0, HEAD), (max(size - TAIL - size % (4 * KIB), 0), TAIL + 4 * KIB)}
    return sorted((offset, min(length, size - offset)) for offset, length in wanted if offset < size)


def looks_like(page):
    """Say what 4 KiB of data look like, or None."""
    for name, magic, place in SIGNATURES:
        if magic in page if place is None else page.startswith(magic, place):
            return name
    return None


def find_data(read, size):
    """Yield what is not zero in the places to read; read: returns the bytes at an offset, given offset and length."""
    seen = set()
    for start, length in places(size):
        data = read(start, length)
        if data.count(0) == len(data):
            continue
        for offset in range(0, len(data), 4 * KIB):
            page = data[offset : offset + 4 * KIB]
            if page.count(0) == len(page) or start + offset in seen:
                continue
            seen.add(start + offset)
            first = len(page) - len(page.lstrip(b"\0"))
            yield {"offset": start + offset + first, "bytes": page[first : first + SHOWN].hex(), "like": looks_like(page)}


def telling(found):
    """Return the first few of what was found; what can be named comes first."""
    return sorted(found, key=lambda one: (one["like"] is None, one["offset"]))[:MOST_FOUND]


def main(device):
    in_use = False
    try:
        # The kernel lets nobody have a device for himself that is mounted, being formatted, or a part of LVM or RAID.
        opened = os.open(device, os.O_RDONLY | os.O_EXCL)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        in_use, opened = True, os.open(device, os.O_RDONLY)
    try:
        size = os.lseek(opened, 0, os.SEEK_END)
        found = telling(find_data(lambda offset, length: os.pread(opened, length, offset), size))
    finally:
        os.close(opened)
    json.dump({"in_use": in_use, "data": found}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
