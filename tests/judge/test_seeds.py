"""Every seed we know, rendered and put before aws-parallelcluster in one process; or refused with the rule and the fix.

Nothing of a seed is lost in what is rendered. The judge runs in an environment of its own, made by
`sh scripts/bootstrap.sh .venv-pcluster requirements/pcluster.txt`.
"""

from __future__ import annotations

import json
import pathlib

import pytest
import yaml

from plugins.lookup.cluster_text import render_cluster
from plugins.module_utils._core.cluster import ClusterOptions, plan_cluster
from plugins.module_utils._core.cluster_losses import find_losses
from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.seed import read_seed
from tests.judge.running import ROOT, judged, needs_judge

pytestmark = [pytest.mark.judge, needs_judge]

SEEDS = sorted((ROOT / "tests/data/seeds").rglob("*.yaml"))
SCHEMA = json.loads((ROOT / "schemas/seed.schema.json").read_text())
SITE = {
    "subnet_id": "subnet-0123456789abcdef0",
    "key_name": "my-key",
    "snapshot_id": "snap-0123456789abcdef0",
    "snapshot_size_gib": 200,
    "hooks": "s3://my-site/petal",
    "iam_policies": ("arn:aws:iam::aws:policy/AmazonS3FullAccess",),
    "target": "x86_64_v3",
}
# The seed's mistake or ParallelCluster's rule, in words of the refusal that also say what to do.
REFUSED = {
    "petal/rna-seq.yaml": "line 25",
    "petal/machine-learning.yaml": "p3.2xlarge is refused by ParallelCluster's official images since 3.8",
    "petal/ml-inference.yaml": "p3.8xlarge is refused by ParallelCluster's official images since 3.8",
    "petal/spot-compute.yaml": "(HeadNodeMemorySizeValidator). Use t3.xlarge",
}
# With these options the refused seeds that can be mended by options alone are accepted.
MENDED = {
    "petal/machine-learning.yaml": {"unsupported_types": "drop"},
    "petal/ml-inference.yaml": {"unsupported_types": "drop"},
    "petal/spot-compute.yaml": {"head_node": "t3.xlarge"},
}


def name_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOT / "tests/data/seeds").as_posix()


def read(path: pathlib.Path) -> dict:
    return read_seed(path.read_text(), SCHEMA, path.name).seed


def render(path: pathlib.Path, **options) -> tuple[list[str], str]:
    """Return (problems, text); the text is empty where there are problems."""
    plan = plan_cluster(read(path), ClusterOptions(**{**SITE, **options}))
    return plan.problems, "" if plan.problems else render_cluster([str(ROOT / "templates/cluster")], plan.model)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What aws-parallelcluster says of every seed that we do not refuse, and of the mended ones."""
    folder = tmp_path_factory.mktemp("rendered")
    cases = [(name_of(path), path, {}) for path in SEEDS if name_of(path) not in REFUSED]
    cases += [(f"mended {name}", ROOT / "tests/data/seeds" / name, options) for name, options in MENDED.items()]
    files = {}
    for name, path, options in cases:
        problems, text = render(path, **options)
        assert problems == [], name
        files[name] = folder / f"{name.replace('/', '-').replace(' ', '-')}"
        files[name].write_text(text)
    findings = judged(files.values(), "--level", "validators")
    return {name: findings[str(file)] for name, file in files.items()}


@pytest.mark.parametrize("name", [name_of(path) for path in SEEDS if name_of(path) not in REFUSED] + [f"mended {name}" for name in MENDED])
def test_parallelcluster_accepts_the_seed(answers, name):
    assert [finding for finding in answers[name] if finding["level"] == "ERROR"] == []


@pytest.mark.parametrize("name", [name_of(path) for path in SEEDS if name_of(path) not in REFUSED])
def test_nothing_of_the_seed_is_lost(name):
    path = ROOT / "tests/data/seeds" / name
    _problems, text = render(path)
    assert find_losses(yaml.safe_load(text), read(path)) == []


@pytest.mark.parametrize("name", REFUSED)
def test_the_seed_is_refused_with_the_rule_and_the_fix(name):
    path = ROOT / "tests/data/seeds" / name
    try:
        problems, _text = render(path)
    except ManyProblems as error:
        problems = [str(error)]
    assert any(REFUSED[name] in problem for problem in problems), problems
