import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.cluster_plan import FilterModule

cluster_plan = FilterModule().filters()["cluster_plan"]
SEED = {
    "cluster": {"name": "genomics", "region": "us-east-1", "os": "alinux2023", "custom_ami": None},
    "compute": {"head_node": "m6a.large", "head_node_root_volume_gib": None, "queues": [], "login_nodes": None},
    "software": {"spack_packages": []},
    "users": [],
    "data": {"s3_mounts": []},
}


def test_a_plan_is_made_of_plain_values():
    plan = cluster_plan(SEED, {"subnet_id": "subnet-0123456789abcdef0"})
    assert plan["problems"] == []
    assert plan["model"]["cluster_name"] == "genomics"


def test_empty_options_take_the_defaults():
    options = {"subnet_id": "subnet-0123456789abcdef0", "mount_path": None, "snapshot_id": "snap-0123456789abcdef0", "snapshot_size_gib": 8}
    assert cluster_plan(SEED, options)["model"]["software"]["mount_path"] == "/shared"


def test_an_unknown_option_is_named():
    with pytest.raises(AnsibleFilterError, match="unknown options subnet"):
        cluster_plan(SEED, {"subnet": "subnet-0123456789abcdef0"})
