from plugins.filter.cluster_problems import FilterModule

cluster_problems = FilterModule().filters()["cluster_problems"]


def storage(name, directory, **settings):
    return {"Name": name, "MountDir": directory, "StorageType": "Ebs", "EbsSettings": settings}


def test_what_parallelcluster_would_let_pass_is_told():
    software = storage("software", "/shared", SnapshotId="snap-0123456789abcdef0", Size=200)
    assert cluster_problems({"SharedStorage": [software]}) == []
    assert "lies inside the one at /shared" in cluster_problems({"SharedStorage": [software, storage("data", "/shared/data")]})[0]
    software["EbsSettings"]["VolumeId"] = "vol-0123456789abcdef0"
    assert "snapshot would be ignored" in cluster_problems({"SharedStorage": [software]})[0]


def test_a_cluster_without_shared_storage_has_no_problem():
    assert cluster_problems({"Region": "us-east-1"}) == []
