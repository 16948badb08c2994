"""What the package writes into CloudFormation, as far as our readers and the lab's stand-in rely on it."""

from __future__ import annotations

import copy
import re
import subprocess

import pytest
import yaml

from plugins.module_utils._core.cluster.stack_template import parse_template
from plugins.module_utils._core.cluster.state import Storage, storage_of
from tests.judge.running import PYTHON, ROOT, needs_judge

pytestmark = [pytest.mark.judge, needs_judge]

GOOD = ROOT / "tests/data/clusters/starter.yaml"
# Of the stack: where the configuration in use lies, see plugins/module_utils/_aws/clusters.py.
PLACE = ("ResourcesS3Bucket", "ArtifactS3RootDirectory", "ConfigVersion")


def made(config) -> str:
    """Return the template's text."""
    command = [str(PYTHON), "-m", "tests.judge.template", str(config)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def resources(template):
    """Return what each resource is; some names hold the time at which the template was made."""
    return {(re.sub(r"\d{14}$", "", name), one["Type"], one.get("DeletionPolicy")) for name, one in template["Resources"].items()}


def test_the_template_that_the_lab_starts_from_is_the_package_s_own():
    text = made(GOOD)
    assert not text.lstrip().startswith("{")
    fresh, kept = parse_template(text, "fresh"), yaml.safe_load((ROOT / "tests/data/stacks/starter.yaml").read_text())
    assert resources(fresh) == resources(kept)
    assert storage_of(fresh) == storage_of(kept)
    volumes = [[one for one in each["Resources"].values() if one["Type"] == "AWS::EC2::Volume"] for each in (fresh, kept)]
    assert volumes[0] == volumes[1]
    assert all("Default" in template["Parameters"][name] for template in (fresh, kept) for name in PLACE)


def test_every_kind_of_storage_is_found_with_its_policy_and_its_name(tmp_path):
    config = copy.deepcopy(yaml.safe_load(GOOD.read_text()))
    config["SharedStorage"] += [
        {"Name": "kept", "MountDir": "/kept", "StorageType": "Ebs", "EbsSettings": {"Size": 50, "DeletionPolicy": "Retain"}},
        {"Name": "homes", "MountDir": "/homes", "StorageType": "Efs", "EfsSettings": {"DeletionPolicy": "Delete"}},
        {
            "Name": "scratch",
            "MountDir": "/scratch-fsx",
            "StorageType": "FsxLustre",
            "FsxLustreSettings": {"StorageCapacity": 1200, "DeploymentType": "SCRATCH_2", "DeletionPolicy": "Delete"},
        },
    ]
    file = tmp_path / "storage.yaml"
    file.write_text(yaml.safe_dump(config))
    found = storage_of(parse_template(made(file), "storage"))
    assert {(one.kind, one.title, one.deletion_policy, one.snapshot_id) for one in found} == {
        ("EBS volume", "software", "Delete", "snap-0123456789abcdef0"),
        ("EBS volume", "kept", "Retain", ""),
        ("EFS file system", "homes", "Delete", ""),
        ("FSx file system", "scratch", "Delete", ""),
    }
    assert Storage.__str__(next(one for one in found if one.title == "homes")).startswith("EFS file system homes (")
