"""The whole plan of a cluster: what the parts decide is tested beside them, here how they come together."""

import copy
import dataclasses

import pytest

from plugins.module_utils._core.cluster.plan import ClusterOptions, plan_cluster

OPTIONS = ClusterOptions(
    subnet_id="subnet-0123456789abcdef0",
    snapshot_id="snap-0123456789abcdef0",
    snapshot_size_gib=200,
    hooks="s3://site/petal",
    fingerprint="sha256:" + "0123456789abcdef" * 4,
)
QUEUE = {
    "name": "compute",
    "instance_types": ["c6a.xlarge", "c6i.xlarge"],
    "min_count": 1,
    "max_count": 10,
    "capacity_type": "ONDEMAND",
    "allocation_strategy": None,
    "efa": None,
    "placement_group": None,
    "disable_smt": False,
    "custom_ami": None,
}
SEED = {
    "cluster": {"name": "genomics", "region": "us-east-1", "os": "alinux2023", "custom_ami": None},
    "compute": {"head_node": "m6a.large", "head_node_root_volume_gib": None, "queues": [QUEUE], "login_nodes": None},
    "software": {"spack_packages": ["samtools"]},
    "users": [{"name": "ada", "uid": 5001, "gid": 5001, "groups": []}],
    "data": {"s3_mounts": [{"bucket": "data", "mount_point": "/shared/data", "read_only": False}]},
}


def seed_with(**queue):
    seed = copy.deepcopy(SEED)
    seed["compute"]["queues"][0].update(queue)
    return seed


def plan(seed=SEED, **options):
    return plan_cluster(seed, dataclasses.replace(OPTIONS, **options))


def resources(planned):
    return planned.model["queues"][0]["resources"]


def test_a_good_seed_has_no_problem():
    assert plan().problems == []


def test_the_seed_says_what_the_options_leave_open():
    model = plan().model
    assert (model["cluster_name"], model["region"], model["os"], model["head_node"]["instance_type"]) == (
        "genomics",
        "us-east-1",
        "alinux2023",
        "m6a.large",
    )


def test_options_win_over_the_seed():
    model = plan(cluster_name="other", region="eu-west-1", os="Ubuntu 24.04", head_node="m6a.xlarge").model
    assert (model["cluster_name"], model["region"], model["os"], model["head_node"]["instance_type"]) == (
        "other",
        "eu-west-1",
        "ubuntu2404",
        "m6a.xlarge",
    )


def test_the_fingerprint_is_shortened_and_tagged():
    model = plan().model
    assert model["short_fingerprint"] == "0123456789ab"
    assert model["tags"]["petal:fingerprint"] == OPTIONS.fingerprint
    assert model["tags"]["petal:snapshot-id"] == OPTIONS.snapshot_id
    assert model["tags"]["petal:seed"] == "genomics"


def test_own_tags_cannot_be_replaced_and_numbers_become_text():
    tags = plan(tags={"petal:snapshot-id": "mine", "year": 2026}).model["tags"]
    assert tags["petal:snapshot-id"] == OPTIONS.snapshot_id
    assert tags["year"] == "2026"


def test_every_problem_is_told_at_once():
    seed = seed_with(name="GPU", instance_types=["p3.2xlarge", "c5.5xlarge"], max_count=900)
    seed["compute"]["head_node"] = "t3.micro"
    problems = plan(seed, subnet_id="", snapshot_size_gib=0, os="rocky9").problems
    for words in ("subnet_id", "p3.2xlarge", "c5.5xlarge", "'GPU'", "t3.micro", "40 GiB", "rocky9"):
        assert any(words in problem for problem in problems), words


def test_software_has_to_come_from_somewhere():
    assert "Nothing brings the seed's software" in plan(snapshot_id="").problems[0]
    assert plan(snapshot_id="", custom_ami="ami-0123456789abcdef0").problems == []
    assert plan(snapshot_id="", volume_id="vol-0123456789abcdef0").problems == []


def test_the_phases_of_migration_take_warn_of_and_refuse_custom_images():
    image = "ami-0123456789abcdef0"
    assert (plan(custom_ami=image).problems, plan(custom_ami=image, migration_phase=2).problems) == ([], [])
    assert "deprecated" in " ".join(plan(custom_ami=image, migration_phase=2).notes)
    assert "no longer taken in migration phase 3" in plan(custom_ami=image, migration_phase=3).problems[0]


def test_a_queue_whose_cpus_cannot_run_the_software_is_refused():
    (problem,) = plan(seed_with(instance_types=["c6a.xlarge", "c5.xlarge"]), target="zen3").problems
    assert "built for zen3, which c5.xlarge cannot run" in problem
    assert plan(target="x86_64_v3").problems == []


def test_refused_types_are_left_out_when_asked_and_told():
    seed = seed_with(instance_types=["p3.2xlarge", "g5.xlarge"])
    planned = plan(seed, unsupported_types="drop")
    assert planned.problems == []
    assert resources(planned)[0]["instance_types"] == ["g5.xlarge"]
    assert any("p3.2xlarge left out" in note for note in planned.notes)


def test_a_queue_of_refused_types_only_stays_refused():
    assert plan(seed_with(instance_types=["p3.2xlarge"]), unsupported_types="drop").problems


def test_a_queue_with_an_image_of_its_own_may_use_any_type():
    planned = plan(seed_with(instance_types=["p3.2xlarge"], custom_ami="ami-0123456789abcdef0"))
    assert planned.problems == []
    assert planned.model["queues"][0]["custom_ami"] == "ami-0123456789abcdef0"


def test_sizes_that_get_no_node_are_told():
    planned = plan(seed_with(instance_types=["c5.xlarge", "c5.2xlarge"], max_count=1))
    assert [resource["instance_types"] for resource in resources(planned)] == [["c5.xlarge"]]
    assert any("Left out: c5.2xlarge" in note for note in planned.notes)


def test_efa_follows_the_types_in_one_zone():
    assert [resource["efa"] for resource in resources(plan(seed_with(instance_types=["c5n.18xlarge", "c5.xlarge"])))] == [True, False]


@pytest.mark.parametrize(
    ("queue", "options"),
    [({}, {"efa": "never"}), ({}, {"compute_subnet_ids": ("subnet-a", "subnet-b")}), ({"efa": False}, {})],
)
def test_efa_can_be_left_out(queue, options):
    (resource,) = resources(plan(seed_with(instance_types=["c5n.18xlarge"], **queue), **options))
    assert (resource["efa"], resource["placement_group"]) == (False, None)


def test_with_efa_the_placement_group_is_spelled_out():
    (resource,) = resources(plan(seed_with(instance_types=["c5n.18xlarge"], efa=True, placement_group=False)))
    assert (resource["efa"], resource["placement_group"]) == (True, False)


@pytest.mark.parametrize("wish", ["efa", "placement_group"])
def test_what_needs_one_zone_is_refused_across_several(wish):
    planned = plan(seed_with(instance_types=["c5n.18xlarge"], **{wish: True}), compute_subnet_ids=("subnet-a", "subnet-b"))
    assert f"{wish} cannot be had across several zones" in planned.problems[0]


def test_more_than_fifty_compute_resources_are_refused():
    seed = copy.deepcopy(SEED)
    seed["compute"]["head_node"] = "m6a.2xlarge"
    sizes = ["c5.large", "c5.xlarge", "c5.2xlarge", "c5.4xlarge", "c5.9xlarge", "c5.12xlarge"]
    seed["compute"]["queues"] = [{**QUEUE, "name": f"q{number}", "instance_types": sizes} for number in range(9)]
    (problem,) = plan(seed).problems
    assert "54 compute resources" in problem and "50" in problem


def test_without_hooks_it_is_said_what_the_nodes_lack():
    planned = plan(hooks="")
    (note,) = planned.notes
    assert all(words in note for words in ("module command for /shared", "users ada", "data at /shared/data", "cluster_config_hooks"))
    assert planned.model["scripts"] == []


def test_a_moved_bucket_is_told():
    assert any("/shared/data -> /s3/shared/data" in note for note in plan().notes)


def test_a_larger_volume_and_many_readers_are_told():
    notes = " ".join(plan(seed_with(max_count=200), volume_size_gib=400, head_node="m6a.xlarge").notes)
    assert "The volume has 400 GiB, its snapshot 200: the head node's hook grows" in notes
    assert "Up to 200 nodes" in notes


def seed_with_login_nodes():
    seed = copy.deepcopy(SEED)
    seed["compute"]["login_nodes"] = {"instance_type": "t3.large", "count": 2}
    return seed


def test_login_nodes_need_a_policy_for_their_hooks():
    (problem,) = plan(seed_with_login_nodes()).problems
    assert "cluster_config_iam_policies" in problem


def test_login_nodes_run_the_same_scripts():
    planned = plan(seed_with_login_nodes(), iam_policies=("arn:aws:iam::aws:policy/AmazonS3FullAccess",))
    (pool,) = planned.model["login_nodes"]
    assert (pool["name"], pool["count"], pool["subnet_id"]) == ("login", 2, OPTIONS.subnet_id)
    assert pool["scripts"] == planned.model["scripts"]


def test_reserved_capacity_for_one_type_is_named_beside_it():
    seed = seed_with(instance_types=["c6a.xlarge"])
    planned = plan(seed, capacity_reservations={"compute": "cr-0123456789abcdef0"})
    assert (planned.problems, planned.model["queues"][0]["capacity_reservation"]) == ([], {"id": "cr-0123456789abcdef0"})


def test_reserved_capacity_of_an_unknown_queue_is_told():
    (problem,) = plan(capacity_reservations={"gpu": "cr-0123456789abcdef0"}).problems
    assert "queues that the seed does not have: gpu" in problem


def test_a_new_lustre_file_system_excludes_several_zones():
    lustre = {"Name": "scratch", "MountDir": "/scratch", "StorageType": "FsxLustre", "FsxLustreSettings": {"StorageCapacity": 1200}}
    zones = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
    assert plan(shared_storage=(lustre,)).problems == []
    (problem,) = plan(shared_storage=(lustre,), compute_subnet_ids=zones).problems
    assert "for one zone only" in problem


def test_own_scripts_run_after_ours_and_can_be_read():
    model = plan(scripts=({"script": "s3://own/tune.sh", "args": ["5"]},)).model
    assert model["scripts"][-1] == {"script": "s3://own/tune.sh", "args": ["5"]}
    assert {"bucket": "own", "key": "", "write": False} in model["s3_access"]
