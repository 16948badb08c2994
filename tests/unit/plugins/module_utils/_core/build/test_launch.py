"""A build host that EC2 does not give is explained: why, what is left, what to do."""

import pytest

from plugins.module_utils._core.build.launch import ADVICE, DELETED, KEPT, UNKNOWN, launch_refusal, refused_claim

VOLUME = {"volume_id": "vol-0123456789abcdef0", "size_gib": 500, "volume_type": "gp3"}


def failed(code, message="what AWS says"):
    said = f"An error occurred ({code}) when calling the RunInstances operation: {message}"
    return {"failed": True, "msg": f"Failed to create new EC2 instance: {said}"}


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        ("VcpuLimitExceeded", "Service Quotas"),
        ("InstanceLimitExceeded", "Service Quotas"),
        ("Unsupported", "build_instance_type"),
        ("InsufficientInstanceCapacity", "build_host_subnet_id"),
        ("InsufficientFreeAddressesInSubnet", "build_host_subnet_id"),
        ("InvalidKeyPair.NotFound", "build_host_key_name"),
        ("InvalidGroup.NotFound", "build_host_security_group_ids"),
        ("InvalidAMIID.NotFound", "build_host_image_id"),
        ("InvalidPlacementGroup.Unknown", "build_host_placement_group"),
        ("MaxSpotInstanceCountExceeded", "build_host_spot"),
        ("UnauthorizedOperation", "permission"),
    ],
)
def test_a_refusal_names_its_code_and_what_would_help(code, helps):
    text = launch_refusal(failed(code))
    assert f"RunInstances answered {code}: what AWS says" in text and helps in text


def test_every_known_refusal_says_why_and_what_next():
    assert [code for code, (why, next_step) in ADVICE.items() if why.endswith(".") or not next_step.endswith(".")] == []


def test_an_answer_after_retries_is_read_too():
    answer = "An error occurred (InsufficientInstanceCapacity) when calling the RunInstances operation (reached max retries: 4): none left."
    assert "now (RunInstances answered InsufficientInstanceCapacity: none left)" in launch_refusal({"msg": answer})


@pytest.mark.parametrize("result", [{"msg": "There is no official image. Set build_host_image_id."}, {}])
def test_what_is_no_answer_of_ec2_is_passed_on(result):
    assert result.get("msg", "without a word") in launch_refusal(result)


def test_a_code_that_nobody_knows_is_passed_on():
    assert launch_refusal(failed("Newfangled")) == "EC2 refuses the build host: RunInstances answered Newfangled: what AWS says."


@pytest.mark.parametrize(
    ("became", "told"),
    [
        (DELETED, ["vol-0123456789abcdef0 (500 GiB)", "is deleted: nothing is left"]),
        (KEPT, ["40.00 USD a month", "is free for the next one", "build_cancel -e build_id=ab12 -e region=us-east-1"]),
        (UNKNOWN, ["40.00 USD a month", "petal:build-id=ab12", "build_cancel -e build_id=ab12 -e region=us-east-1"]),
    ],
)
def test_what_is_left_is_told_with_its_cost(became, told):
    text = refused_claim("No host.", VOLUME, became, "ab12", "us-east-1")
    assert text.startswith("No host. ") and [part for part in told if part not in text] == []


def test_a_build_that_another_run_holds_is_refused_in_the_words_of_the_lease():
    assert refused_claim("Build ab12 is being run by x/1.", {}, UNKNOWN, "ab12", "us-east-1") == "Build ab12 is being run by x/1."
