# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster mounts: the software volume, further shared storage, and S3 buckets.

Source of the rules: aws-parallelcluster 3.16.1, ebs_validators and cluster_validators; where ParallelCluster checks
nothing although the cluster would be wrong, the function says so.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from ..facts.buckets import is_bucket_name
from ..facts.mount_points import RESERVED_MOUNT_DIRS, SYSTEM_TREES
from ..software.layout import layout

# ParallelCluster shares /home from the head node too.
HOME = "/home"
# Where a bucket is mounted whose place in the seed lies inside an NFS export.
S3_ROOT = "/s3"

# EbsVolumeTypeSizeValidator, EbsVolumeIopsValidator: GiB, and operations per second.
SIZES_GIB = {
    "standard": (1, 1024),
    "gp2": (1, 16384),
    "gp3": (1, 16384),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "st1": (500, 16384),
    "sc1": (500, 16384),
}
IOPS = {"gp3": (3000, 16000), "io1": (100, 64000), "io2": (100, 256000)}
IOPS_PER_GIB = {"gp3": 500, "io1": 50, "io2": 1000}
# ParallelCluster holds gp3's own 3000 operations per second against the size as well, so that less than 6 GiB is refused.
LEAST_GP3_GIB = 6
THROUGHPUT_MIB = (125, 1000)
DELETION_POLICIES = ("Delete", "Retain", "Snapshot")
EBS_VOLUMES = 5
STORAGE_NAME_LENGTH = 30
# constants.MAX_NEW_STORAGE_COUNT, MAX_EXISTING_STORAGE_COUNT: (made with the cluster, existing), all kinds of FSx together.
FILE_SYSTEMS = {"EFS": (1, 20), "FSx": (1, 20)}
# What names an existing file system, by StorageType; such an entry has no other settings of a new one.
EXISTING_KEYS = {
    "Ebs": ("VolumeId",),
    "Efs": ("FileSystemId",),
    "FsxLustre": ("FileSystemId",),
    "FsxOpenZfs": ("VolumeId",),
    "FsxOntap": ("VolumeId",),
    "FileCache": ("FileCacheId",),
}
# Of these ParallelCluster makes new ones too.
MADE_BY_PARALLELCLUSTER = ("Ebs", "Efs", "FsxLustre")


@dataclasses.dataclass(frozen=True)
class SoftwareVolume:
    """The volume that the head node mounts and shares: a snapshot's copy, or an existing volume.

    size_gib: always given to ParallelCluster, whose default is 40 GiB whatever the snapshot's size.
    iops, throughput (MiB/s): 0 leaves them to EC2.
    """

    mount_path: str
    snapshot_id: str = ""
    snapshot_size_gib: int = 0
    volume_id: str = ""
    size_gib: int = 0
    volume_type: str = "gp3"
    iops: int = 0
    throughput: int = 0
    encrypted: bool = True
    kms_key_id: str = ""
    deletion_policy: str = "Delete"

    @property
    def requested_size_gib(self) -> int:
        """The size to render: what is asked for, else the snapshot's own where that is large enough; 0 when neither is known."""
        if self.size_gib or not self.snapshot_size_gib or self.volume_type != "gp3":
            return self.size_gib or self.snapshot_size_gib
        return max(self.snapshot_size_gib, LEAST_GP3_GIB)


@dataclasses.dataclass(frozen=True)
class BucketMount:
    """A bucket on a node.

    mount_point: where it is mounted.
    link: the place that the seed names, as a symbolic link to mount_point; "" where the two are the same.
    """

    bucket: str
    mount_point: str
    link: str = ""
    read_only: bool = False

    @property
    def path(self) -> str:
        """The place that the seed names."""
        return self.link or self.mount_point


def software_volume_problems(volume: SoftwareVolume) -> list[str]:
    """Return what is wrong with the software volume, before AWS is asked."""
    problems = mount_dir_problems(volume.mount_path)
    if volume.deletion_policy not in DELETION_POLICIES:
        choices = ", ".join(DELETION_POLICIES)
        problems.append(f"cluster_config_deletion_policy is {volume.deletion_policy!r}. Choose from {choices}.")
    if volume.snapshot_id and volume.volume_id:
        problems.append(
            "cluster_config_snapshot_id and cluster_config_volume_id are both set: ParallelCluster would ignore the snapshot without a "
            "word. Set one of them."
        )
    if volume.snapshot_id and not volume.volume_id:
        problems += _snapshot_problems(volume) + _volume_type_problems(volume)
    if volume.volume_id and not re.fullmatch(r"vol-([0-9a-z]{8}|[0-9a-z]{17})", volume.volume_id):
        problems.append(f"cluster_config_volume_id {volume.volume_id!r} is not a volume id: 'vol-' and 8 or 17 digits or letters.")
    if volume.kms_key_id and not volume.encrypted:
        problems.append("cluster_config_volume_kms_key_id is set and cluster_config_volume_encrypted is false. Change one of them.")
    return problems


def _snapshot_problems(volume: SoftwareVolume) -> list[str]:
    """EbsVolumeSizeSnapshotValidator, and the form of the id."""
    if not re.fullmatch(r"snap-([0-9a-z]{8}|[0-9a-z]{17})", volume.snapshot_id):
        return [f"cluster_config_snapshot_id {volume.snapshot_id!r} is not a snapshot id: 'snap-' and 8 or 17 digits or letters."]
    if not volume.requested_size_gib:
        return [
            f"The size of snapshot {volume.snapshot_id} is not known, and ParallelCluster would take 40 GiB for it. "
            "Set cluster_config_snapshot_size_gib, or cluster_config_volume_size_gib."
        ]
    if volume.requested_size_gib < volume.snapshot_size_gib:
        return [
            f"cluster_config_volume_size_gib is {volume.size_gib}, less than the {volume.snapshot_size_gib} GiB of snapshot "
            f"{volume.snapshot_id}. Set it to {volume.snapshot_size_gib} or more, or leave it out."
        ]
    return []


def _volume_type_problems(volume: SoftwareVolume) -> list[str]:
    """EbsVolumeTypeSizeValidator, EbsVolumeIopsValidator, EbsVolumeThroughputValidator and EbsVolumeThroughputIopsValidator."""
    kind, size, iops, throughput = volume.volume_type, volume.requested_size_gib, volume.iops, volume.throughput
    if kind not in SIZES_GIB:
        return [f"cluster_config_volume_type is {kind!r}. Choose from {', '.join(SIZES_GIB)}."]
    problems = []
    least, most = SIZES_GIB[kind]
    if kind == "gp3":
        least = LEAST_GP3_GIB
    if size and not least <= size <= most:
        problems.append(f"A {kind} volume has {least} to {most} GiB in ParallelCluster, not {size}. Change its size or its type.")
    if iops and kind not in IOPS:
        problems.append(f"cluster_config_volume_iops is set, and {kind} volumes have no such setting. Leave it out, or use gp3.")
    elif iops:
        low, high = IOPS[kind]
        if not low <= iops <= high:
            problems.append(f"cluster_config_volume_iops is {iops}; {kind} takes {low} to {high} in ParallelCluster.")
        elif size and iops > size * IOPS_PER_GIB[kind]:
            problems.append(f"cluster_config_volume_iops is {iops}; {size} GiB of {kind} take at most {size * IOPS_PER_GIB[kind]}.")
    if throughput and kind != "gp3":
        problems.append(f"cluster_config_volume_throughput is set, and only gp3 volumes have such a setting, not {kind}.")
    elif throughput:
        low, high = THROUGHPUT_MIB
        if not low <= throughput <= high:
            problems.append(f"cluster_config_volume_throughput is {throughput} MiB/s; ParallelCluster takes {low} to {high}.")
        elif throughput > (iops or IOPS["gp3"][0]) / 4:
            problems.append(f"cluster_config_volume_throughput {throughput} needs cluster_config_volume_iops of {4 * throughput} or more.")
    return problems


def mount_dir_problems(path: str) -> list[str]:
    """SharedStorageMountDirValidator, and the form of the path."""
    if not re.fullmatch(r"(/[\w.+-]+)+", path) or ".." in path.split("/"):
        return [f"Mount path {path!r} is not an absolute path of plain names, like /shared."]
    if path in RESERVED_MOUNT_DIRS:
        return [f"Mount path {path!r} belongs to the operating system or to ParallelCluster. Choose another, like /shared."]
    return []


def shared_storage_problems(mount_path: str, entries: list[dict]) -> list[str]:
    """Check further SharedStorage entries, written as ParallelCluster writes them, beside the software volume.

    mount_path: of the software volume; "" without one.
    ParallelCluster 3.16.1 accepts overlapping mount directories (its OverlappingMountDirValidator is handed the names),
    a snapshot beside a volume id (and ignores the snapshot) and a snapshot beside RAID (and formats the array).
    """
    problems = []
    for entry in entries:
        name, settings = entry.get("Name", "?"), entry.get("EbsSettings") or {}
        problems += mount_dir_problems(str(entry.get("MountDir", "")))
        if settings.get("SnapshotId") and settings.get("VolumeId"):
            problems.append(f"Shared storage {name!r} has SnapshotId and VolumeId: the snapshot would be ignored. Remove one.")
        if settings.get("SnapshotId") and settings.get("Raid"):
            problems.append(f"Shared storage {name!r} has SnapshotId and Raid: the array would be formatted. Remove one.")
        if settings.get("SnapshotId") and not settings.get("Size"):
            problems.append(f"Shared storage {name!r} has SnapshotId without Size, which would be 40 GiB. Set the snapshot's size or more.")
        problems += _storage_type_problems(entry)
    problems += _file_system_count_problems(entries)
    names = [entry.get("Name") for entry in entries] + (["software"] if mount_path else [])
    problems += [f"Shared storage name {name!r} is used twice. Rename one." for name in dict.fromkeys(names) if names.count(name) > 1]
    directories = [str(entry.get("MountDir", "")) for entry in entries] + ([mount_path] if mount_path else [])
    problems += [
        f"Shared storage at {inner} lies inside the one at {outer}: one would hide the other on the nodes. Choose separate directories."
        for outer, inner in overlaps(directories)
    ]
    volumes = sum(entry.get("StorageType") == "Ebs" for entry in entries) + bool(mount_path)
    if volumes > EBS_VOLUMES:
        problems.append(f"{volumes} shared EBS volumes: ParallelCluster takes at most {EBS_VOLUMES} (NumberOfStorageValidator).")
    return problems


def _storage_type_problems(entry: dict) -> list[str]:
    """SharedStorageSchema, FsxStorageCapacityValidator and the length of names."""
    name, kind = entry.get("Name", "?"), entry.get("StorageType")
    where = f"Shared storage {name!r}"
    if kind not in EXISTING_KEYS:
        return [f"{where}: StorageType {kind!r} is unknown. Choose from {', '.join(EXISTING_KEYS)}."]
    problems = []
    if len(str(name)) > STORAGE_NAME_LENGTH:
        problems.append(f"{where}: a name has at most {STORAGE_NAME_LENGTH} characters (NameValidator). Shorten it.")
    foreign = [key for key in entry if key.endswith("Settings") and key != f"{kind}Settings"]
    if foreign:
        problems.append(f"{where}: {', '.join(foreign)} does not go with StorageType {kind}. Use {kind}Settings.")
    settings = entry.get(f"{kind}Settings") or {}
    if kind not in MADE_BY_PARALLELCLUSTER and not _exists(entry):
        key = EXISTING_KEYS[kind][0]
        problems.append(f"{where}: ParallelCluster makes no new {kind}. Name an existing one in {kind}Settings.{key}.")
    if kind == "FsxLustre" and not _exists(entry) and not settings.get("BackupId"):
        problems += _lustre_size_problems(where, settings)
    return problems


def _lustre_size_problems(where: str, settings: dict) -> list[str]:
    size, deployment = settings.get("StorageCapacity"), settings.get("DeploymentType", "SCRATCH_2")
    if not size:
        return [f"{where}: a new Lustre file system needs FsxLustreSettings.StorageCapacity, in GiB."]
    hdd = settings.get("StorageType") == "HDD"
    if deployment == "SCRATCH_1":
        sizes, good = "1200, 2400 or a multiple of 3600", size in (1200, 2400) or size % 3600 == 0
    elif hdd:
        step = 6000 if settings.get("PerUnitStorageThroughput") == 12 else 1800
        sizes, good = f"a multiple of {step}", size % step == 0
    else:
        sizes, good = "1200 or a multiple of 2400", size == 1200 or size % 2400 == 0
    return [] if good else [f"{where}: StorageCapacity of Lustre {deployment} is {sizes} GiB, not {size} (FsxStorageCapacityValidator)."]


def _file_system_count_problems(entries: list[dict]) -> list[str]:
    """NumberOfStorageValidator, beside the EBS volumes."""
    problems = []
    for family, (new, existing) in FILE_SYSTEMS.items():
        mine = [entry for entry in entries if str(entry.get("StorageType")).lower().startswith(family.lower())]
        for what, limit, found in (
            ("new", new, [entry for entry in mine if not _exists(entry)]),
            ("existing", existing, [entry for entry in mine if _exists(entry)]),
        ):
            if len(found) > limit:
                problems.append(
                    f"{len(found)} {what} {family} file systems: ParallelCluster takes at most {limit} (NumberOfStorageValidator)."
                )
    return problems


def _exists(entry: dict) -> bool:
    kind = entry.get("StorageType")
    return any((entry.get(f"{kind}Settings") or {}).get(key) for key in EXISTING_KEYS.get(str(kind), ()))


def new_lustre(entries: Iterable[dict]) -> list[str]:
    """Return the names of Lustre file systems that the cluster makes: they exclude several zones (ManagedFsxMultiAzValidator)."""
    return [str(entry.get("Name")) for entry in entries if entry.get("StorageType") == "FsxLustre" and not _exists(entry)]


def place_buckets(mounts: Iterable[dict], exported: Iterable[str]) -> list[BucketMount]:
    """Decide where each bucket of the seed is mounted.

    exported: directories that compute nodes have by NFS from the head node. A bucket mounted inside one of them on the head
    node is not seen by the others, and where its mount failed, jobs would write onto the volume unnoticed. Such a bucket is
    mounted under /s3 on every node, and a link leads there from the place that the seed names: a link whose bucket is missing
    leads nowhere, and that is seen.
    """
    exported = list(exported)
    placed = []
    for mount in mounts:
        path, read_only = mount["mount_point"], mount["read_only"]
        if any(inside(path, directory) for directory in exported):
            placed.append(BucketMount(mount["bucket"], S3_ROOT + path, path, read_only))
        else:
            placed.append(BucketMount(mount["bucket"], path, "", read_only))
    return placed


def bucket_problems(placed: list[BucketMount], mount_path: str, exported: Iterable[str]) -> list[str]:
    """Check the buckets' names and places."""
    exported = list(exported)
    problems = []
    for mount in placed:
        where = f"S3 bucket {mount.bucket!r} at {mount.path}"
        if not is_bucket_name(mount.bucket):
            problems.append(f"{where}: a bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens, without 's3://'.")
        if not re.fullmatch(r"(/[\w.+-]+)+", mount.path) or ".." in mount.path.split("/"):
            problems.append(f"{where}: the mount point is not an absolute path of plain names, like {mount_path}/data.")
        elif mount.path in RESERVED_MOUNT_DIRS or any(inside(mount.path, directory) for directory in SYSTEM_TREES):
            problems.append(f"{where}: the place belongs to the system or to ParallelCluster. Choose another, like {mount_path}/data.")
        elif mount.path in exported:
            problems.append(f"{where}: the shared storage itself is mounted there. Choose a place inside it, like {mount.path}/data.")
        elif any(inside(mount.path, directory) for directory in software_dirs(mount_path)):
            problems.append(f"{where}: the bucket would hide the software that lies there. Choose another place, like {mount_path}/data.")
    paths = [mount.path for mount in placed]
    problems += [f"Two S3 buckets at {path}. Give each a place of its own." for path in dict.fromkeys(paths) if paths.count(path) > 1]
    problems += [
        f"The S3 bucket at {inner} lies inside the one at {outer}, which cannot hold a mount. Choose separate places."
        for outer, inner in overlaps(dict.fromkeys(paths))
    ]
    return problems


def software_dirs(mount_path: str) -> set[str]:
    """Return the directories at the top of the software volume; a bucket in the place of one would hide software."""
    names = {path[len(mount_path) + 1 :].split("/")[0] for path in layout(mount_path).values() if path != mount_path}
    return {f"{mount_path}/{name}" for name in names}


def inside(path: str, directory: str) -> bool:
    """Say whether a path is a directory or lies below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def overlaps(directories: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs (outer, inner) of directories of which one is, or contains, the other."""
    ordered = sorted(directories)
    return [(outer, inner) for position, outer in enumerate(ordered) for inner in ordered[position + 1 :] if inside(inner, outer)]
