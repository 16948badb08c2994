"""The judge itself: what has to be refused is refused, by the rule that our own check names. One process judges all cases."""

from __future__ import annotations

import copy

import pytest
import yaml

from tests.judge.running import ROOT, judged, needs_judge

pytestmark = [pytest.mark.judge, needs_judge]

GOOD = yaml.safe_load((ROOT / "tests/data/clusters/starter.yaml").read_text())
SNAPSHOT = "snap-0123456789abcdef0"


def queue(config):
    return config["Scheduling"]["SlurmQueues"][0]


def software(config):
    return config["SharedStorage"][0]["EbsSettings"]


# Name of the case -> (one change to a good configuration, the validator that refuses it).
REFUSED = {
    "unknown-key": (lambda c: c.update(Colour="red"), "ConfigSchemaValidator"),
    "old-os-name": (lambda c: c["Image"].update(Os="al2023"), "ConfigSchemaValidator"),
    "max-count-zero": (lambda c: queue(c)["ComputeResources"][0].update(MaxCount=0), "ConfigSchemaValidator"),
    "snapshot-id-form": (lambda c: software(c).update(SnapshotId="snap-0abc123"), "ConfigSchemaValidator"),
    "queue-name": (lambda c: queue(c).update(Name="default"), "NameValidator"),
    "vcpus-differ": (lambda c: queue(c)["ComputeResources"][0]["Instances"].append({"InstanceType": "c5.large"}), "InstancesCPUValidator"),
    "architectures-differ": (lambda c: c["HeadNode"].update(InstanceType="m6g.large"), "InstanceArchitectureCompatibilityValidator"),
    "head-node-small": (lambda c: c["HeadNode"].update(InstanceType="t3.micro"), "HeadNodeMemorySizeValidator"),
    "strategy": (lambda c: queue(c).update(AllocationStrategy="capacity-optimized"), "InstancesAllocationStrategyValidator"),
    "reserved-mount": (lambda c: c["SharedStorage"][0].update(MountDir="/usr"), "SharedStorageMountDirValidator"),
    "smaller-than-snapshot": (lambda c: software(c).update(Size=100, Iops=3000, Throughput=125), "EbsVolumeSizeSnapshotValidator"),
    "iops": (lambda c: software(c).update(Iops=2000), "EbsVolumeIopsValidator"),
    "kms-without-encryption": (
        lambda c: software(c).update(KmsKeyId="1234abcd-12ab-34cd-56ef-1234567890ab", Encrypted=False),
        "KmsKeyIdEncryptedValidator",
    ),
    "region": (lambda c: c.update(Region="mars-north-1"), "RegionValidator"),
}
# What ParallelCluster accepts although the cluster would be wrong; our own rules refuse it (cluster_storage.py).
ACCEPTED = {
    "as-it-is": lambda c: None,
    "snapshot-beside-volume": lambda c: software(c).update(VolumeId="vol-0123456789abcdef0"),
    "overlapping-mounts": lambda c: c["SharedStorage"].append(
        {"Name": "data", "MountDir": "/shared/data", "StorageType": "Ebs", "EbsSettings": {"Size": 10}}
    ),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutations")
    files = {}
    changes = {name: change for name, (change, _validator) in REFUSED.items()} | ACCEPTED
    for name, change in changes.items():
        config = copy.deepcopy(GOOD)
        change(config)
        files[name] = folder / f"{name}.yaml"
        files[name].write_text(yaml.safe_dump(config))
    findings = judged(files.values(), world={"snapshots": {SNAPSHOT: {"size_gib": 200}}})
    return {name: [found for found in findings[str(file)] if found["level"] == "ERROR"] for name, file in files.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_one_wrong_setting_is_refused(answers, name):
    assert REFUSED[name][1] in {finding["validator"] for finding in answers[name]}, answers[name]


@pytest.mark.parametrize("name", ACCEPTED)
def test_parallelcluster_accepts(answers, name):
    assert answers[name] == []


def test_a_good_configuration_becomes_a_cloudformation_template(tmp_path):
    file = tmp_path / "starter.yaml"
    file.write_text(yaml.safe_dump(GOOD))
    (findings,) = judged([file], "--level", "synth").values()
    assert [finding for finding in findings if finding["level"] == "ERROR"] == []
