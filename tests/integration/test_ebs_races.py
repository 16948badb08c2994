"""Six processes at once ask for the same volume, twenty times."""

import pytest

from tests.integration.racers import Racers
from tests.integration.volumes import ZONE

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def racers(lab):
    with Racers(lab.environment(), 6) as six:
        yield six


@pytest.mark.parametrize("race", range(20))
def test_one_of_six_processes_gets_the_volume_and_five_are_refused(account, instances, racers, race):
    wanted = {"state": "attached", "name": account.name, "owner": "ada", "availability_zone": ZONE, "size": "1"}
    results = racers.race([{**wanted, "instance_id": instance_id} for instance_id in instances])
    (volume,) = account.in_aws()
    (attachment,) = volume["Attachments"]
    refused = [result for result in results if result.get("failed")]
    assert len(refused) == 5
    assert {result["attached_to"] for result in refused} == {attachment["InstanceId"]}
    expected = f"Volume {volume['VolumeId']} is already attached to instance {attachment['InstanceId']}. "
    assert {result["msg"] for result in refused} == {expected + "Detach it first or use a different volume."}
    assert account.volume(state="absent", volume_id=volume["VolumeId"], force=True)["changed"]


def test_six_fleets_at_once_make_each_volume_once(account, racers):
    names = [f"{account.name}-{number}" for number in range(10)]
    fleet = {"availability_zone": ZONE, "size": "1", "volumes": [{"name": name} for name in names]}
    results = racers.race([fleet] * 6)
    assert [result.get("msg") for result in results if result.get("failed")] == []
    assert [len(account.in_aws(name)) for name in names] == [1] * 10
