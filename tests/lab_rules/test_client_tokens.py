"""A request with a client token has one effect."""

import concurrent.futures
import uuid

import pytest

from tests.lab import world
from tests.lab_rules.expectations import ZONE, proves, refused


@pytest.fixture
def token():
    return str(uuid.uuid4())


@proves("token_has_one_effect")
def test_a_repeated_token_gives_the_same_volume(make_volume, token):
    assert make_volume(ClientToken=token) == make_volume(ClientToken=token)


@proves("token_has_one_effect")
def test_twenty_simultaneous_requests_make_one_volume(lab, token):
    def create(_):
        return lab.client("ec2").create_volume(Size=1, AvailabilityZone=ZONE, ClientToken=token)["VolumeId"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(20)))) == 1


@proves("token_has_one_effect")
def test_a_token_is_for_one_set_of_parameters(make_volume, token):
    make_volume(ClientToken=token)
    with refused("IdempotentParameterMismatch", "non-identical"):
        make_volume(ClientToken=token, Size=2)


@proves("token_has_one_effect")
def test_a_deleted_volume_burns_its_token(ec2, make_volume, token):
    ec2.delete_volume(VolumeId=make_volume(ClientToken=token))
    with refused("IdempotentParameterMismatch", "already deleted"):
        make_volume(ClientToken=token)


def test_a_failed_request_leaves_its_token_free(make_volume, token):
    with refused("InvalidZone.NotFound"):
        make_volume(ClientToken=token, AvailabilityZone="us-east-1z")
    assert make_volume(ClientToken=token)


@proves("token_has_one_effect")
def test_a_repeated_launch_gives_the_same_instance(ec2, token):
    launch = {"ImageId": world.official_image("us-east-1"), "InstanceType": "c7i.large", "MinCount": 1, "MaxCount": 1}
    first, second = (ec2.run_instances(ClientToken=token, **launch)["Instances"][0]["InstanceId"] for _ in range(2))
    assert first == second


def test_accounts_do_not_share_tokens(make_volume, other, token):
    mine = make_volume(ClientToken=token)
    assert other.create_volume(Size=1, AvailabilityZone=ZONE, ClientToken=token)["VolumeId"] != mine
