"""What sets two configurations apart, as a person would say it."""

import copy
import pathlib

import pytest
import yaml

from plugins.module_utils._core.cluster.difference import differences, parse_config
from plugins.module_utils._core.errors import ExplainedError

TEXT = (pathlib.Path(__file__).resolve().parents[6] / "tests/data/clusters/starter.yaml").read_text()
RUNS = parse_config(TEXT, "starter")


def changed(change):
    config = copy.deepcopy(RUNS)
    change(config)
    return differences(RUNS, config)


def queue(config):
    return config["Scheduling"]["SlurmQueues"][0]


def test_comments_white_space_and_the_order_of_keys_make_no_difference():
    again = yaml.safe_dump(RUNS, sort_keys=True)
    assert differences(RUNS, parse_config(again, "again")) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda c: c["HeadNode"].update(InstanceType="m6a.xlarge"), "HeadNode.InstanceType: t3.large -> m6a.xlarge"),
        (
            lambda c: queue(c)["ComputeResources"][0].update(MaxCount=60),
            "Scheduling.SlurmQueues[compute].ComputeResources[v8].MaxCount: 10 -> 60",
        ),
        (lambda c: c["Imds"] if "Imds" in c else c.update(Imds={"ImdsSupport": "v2.0"}), 'Imds: (not set) -> {"ImdsSupport": "v2.0"}'),
        (lambda c: c["HeadNode"].pop("Ssh"), 'HeadNode.Ssh: {"KeyName": "my-key"} -> (not set)'),
        (
            lambda c: c["HeadNode"]["CustomActions"]["OnNodeConfigured"]["Sequence"][1]["Args"].append("ada:5002:5002:"),
            "HeadNode.CustomActions.OnNodeConfigured.Sequence[s3://my-site/petal/petal-users.sh].Args: "
            '["user1:5001:5001:"] -> ["user1:5001:5001:", "ada:5002:5002:"]',
        ),
        (lambda c: queue(c)["ComputeResources"].reverse(), "Scheduling.SlurmQueues[compute].ComputeResources (order): v8, v16 -> v16, v8"),
        (lambda c: c["SharedStorage"][0]["EbsSettings"].update(Encrypted=1), "SharedStorage[software].EbsSettings.Encrypted: true -> 1"),
    ],
)
def test_a_setting_that_differs_is_named_with_both_values(change, line):
    assert changed(change) == [line]


def test_a_new_queue_is_one_difference():
    (line,) = changed(lambda c: c["Scheduling"]["SlurmQueues"].append({**queue(c), "Name": "gpu"}))
    assert line.startswith("Scheduling.SlurmQueues[gpu]: (not set) -> {") and len(line) < 200


@pytest.mark.parametrize("text", ["- a", "a: [", "", "!!python/name:os.system"])
def test_what_is_no_configuration_is_told(text):
    with pytest.raises(ExplainedError, match="The configuration of genomics is no YAML"):
        parse_config(text, "genomics")
