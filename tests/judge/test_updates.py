"""Upgrades of a cluster before ParallelCluster's own comparison: what it lets through, and what it refuses with which reason.

One process judges all cases, each for a cluster with or without running compute and login nodes.
"""

from __future__ import annotations

import copy
import json
import subprocess

import pytest
import yaml

from plugins.module_utils._core.cluster.storage import SoftwareVolume
from plugins.module_utils._core.cluster.upgrade import add_software, remove_software
from tests.judge.running import PYTHON, ROOT, judged, needs_judge

pytestmark = [pytest.mark.judge, needs_judge]

OLD = yaml.safe_load((ROOT / "tests/data/clusters/starter.yaml").read_text())
WITH_LOGIN = yaml.safe_load((ROOT / "tests/data/clusters/bioinformatics.yaml").read_text())
NEW_SOFTWARE = "sha256:" + "fedcba9876543210" * 4
VOLUME = SoftwareVolume("/sw/starter-fedcba98", snapshot_id="snap-0fedcba9876543210", snapshot_size_gib=300)


def changed(config, change):
    config = copy.deepcopy(config)
    change(config)
    return config


def ebs(config):
    return config["SharedStorage"][0]["EbsSettings"]


UPGRADED = add_software(OLD, VOLUME, NEW_SOFTWARE)
# Case -> (old, new, compute nodes run, login nodes run).
ALLOWED = {
    "new software while jobs run, nodes drained": (OLD, UPGRADED, True, False),
    "new software while jobs run, nodes terminated": (OLD, add_software(OLD, VOLUME, NEW_SOFTWARE, "TERMINATE"), True, False),
    "new software with the fleet stopped": (OLD, add_software(OLD, VOLUME, NEW_SOFTWARE, "COMPUTE_FLEET_STOP"), False, False),
    "old software removed later": (UPGRADED, remove_software(UPGRADED, "/shared"), True, False),
    "new software where login nodes are stopped": (WITH_LOGIN, add_software(WITH_LOGIN, VOLUME, NEW_SOFTWARE), True, False),
}
# Case -> (old, new, compute nodes run, login nodes run, words of the reason).
REFUSED = {
    "no strategy while nodes run": (OLD, add_software(OLD, VOLUME, NEW_SOFTWARE, "COMPUTE_FLEET_STOP"), True, False, "must be stopped"),
    "login nodes run": (WITH_LOGIN, add_software(WITH_LOGIN, VOLUME, NEW_SOFTWARE), True, True, "login nodes"),
    "another snapshot in place": (
        OLD,
        changed(OLD, lambda config: ebs(config).update(SnapshotId="snap-0fedcba9876543210")),
        False,
        False,
        "not currently supported for the 'SnapshotId' parameter",
    ),
    "a larger volume in place": (OLD, changed(OLD, lambda config: ebs(config).update(Size=1000)), False, False, "after a resize operation"),
    "another encryption in place": (OLD, changed(OLD, lambda config: ebs(config).update(Encrypted=False)), False, False, "'Encrypted'"),
    "the script of a head node": (
        OLD,
        changed(OLD, lambda config: config["HeadNode"]["CustomActions"]["OnNodeConfigured"]["Sequence"].pop()),
        False,
        False,
        "not currently supported",
    ),
    "the home directories": (
        changed(OLD, lambda config: config["SharedStorage"].append({"Name": "home", "MountDir": "/home", "StorageType": "Ebs"})),
        OLD,
        False,
        False,
        "/home directory cannot be changed",
    ),
}
PROGRAM = """
import json, sys, os, importlib.util
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
spec = importlib.util.spec_from_file_location("check_cluster_update", "roles/cluster_config/files/check_cluster_update.py")
check = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = check
spec.loader.exec_module(check)
cases = json.load(sys.stdin)
json.dump({name: check.check_update(old, new, check.RunningCluster(*runs)) for name, (old, new, *runs) in cases.items()}, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers():
    cases = {**ALLOWED, **{name: case[:4] for name, case in REFUSED.items()}}
    run = subprocess.run([str(PYTHON), "-c", PROGRAM], cwd=ROOT, input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", ALLOWED)
def test_parallelcluster_lets_it_through(answers, name):
    assert answers[name]["allowed"], answers[name]["changes"]
    assert answers[name]["changes"]


@pytest.mark.parametrize("name", REFUSED)
def test_parallelcluster_refuses_it_with_the_reason(answers, name):
    assert not answers[name]["allowed"]
    assert REFUSED[name][4] in " ".join(str(change["reason"]) for change in answers[name]["changes"] if change["check"] != "SUCCEEDED")


def test_the_upgraded_configuration_passes_the_validators(tmp_path):
    files = {"upgraded": UPGRADED, "removed": ALLOWED["old software removed later"][1]}
    for name, config in files.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config))
    findings = judged([tmp_path / f"{name}.yaml" for name in files])
    assert [found for listed in findings.values() for found in listed if found["level"] == "ERROR"] == []


def test_the_script_of_the_role_says_the_same(tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(yaml.safe_dump(OLD))
    new.write_text(yaml.safe_dump(REFUSED["another snapshot in place"][1]))
    script = ROOT / "roles/cluster_config/files/check_cluster_update.py"
    run = subprocess.run([str(PYTHON), str(script), str(old), str(new)], capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    assert json.loads(run.stdout)["allowed"] is False
