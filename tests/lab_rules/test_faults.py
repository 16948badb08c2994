"""Faults strike as told, and calls are counted."""

import time

import pytest
from botocore.exceptions import ClientError

from tests.lab_rules.expectations import ZONE, refused

THROTTLED = {"action": "DescribeVolumes", "code": "RequestLimitExceeded", "status": 503}


@pytest.fixture
def count(lab):
    """Counts the calls of an action from now on."""
    lab.reset_calls()
    return lambda action: lab.calls().get(action, 0)


def test_a_fault_strikes_as_often_as_told(lab, ec2, count):
    lab.faults([{**THROTTLED, "times": 2}])
    for _ in range(2):
        with refused("RequestLimitExceeded"):
            ec2.describe_volumes()
    assert ec2.describe_volumes()
    assert count("DescribeVolumes") == 3


def test_a_fault_lets_calls_pass_first(lab, ec2):
    lab.faults([{**THROTTLED, "after": 1}])
    ec2.describe_volumes()
    with refused("RequestLimitExceeded"):
        ec2.describe_volumes()


def test_boto3_repeats_a_throttled_call(lab, count):
    lab.faults([{**THROTTLED, "times": 1}])
    assert lab.client("ec2").describe_volumes()
    assert count("DescribeVolumes") == 2


def test_a_lost_answer_leaves_the_volume_made(lab, ec2, count):
    before = len(ec2.describe_volumes()["Volumes"])
    lab.faults([{"action": "CreateVolume", "code": "InternalError", "status": 500, "times": 1, "drop": True}])
    lab.client("ec2").create_volume(Size=1, AvailabilityZone=ZONE)
    assert count("CreateVolume") == 2
    assert len(ec2.describe_volumes()["Volumes"]) == before + 1


def test_a_fresh_resource_is_not_seen_at_once(lab, ec2, volume):
    lab.faults([{"action": "DescribeVolumes", "code": "InvalidVolume.NotFound", "fresh": 3600}])
    with refused("InvalidVolume.NotFound"):
        ec2.describe_volumes(VolumeIds=[volume])
    lab.faults([{"action": "DescribeVolumes", "code": "InvalidVolume.NotFound", "fresh": 0.001}])
    assert ec2.describe_volumes(VolumeIds=[volume])


def test_a_bucket_of_tokens_runs_empty_and_fills_again(lab, ec2):
    def call():
        try:
            ec2.describe_availability_zones()
        except ClientError:
            return "throttled"
        return "ok"

    lab.faults([{"action": "*", "code": "RequestLimitExceeded", "rate": 0.001, "burst": 3}])
    assert [call() for _ in range(5)] == ["ok", "ok", "ok", "throttled", "throttled"]
    lab.faults([{"action": "*", "code": "RequestLimitExceeded", "rate": 1000, "burst": 1}])
    assert [call(), time.sleep(0.01), call()] == ["ok", None, "ok"]


def test_an_answer_can_be_late(lab, ec2):
    lab.faults([{"action": "DescribeVolumes", "delay": 0.3}])
    begin = time.monotonic()
    ec2.describe_volumes()
    assert time.monotonic() - begin >= 0.3


def test_other_services_fail_in_their_own_form(lab):
    lab.faults([{"action": "ListKeys", "code": "ThrottlingException", "status": 400}])
    with refused("ThrottlingException"):
        lab.client("kms", retries=0).list_keys()


@pytest.mark.parametrize(("change", "what"), [("faults", [{"action": "X", "colour": "red"}]), ("slow", {"time": 1})])
def test_what_the_lab_does_not_know_is_refused(lab, change, what):
    with pytest.raises(ValueError, match=r"colour|time"):
        getattr(lab, change)(what)
