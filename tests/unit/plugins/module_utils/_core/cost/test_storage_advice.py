import dataclasses

import pytest

from plugins.module_utils._core.cost.storage_advice import Question, Workload, advise, compare, question_from, workload_from
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.prices import PRICES

# The original example: 500 GB, ten restarts, each download takes half an hour, 0.10 USD an hour.
EXAMPLE = Workload(dataset_gib=500, restarts_per_month=10, download_mib_per_second=500 * 1024 / 1800, instance_usd_per_hour=0.10)
DOWNLOAD = 0.05 + 64 * 0.0004


def changed(**fields):
    return compare(dataclasses.replace(EXAMPLE, **fields), PRICES)


def test_s3_costs_storage_and_a_download_for_each_restart():
    assert changed().s3 == pytest.approx(500 * 0.023 + 10 * DOWNLOAD)


def test_ebs_costs_the_volume_one_download_and_the_copy_in_s3():
    assert changed().ebs == pytest.approx(40 + 11.5 + DOWNLOAD + 10 * 0.10 / 60)


def test_without_a_copy_in_s3_ebs_costs_less():
    assert changed(keep_s3_copy=False).ebs == pytest.approx(changed().ebs - 11.5)


def test_a_volume_costs_only_while_it_exists():
    assert changed(volume_hours_per_month=73).ebs == pytest.approx(changed().ebs - 36)


def test_each_filling_costs_a_download():
    assert changed(fills_per_month=3).ebs == pytest.approx(changed().ebs + 2 * DOWNLOAD)


def test_a_faster_volume_costs_more():
    assert changed(throughput=500).ebs == pytest.approx(changed().ebs + 375 * 0.04)


def test_a_volume_is_no_smaller_than_its_type_allows():
    assert changed(dataset_gib=10, volume_type="st1").ebs == pytest.approx(changed(dataset_gib=10).ebs - 0.8 + 125 * 0.045)


@pytest.mark.parametrize("price", [0.10, 1, 12, 40])
def test_the_costs_cross_at_the_break_even(price):
    restarts = changed(instance_usd_per_hour=price).break_even_restarts
    at = changed(instance_usd_per_hour=price, restarts_per_month=restarts)
    assert at.ebs == pytest.approx(at.s3)
    assert changed(instance_usd_per_hour=price, restarts_per_month=restarts + 1).cheaper == "ebs"
    assert changed(instance_usd_per_hour=price, restarts_per_month=restarts - 1).cheaper == "s3"


def test_the_break_even_lies_neither_at_3_nor_at_80():
    assert changed().break_even_restarts == pytest.approx(542, abs=1)
    assert changed(instance_usd_per_hour=12).break_even_restarts == pytest.approx(7.9, abs=0.1)


def test_restarts_do_not_decide_when_a_volume_saves_no_time():
    slow = changed(attach_minutes=60)
    assert slow.break_even_restarts is None
    assert "restarts do not change that" in slow.sentence
    assert slow.to_result()["break_even_restarts"] is None


def test_the_result_says_what_people_wait_for():
    result = changed().to_result()
    assert (result["s3_waiting_hours"], result["ebs_waiting_hours"]) == (5.0, 0.17)
    assert result["sentence"].startswith("With 10 restarts a month EBS costs 51.59 USD and S3 12.26 USD; EBS is cheaper above 542.1")


def test_a_volume_that_ec2_would_refuse_is_refused():
    with pytest.raises(ExplainedError, match="iops is required for io2"):
        changed(volume_type="io2")


def test_missing_inputs_are_named_all_at_once():
    with pytest.raises(ExplainedError) as refusal:
        workload_from({"dataset_gib": 500, "restarts_per_month": -1})
    assert {line.split()[1] for line in str(refusal.value).splitlines()[1:]} == {
        "download_mib_per_second",
        "instance_usd_per_hour",
        "restarts_per_month",
    }


@pytest.mark.parametrize(
    ("question", "storage", "rule"),
    [
        pytest.param(Question(5, run_hours=1.5), "ebs", "long_run", id="longer than an hour"),
        pytest.param(Question(5, run_hours=1), "s3", "default", id="not longer than an hour"),
        pytest.param(Question(5, restarts_per_month=4), "ebs", "restarts", id="more than 3 restarts"),
        pytest.param(Question(5, restarts_per_month=3), "s3", "default", id="3 restarts"),
        pytest.param(Question(11), "ebs", "large_dataset", id="more than 10 GiB"),
        pytest.param(Question(10), "s3", "default", id="10 GiB"),
        pytest.param(Question(5, checkpoint_bound=True), "ebs", "checkpoint_bound", id="checkpoints"),
        pytest.param(Question(0.5, run_hours=9, restarts_per_month=9), "s3", "small_dataset", id="less than 1 GiB, whatever else"),
        pytest.param(Question(500, run_hours=0.4), "s3", "short_run", id="one short run"),
        pytest.param(Question(500, run_hours=0.4, runs_per_month=30), "ebs", "large_dataset", id="many short runs"),
        pytest.param(Question(500, run_hours=9, runs_per_month=0.5), "s3", "rare_runs", id="hardly ever"),
        pytest.param(Question(0.5, checkpoint_bound=True), "ebs", "checkpoint_bound", id="checkpoints of a small data set"),
        pytest.param(Question(500, 0.4, None, 10, False, 284, 12), "s3", "short_run", id="one short run, whatever is computed"),
        pytest.param(Question(500, None, None, 10, False, 284, 0.1), "s3", "break_even", id="computed: a cheap instance"),
        pytest.param(Question(500, None, None, 10, False, 284, 12), "ebs", "break_even", id="computed: an expensive instance"),
    ],
)
def test_the_rule_that_decides_is_named(question, storage, rule):
    advice = advise(question, PRICES)[0]
    assert (advice.storage, advice.rule) == (storage, rule)


def test_all_rules_that_fire_are_listed():
    fired = advise(Question(500, run_hours=0.4, restarts_per_month=5), PRICES)
    assert [(advice.storage, advice.rule) for advice in fired] == [("s3", "short_run"), ("ebs", "restarts"), ("ebs", "large_dataset")]


def test_an_unknown_fact_is_refused_with_the_known_ones():
    with pytest.raises(ExplainedError, match="colour is not known; choose from dataset_gib, run_hours"):
        question_from({"dataset_gib": 1, "colour": "red"})
