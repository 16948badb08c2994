import tracemalloc

import yaml

from plugins.module_utils._aws.volumes import PAGE_SIZE, VolumeGateway
from plugins.module_utils._core.ebs.volume import Attachment, Volume
from plugins.modules import ebs_volume_info
from tests.unit.fakes import FakeVolumeGateway


def volume(volume_id, name, **tags):
    return Volume(volume_id, name, "available", 10, "gp3", "us-east-1a", tags={"Name": name, **tags})


GATEWAY = FakeVolumeGateway([volume("vol-2", "scratch", CreatedBy="petal.hpc"), volume("vol-1", "scratch"), volume("vol-3", "data")])


def run(gateway=GATEWAY, **given):
    defaults = {name: option.get("default") for name, option in ebs_volume_info.ARGUMENT_SPEC.items()}
    return ebs_volume_info.run({**defaults, **given}, gateway)["volumes"]


def ids(volumes):
    return [one["volume_id"] for one in volumes]


def test_all_volumes_are_listed_by_name_and_id():
    assert ids(run()) == ["vol-3", "vol-1", "vol-2"]


def test_conditions_narrow_the_list():
    assert ids(run(name="scratch")) == ["vol-1", "vol-2"]
    assert ids(run(name="scratch", managed_only=True)) == ["vol-2"]
    assert ids(run(volume_ids=["vol-3", "vol-404"])) == ["vol-3"]
    assert ids(run(tags={"Name": "data"})) == ["vol-3"]


def test_a_short_list_holds_what_a_table_needs():
    assert set(run(details=False)[0]) == set(ebs_volume_info.SHORT)


def test_details_tell_what_a_volume_costs_and_whether_it_is_shared():
    holders = tuple(Attachment(f"i-{number}", "/dev/sdf", "attached", False) for number in (1, 2))
    shared = Volume("vol-9", "shared", "in-use", 100, "io2", "us-east-1a", iops=1000, multi_attach=True, attachments=holders)
    (found,) = run(FakeVolumeGateway([shared]))
    assert (found["exclusive"], found["monthly_cost_usd"]) == (False, 77.5)
    assert [(one["exclusive"], one["monthly_cost_usd"]) for one in run(name="data")] == [(True, 0.8)]


def test_the_documentation_describes_exactly_the_options():
    documented = yaml.safe_load(ebs_volume_info.DOCUMENTATION)["options"]
    assert documented.keys() == ebs_volume_info.ARGUMENT_SPEC.keys()
    for name, option in ebs_volume_info.ARGUMENT_SPEC.items():
        assert documented[name].get("choices") == option.get("choices")
        assert documented[name].get("default") == option.get("default")
        assert documented[name].get("aliases") == option.get("aliases")
        assert documented[name]["type"] == option["type"]


def test_the_documentation_describes_what_is_returned():
    documented = yaml.safe_load(ebs_volume_info.RETURN)["volumes"]["contains"]
    assert documented.keys() == run()[0].keys()
    assert {name for name, field in documented.items() if "returned" not in field} == set(ebs_volume_info.SHORT)


class Page(dict):
    """A dict that can be watched: it counts how many of its kind are alive, and were at most."""

    alive = most = 0

    def __init__(self, volumes):
        super().__init__(Volumes=volumes)
        Page.alive += 1
        Page.most = max(Page.most, Page.alive)

    def __del__(self):
        Page.alive -= 1


class LargeAccount:
    """A client of EC2 whose account has so many volumes."""

    def __init__(self, count):
        self.count = count

    def get_paginator(self, operation):
        return self

    def paginate(self, **_):
        for first in range(0, self.count, PAGE_SIZE):
            yield Page([large_answer(number) for number in range(first, min(first + PAGE_SIZE, self.count))])


def large_answer(number):
    """What EC2 says of a volume with long tags."""
    tags = {"Name": f"volume-{number}", "petal:owner": f"owner-{number % 100}", "Purpose": f"{number:0200d}"}
    return {
        "VolumeId": f"vol-{number:017x}",
        "State": "available",
        "Size": 100,
        "VolumeType": "gp3",
        "AvailabilityZone": "us-east-1a",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def test_of_a_hundred_thousand_volumes_no_more_than_two_pages_are_held_at_once():
    volumes = run(VolumeGateway(LargeAccount(100_000)), details=False)
    assert len(volumes) == 100_000
    assert Page.most <= 2


def test_a_short_list_needs_half_a_kilobyte_for_a_volume_and_little_on_the_way():
    count = 5_000
    tracemalloc.start()
    try:
        volumes = run(VolumeGateway(LargeAccount(count)), details=False)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(volumes) == count
    assert kept / count < 600
    # On the way: two pages of EC2's answer, and the keys of the sort.
    assert peak - kept < 3 * 2**20
