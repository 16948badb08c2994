"""Plans equal the files in tests/data/plans, as data and as text, and what they say follows from the facts.

After a change on purpose: PETAL_WRITE_GOLDEN=1 pytest …/_core/cluster/test_deploy_plan.py, then read the diff.
"""

import copy
import dataclasses
import json
import os

import pytest

from plugins.module_utils._core.cluster.deploy_plan import Facts, deploy_plan, plan_text
from plugins.module_utils._core.cluster.plan import plan_cluster
from plugins.module_utils._core.ebs.hydration import question_from
from plugins.module_utils._core.facts.prices import PRICES
from tests.unit.conftest import ROOT
from tests.unit.plugins.module_utils._core.cluster.test_plan import OPTIONS, SEED, seed_with

GOLDEN = ROOT / "tests/data/plans"
SNAPSHOT = {"snapshot_id": OPTIONS.snapshot_id, "source": "tags in us-east-1", "size_gib": 200}
FOUND = {
    "found": True,
    "snapshot": SNAPSHOT,
    "trace": [f"{OPTIONS.snapshot_id} (tags in us-east-1, 200 GiB) is used: the only one that fits."],
}
MISSING = {
    "found": False,
    "snapshot": None,
    "trace": ["tags in us-east-1: no snapshot carries the fingerprint."],
    "msg": "no snapshot found.",
}
RUNNING = {"name": "genomics", "status": "CREATE_COMPLETE", "fingerprint": "sha256:" + "f" * 64}
SPOT = seed_with(capacity_type="SPOT", instance_types=["c6a.xlarge", "g4dn.xlarge"], max_count=4)


def facts(seed=SEED, lookup=FOUND, *, reading=None, options=None, **others):
    snapshot = {} if lookup["snapshot"] else {"snapshot_id": "", "snapshot_size_gib": 0}
    planned = plan_cluster(seed, dataclasses.replace(OPTIONS, **snapshot, **(options or {})))
    question = question_from({**(reading or {}), "size_gib": 200}) if lookup["snapshot"] else None
    packages = seed["software"]["spack_packages"]
    return Facts(planned.model, planned.problems, planned.notes, lookup, packages, PRICES, reading=question, **others)


CASES = {
    "new-cluster": facts(),
    "no-snapshot": facts(lookup=MISSING),
    "exists": facts(running=RUNNING, running_packages=["samtools@1.17", "bwa"]),
    "exists-and-would-change": facts(
        running=RUNNING, running_packages=["samtools@1.17"], differences=["HeadNode.InstanceType: m6a.large -> m6a.4xlarge"]
    ),
    "spot-many-clusters": facts(SPOT, reading={"clusters_per_hour": 4, "first_read_gib": 50}),
    "elsewhere": facts(options={"region": "eu-central-1", "deletion_policy": "Retain"}, instance_prices={"m6a.large": 0.1}),
}


@pytest.mark.parametrize("name", CASES)
def test_plan_equals_its_golden_files(name):
    plan = deploy_plan(CASES[name])
    written = {"json": json.dumps(plan, indent=1) + "\n", "txt": plan_text(plan)}
    for ending, text in written.items():
        file = GOLDEN / f"{name}.{ending}"
        if os.environ.get("PETAL_WRITE_GOLDEN"):
            file.write_text(text)
        assert file.read_text() == text


def test_idle_cost_is_the_head_node_the_minimal_nodes_and_the_volumes():
    cost = deploy_plan(CASES["new-cluster"])["cost"]
    # One m6a.large, one c6i.xlarge (the dearer of the group), 200 GiB of software and two root disks of 45 GiB.
    assert cost["idle_usd_month"] == pytest.approx((0.0864 + 0.17) * 730 + 200 * 0.08 + 2 * 45 * 0.08, abs=0.01)


def test_a_price_that_is_given_wins():
    plans = [deploy_plan(facts(instance_prices=prices)) for prices in ({}, {"m6a.large": 1.0864})]
    assert plans[1]["cost"]["idle_usd_month"] - plans[0]["cost"]["idle_usd_month"] == pytest.approx(730)


def test_a_type_without_a_price_is_named():
    plan = deploy_plan(facts(seed_with(instance_types=["hpc6a.48xlarge"])))
    assert plan["cost"]["unknown_prices"] == ["hpc6a.48xlarge"]
    assert any("hpc6a.48xlarge" in risk for risk in plan["risks"])


def test_without_a_snapshot_the_plan_is_not_ready_and_says_so_once():
    plan = deploy_plan(CASES["no-snapshot"])
    assert (plan["ready"], plan["problems"]) == (False, ["no snapshot found."])


def test_problems_of_the_config_are_problems_of_the_plan():
    seed = copy.deepcopy(SEED)
    seed["compute"]["head_node"] = "m6g.large"
    assert not deploy_plan(facts(seed))["ready"]
