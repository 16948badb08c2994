"""Rendered clusters equal the files in tests/data/clusters, which a person can read and review.

After a change on purpose: PETAL_WRITE_GOLDEN=1 pytest tests/unit/templates, then read the diff.
"""

import json
import os
import re

import pytest
import yaml
from jinja2 import meta, nodes

from plugins.lookup.cluster_text import environment_of, listed, render_cluster
from plugins.module_utils._core.cluster.losses import find_losses
from plugins.module_utils._core.cluster.plan import ClusterOptions, plan_cluster
from plugins.module_utils._core.seed.read import read_seed
from tests.unit.conftest import ROOT

TEMPLATES = ROOT / "templates" / "cluster"
SEEDS = ROOT / "tests" / "data" / "seeds"
GOLDEN = ROOT / "tests" / "data" / "clusters"
PARTIALS = sorted(TEMPLATES.glob("*.j2"))
SCHEMA = json.loads((ROOT / "schemas" / "seed.schema.json").read_text())
SITE = {
    "subnet_id": "subnet-0123456789abcdef0",
    "key_name": "my-key",
    "snapshot_id": "snap-0123456789abcdef0",
    "snapshot_size_gib": 200,
    "hooks": "s3://my-site/petal",
    "fingerprint": "sha256:" + "0123456789abcdef" * 4,
}
# Golden file -> the seed, and the options beside those of the site.
CASES = {
    "toy": ("toy.yaml", {}),
    "workload-basic": ("petal/workload-basic.yaml", {}),
    "starter": ("petal/starter.yaml", {"volume_size_gib": 300, "volume_iops": 6000, "volume_throughput": 500}),
    "spot-compute": ("petal/spot-compute.yaml", {"head_node": "t3.xlarge"}),
    "cfd-openfoam": ("petal/cfd-openfoam.yaml", {}),
    "ml-inference": ("petal/ml-inference.yaml", {"unsupported_types": "drop"}),
    "bioinformatics": ("bioinformatics.yaml", {"iam_policies": ("arn:aws:iam::aws:policy/AmazonS3FullAccess",)}),
    "two-zones": ("petal/astronomy.yaml", {"compute_subnet_ids": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")}),
    "without-hooks": ("petal/minimal.yaml", {"hooks": ""}),
    "own-scripts-and-shared": (
        "petal/minimal.yaml",
        {
            "scripts": ({"script": "s3://my-site/own/tune.sh", "args": ["fast"]},),
            "shared_storage": (
                {"Name": "home", "MountDir": "/efs", "StorageType": "Efs", "EfsSettings": {"Encrypted": True, "DeletionPolicy": "Retain"}},
                {"Name": "old", "MountDir": "/old", "StorageType": "Efs", "EfsSettings": {"FileSystemId": "fs-0123456789abcdef0"}},
                {"Name": "scratch", "MountDir": "/fsx", "StorageType": "FsxLustre", "FsxLustreSettings": {"StorageCapacity": 1200}},
            ),
        },
    ),
    "existing-volume": ("petal/jupyter-hub.yaml", {"snapshot_id": "", "volume_id": "vol-0123456789abcdef0"}),
    "custom-image": ("petal/machine-learning.yaml", {"custom_ami": "ami-0123456789abcdef0"}),
    "site-settings": (
        "petal/starter-usw2.yaml",
        {
            "allowed_ips": "10.0.0.0/8",
            "elastic_ip": "true",
            "security_group_ids": ("sg-0123456789abcdef0",),
            "login_nodes": ({"name": "login", "instance_type": "c6i.large"},),
            "iam_policies": ("arn:aws:iam::aws:policy/AmazonS3FullAccess",),
            "deletion_policy": "Retain",
            "slurm_settings": {"ScaledownIdletime": 5},
            "monitoring": {"Logs": {"CloudWatch": {"RetentionInDays": 14}}},
            "shared_storage": ({"Name": "scratch", "MountDir": "/scratch", "StorageType": "Ebs", "EbsSettings": {"Size": 100}},),
            "tags": {"project": "petal"},
        },
    ),
}


def render(name):
    path, options = CASES[name]
    seed = read_seed((SEEDS / path).read_text(), SCHEMA, path).seed
    plan = plan_cluster(seed, ClusterOptions(**{**SITE, **options}))
    assert plan.problems == []
    return seed, render_cluster([str(TEMPLATES)], plan.model)


@pytest.mark.parametrize("name", CASES)
def test_the_rendered_cluster_is_the_golden_one(name):
    _seed, text = render(name)
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("PETAL_WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("name", sorted(set(CASES) - {"without-hooks", "ml-inference"}))
def test_nothing_of_the_seed_is_lost(name):
    seed, text = render(name)
    assert find_losses(yaml.safe_load(text), seed) == []


def test_what_is_left_out_on_purpose_is_all_that_is_lost():
    seed, text = render("ml-inference")
    assert find_losses(yaml.safe_load(text), seed) == ["Queue 'batch': p3.8xlarge left out."]


def test_the_short_fingerprint_can_be_searched_for():
    assert "0123456789ab" in render("toy")[1]


def test_the_golden_files_are_those_of_twelve_seeds():
    assert len({seed for seed, _options in CASES.values()}) == 12
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(CASES)


@pytest.mark.parametrize("template", PARTIALS, ids=lambda path: path.name)
def test_each_template_opens_with_every_variable_that_it_uses(template):
    comment = re.match(r"\{#(.*?)#\}", template.read_text(), flags=re.DOTALL)
    described = set(re.findall(r"\w+", comment.group(1).partition("Variables")[2]))
    tree = environment_of((listed(TEMPLATES),)).parse(template.read_text())
    attributes = {node.attr for node in tree.find_all(nodes.Getattr)} - {"items"}
    assert (meta.find_undeclared_variables(tree) | attributes) - described == set()


@pytest.mark.parametrize("template", [path for path in PARTIALS if path.name != "cluster.yaml.j2"], ids=lambda path: path.name)
def test_each_section_can_be_replaced_alone(template, tmp_path):
    """All of it is there in a cluster with login nodes; a user's copy differs by a comment, and nothing else changes."""
    seed = read_seed((SEEDS / "toy.yaml").read_text(), SCHEMA, "toy.yaml").seed
    login = ({"name": "login", "instance_type": "m6a.large"},)
    policies = ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",)
    model = plan_cluster(seed, ClusterOptions(**SITE, login_nodes=login, iam_policies=policies)).model
    (tmp_path / template.name).write_text(f"# of this site\n{template.read_text()}")
    whole, own = render_cluster([str(TEMPLATES)], model), render_cluster([str(tmp_path), str(TEMPLATES)], model)
    assert "# of this site" in own
    assert yaml.safe_load(own) == yaml.safe_load(whole)
