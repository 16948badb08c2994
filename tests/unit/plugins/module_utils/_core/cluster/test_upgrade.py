"""New software for a running cluster; tests/judge/test_updates.py has ParallelCluster itself look at the same changes."""

import copy

import pytest
import yaml

from plugins.module_utils._core.cluster.storage import SoftwareVolume
from plugins.module_utils._core.cluster.upgrade import add_software, current_path, remove_software, software_entries, versioned_path
from plugins.module_utils._core.errors import ExplainedError
from tests.unit.conftest import ROOT

OLD = yaml.safe_load((ROOT / "tests/data/clusters/bioinformatics.yaml").read_text())
NEW = "sha256:" + "fedcba9876543210" * 4
VOLUME = SoftwareVolume("/sw/new-fedcba98", snapshot_id="snap-0fedcba9876543210", snapshot_size_gib=300)
UPGRADED = add_software(OLD, VOLUME, NEW)


def paths(config):
    return [entry["MountDir"] for entry in software_entries(config)]


def test_the_path_names_seed_and_content():
    assert versioned_path("Bio Informatics", NEW) == "/sw/bio-informatics-fedcba98"


def test_the_new_volume_stands_beside_the_old_one():
    assert paths(UPGRADED) == ["/shared", "/sw/new-fedcba98"]
    assert UPGRADED["SharedStorage"][-1]["EbsSettings"] == {
        "SnapshotId": "snap-0fedcba9876543210",
        "Size": 300,
        "VolumeType": "gp3",
        "Encrypted": True,
        "DeletionPolicy": "Delete",
    }


def test_every_kind_of_node_uses_the_new_software():
    assert current_path(UPGRADED) == "/sw/new-fedcba98"
    step = UPGRADED["HeadNode"]["CustomActions"]["OnNodeUpdated"]["Sequence"][-1]
    assert (step["Script"], step["Args"]) == ("s3://my-site/petal/petal-software.sh", ["/sw/new-fedcba98"])
    pool = UPGRADED["LoginNodes"]["Pools"][0]
    assert pool["Name"] == "login-sw-fedcba"
    assert pool["CustomActions"]["OnNodeConfigured"]["Sequence"][0]["Args"] == ["/sw/new-fedcba98"]


def test_what_runs_once_on_the_head_node_stays():
    assert UPGRADED["HeadNode"]["CustomActions"]["OnNodeConfigured"] == OLD["HeadNode"]["CustomActions"]["OnNodeConfigured"]


def test_the_tags_say_what_the_cluster_has():
    tags = {tag["Key"]: tag["Value"] for tag in UPGRADED["Tags"]}
    assert (tags["petal:fingerprint"], tags["petal:snapshot-id"]) == (NEW, "snap-0fedcba9876543210")
    assert tags["petal:seed"] == "genomics"


def test_the_configuration_that_is_given_stays_as_it_is():
    before = copy.deepcopy(OLD)
    add_software(OLD, VOLUME, NEW)
    assert before == OLD


def test_a_second_upgrade_replaces_what_the_first_has_set():
    third = add_software(UPGRADED, SoftwareVolume("/sw/third", volume_id="vol-0123456789abcdef0"), "sha256:" + "0" * 64)
    assert len(third["HeadNode"]["CustomActions"]["OnNodeUpdated"]["Sequence"]) == 1
    assert third["LoginNodes"]["Pools"][0]["Name"] == "login-sw-000000"
    assert current_path(third) == "/sw/third"


def test_old_software_goes_later():
    assert paths(remove_software(UPGRADED, "/shared")) == ["/sw/new-fedcba98"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda: add_software(UPGRADED, VOLUME, NEW), "nothing to upgrade"),
        (lambda: add_software(OLD, SoftwareVolume("/shared/new", "snap-0fedcba9876543210", 300), NEW), "lies inside the one at /shared"),
        (lambda: add_software(OLD, VOLUME, NEW, "SOON"), "Choose from DRAIN"),
        (lambda: remove_software(UPGRADED, "/sw/new-fedcba98"), "what new shells use"),
        (lambda: remove_software(OLD, "/data"), "It has /shared"),
    ],
)
def test_what_cannot_be_is_refused(change, text):
    with pytest.raises(ExplainedError, match=text):
        change()


def test_a_cluster_without_our_script_is_refused():
    bare = yaml.safe_load((ROOT / "tests/data/clusters/without-hooks.yaml").read_text())
    with pytest.raises(ExplainedError, match="do not run petal-software"):
        add_software(bare, VOLUME, NEW)


def test_no_sixth_volume_is_added():
    full = copy.deepcopy(OLD)
    full["SharedStorage"] += [{"Name": f"v{n}", "MountDir": f"/v{n}", "StorageType": "Ebs", "EbsSettings": {"Size": 8}} for n in range(4)]
    with pytest.raises(ExplainedError, match="at most 5"):
        add_software(full, VOLUME, NEW)
