import dataclasses

import pytest

from plugins.module_utils._core.cluster.storage import (
    BucketMount,
    SoftwareVolume,
    bucket_problems,
    overlaps,
    place_buckets,
    shared_storage_problems,
    software_volume_problems,
)

SNAPSHOT = SoftwareVolume("/shared", snapshot_id="snap-0123456789abcdef0", snapshot_size_gib=200)
EXPORTED = ["/home", "/shared"]


def mount(bucket, mount_point, read_only=False):
    return {"bucket": bucket, "mount_point": mount_point, "read_only": read_only}


def entry(name, directory, **settings):
    return {"Name": name, "MountDir": directory, "StorageType": "Ebs", "EbsSettings": settings}


def test_a_volume_has_its_snapshots_size_unless_told_otherwise():
    assert SNAPSHOT.requested_size_gib == 200
    assert dataclasses.replace(SNAPSHOT, size_gib=300).requested_size_gib == 300
    assert software_volume_problems(SNAPSHOT) == []


def test_a_small_snapshot_gets_the_smallest_volume_that_parallelcluster_takes():
    small = dataclasses.replace(SNAPSHOT, snapshot_size_gib=2)
    assert small.requested_size_gib == 6
    assert dataclasses.replace(small, volume_type="gp2").requested_size_gib == 2
    assert software_volume_problems(small) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size_gib": 100}, "less than the 200 GiB"),
        ({"snapshot_size_gib": 0}, "ParallelCluster would take 40 GiB"),
        ({"snapshot_id": "snap-0abc123"}, "not a snapshot id"),
        ({"volume_id": "vol-0123456789abcdef0"}, "ignore the snapshot"),
        ({"volume_id": "vol-1", "snapshot_id": ""}, "not a volume id"),
        ({"mount_path": "/usr"}, "belongs to the operating system"),
        ({"mount_path": "shared"}, "not an absolute path"),
        ({"mount_path": "/a/../b"}, "not an absolute path"),
        ({"deletion_policy": "Keep"}, "Choose from Delete, Retain, Snapshot"),
        ({"encrypted": False, "kms_key_id": "abc"}, "encrypted is false"),
        ({"volume_type": "gp4"}, "Choose from standard, gp2, gp3"),
        ({"size_gib": 5, "snapshot_size_gib": 5}, "A gp3 volume has 6 to 16384 GiB"),
        ({"volume_type": "st1"}, "has 500 to 16384 GiB"),
        ({"volume_type": "gp2", "iops": 3000}, "gp2 volumes have no such setting"),
        ({"iops": 2000}, "takes 3000 to 16000"),
        ({"iops": 16000, "snapshot_size_gib": 10}, "10 GiB of gp3 take at most 5000"),
        ({"throughput": 2000}, "takes 125 to 1000"),
        ({"throughput": 1000}, "needs cluster_config_volume_iops of 4000"),
        ({"throughput": 500, "volume_type": "io2"}, "only gp3"),
    ],
)
def test_a_wrong_volume_is_refused(change, words):
    (problem,) = software_volume_problems(dataclasses.replace(SNAPSHOT, **change))
    assert words in problem


def test_a_fast_volume_passes():
    assert software_volume_problems(dataclasses.replace(SNAPSHOT, iops=6000, throughput=1000)) == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry("data", "/shared/data")], "/shared/data lies inside the one at /shared"),
        ([entry("data", "/shared")], "lies inside"),
        ([entry("software", "/data")], "'software' is used twice"),
        ([entry("data", "/tmp")], "belongs to the operating system"),
        ([entry("data", "/data", SnapshotId="snap-1", VolumeId="vol-1", Size=1)], "snapshot would be ignored"),
        ([entry("data", "/data", SnapshotId="snap-1", Raid={"Type": 0}, Size=1)], "formatted"),
        ([entry("data", "/data", SnapshotId="snap-1")], "would be 40 GiB"),
        ([entry(f"d{number}", f"/d{number}") for number in range(5)], "6 shared EBS volumes"),
    ],
)
def test_wrong_shared_storage_is_refused(entries, words):
    (problem,) = shared_storage_problems("/shared", entries)
    assert words in problem


def test_names_that_begin_alike_do_not_overlap():
    assert overlaps(["/shared", "/shared2", "/data"]) == []
    assert shared_storage_problems("/shared", [entry("data", "/shared2")]) == []


def test_a_bucket_inside_an_export_is_mounted_beside_it_and_linked():
    (placed,) = place_buckets([mount("data", "/shared/data")], EXPORTED)
    assert placed == BucketMount("data", "/s3/shared/data", "/shared/data")
    assert placed.path == "/shared/data"


def test_a_bucket_elsewhere_is_mounted_where_the_seed_says():
    assert place_buckets([mount("data", "/data", read_only=True)], EXPORTED) == [BucketMount("data", "/data", "", True)]


@pytest.mark.parametrize(
    ("mounts", "words"),
    [
        ([mount("s3://data", "/data")], "without 's3://'"),
        ([mount("data", "data")], "not an absolute path"),
        ([mount("data", "/data/../etc")], "not an absolute path"),
        ([mount("data", "/etc/data")], "belongs to the system"),
        ([mount("data", "/shared")], "itself is mounted there"),
        ([mount("data", "/shared/spack")], "hide the software"),
        ([mount("data", "/shared/software/data")], "hide the software"),
        ([mount("one", "/data"), mount("two", "/data")], "Two S3 buckets at /data"),
        ([mount("one", "/data"), mount("two", "/data/raw")], "lies inside the one at /data"),
    ],
)
def test_a_bucket_in_a_wrong_place_is_refused(mounts, words):
    (problem,) = bucket_problems(place_buckets(mounts, EXPORTED), "/shared", EXPORTED)
    assert words in problem


def test_a_bucket_in_a_good_place_passes():
    placed = place_buckets([mount("my-data.2024", "/shared/data"), mount("results", "/mnt/results")], EXPORTED)
    assert bucket_problems(placed, "/shared", EXPORTED) == []


EFS = {"Name": "home", "MountDir": "/efs", "StorageType": "Efs"}
HDD = {"DeploymentType": "PERSISTENT_1", "StorageType": "HDD"}
LUSTRE = {"Name": "scratch", "MountDir": "/scratch", "StorageType": "FsxLustre", "FsxLustreSettings": {"StorageCapacity": 2400}}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({**EFS, "StorageType": "NFS"}, "StorageType 'NFS' is unknown"),
        ({**EFS, "Name": "n" * 31}, "at most 30 characters"),
        ({**EFS, "EbsSettings": {"Size": 10}}, "EbsSettings does not go with StorageType Efs"),
        ({**EFS, "StorageType": "FsxOntap"}, "makes no new FsxOntap"),
        ({**LUSTRE, "FsxLustreSettings": {}}, "needs FsxLustreSettings.StorageCapacity"),
        ({**LUSTRE, "FsxLustreSettings": {"StorageCapacity": 1300}}, "1200 or a multiple of 2400 GiB, not 1300"),
        (
            {**LUSTRE, "FsxLustreSettings": {"StorageCapacity": 2400, "DeploymentType": "PERSISTENT_1", "StorageType": "HDD"}},
            "multiple of 1800",
        ),
    ],
)
def test_a_file_system_that_parallelcluster_refuses(entry, text):
    (problem,) = shared_storage_problems("/shared", [entry])
    assert text in problem


@pytest.mark.parametrize(
    "entry",
    [
        EFS,
        LUSTRE,
        {**EFS, "EfsSettings": {"FileSystemId": "fs-01234567"}},
        {**LUSTRE, "FsxLustreSettings": {"FileSystemId": "fs-01234567"}},
        {**EFS, "StorageType": "FsxOntap", "FsxOntapSettings": {"VolumeId": "fsvol-0123456789abcdef0"}},
    ],
)
def test_file_systems_new_and_existing_are_taken(entry):
    assert shared_storage_problems("/shared", [entry]) == []


def test_one_new_file_system_of_a_kind_is_taken():
    second = {**EFS, "Name": "second", "MountDir": "/second"}
    existing = {**second, "EfsSettings": {"FileSystemId": "fs-01234567"}}
    assert shared_storage_problems("/shared", [EFS, existing]) == []
    (problem,) = shared_storage_problems("/shared", [EFS, second])
    assert "2 new EFS file systems" in problem
