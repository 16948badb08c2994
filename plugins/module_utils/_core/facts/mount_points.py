# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Places of a node's file tree where nothing of ours may be mounted."""

from __future__ import annotations

import posixpath
import re

# Source: aws-parallelcluster 3.16.1, SharedStorageMountDirValidator. Refused as they are, not below.
RESERVED_MOUNT_DIRS = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/opt/intel",
    "/opt/parallelcluster",
    "/opt/parallelcluster/shared",
    "/opt/parallelcluster/shared_login_nodes",
    "/opt/slurm",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
]
# Below these, too, a mount would hide a part of the operating system or of ParallelCluster.
SYSTEM_TREES = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/opt/intel",
    "/opt/parallelcluster",
    "/opt/slurm",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var",
]


def canonical_mount_point(written: str) -> str:
    """Return a mount point without repeated or trailing slashes."""
    return posixpath.normpath(re.sub("/+", "/", written))
