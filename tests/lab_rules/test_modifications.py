"""Modifying volumes follows EC2's rules."""

import pytest

from tests.lab_rules.expectations import NEVER, proves, refused


@pytest.fixture
def modify(ec2):
    def modify(volume, **parameters):
        return ec2.modify_volume(VolumeId=volume, **parameters)["VolumeModification"]

    return modify


@pytest.fixture
def gp3(make_volume):
    return make_volume(VolumeType="gp3", Size=10)


@proves("volume_only_grows")
def test_a_volume_does_not_shrink(modify, gp3):
    with refused("InvalidParameterValue", "smaller"):
        modify(gp3, Size=9)


@proves("modified_volume_is_within_its_type")
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Size": 65537}, "InvalidParameterValue"),
        ({"Iops": 2999}, "InvalidParameterValue"),
        ({"Iops": 5001}, "InvalidParameterValue"),
        ({"Throughput": 751}, "InvalidParameterValue"),
        ({"VolumeType": "gp9"}, "UnknownVolumeType"),
        ({"VolumeType": "st1"}, "InvalidParameterValue"),
        ({"VolumeType": "gp2", "Iops": 3000}, "InvalidParameterCombination"),
        ({"VolumeType": "gp2", "Throughput": 125}, "InvalidParameterCombination"),
    ],
)
def test_a_modified_volume_stays_within_its_type(modify, gp3, asked, code):
    with refused(code):
        modify(gp3, **asked)


def test_a_modification_changes_something(modify, gp3):
    with refused("InvalidParameterValue", "at least one of size, type"):
        modify(gp3)


@proves("modification_says_all", "new_modification_is_modifying")
def test_a_modification_tells_what_was_and_what_will_be(modify, describe, gp3):
    told = modify(gp3, Size=20)
    assert (told["OriginalSize"], told["TargetSize"], told["ModificationState"]) == (10, 20, "modifying")
    assert (told["OriginalIops"], told["TargetIops"], told["TargetVolumeType"]) == (3000, 3000, "gp3")
    assert describe(gp3)["Size"] == 20


@proves("modification_says_all")
def test_a_new_type_brings_its_defaults(modify, describe, make_volume):
    volume = make_volume(VolumeType="gp2", Size=100)
    modify(volume, VolumeType="gp3")
    assert (describe(volume)["Iops"], describe(volume)["Throughput"]) == (3000, 125)
    modify(volume, VolumeType="gp2")
    assert (describe(volume)["Iops"], describe(volume).get("Throughput")) == (300, None)


@proves("four_modifications_a_day")
def test_four_modifications_a_day(modify, gp3):
    for size in (11, 12, 13, 14):
        modify(gp3, Size=size)
    with refused("VolumeModificationRateExceeded"):
        modify(gp3, Size=15)


@proves("one_modification_at_a_time", "size_grows_after_modifying")
def test_a_modification_takes_its_time(ec2, lab, modify, describe, gp3):
    def state():
        return ec2.describe_volumes_modifications(VolumeIds=[gp3])["VolumesModifications"][0]["ModificationState"]

    lab.slow({"modification": NEVER})
    modify(gp3, Size=20)
    assert (state(), describe(gp3)["Size"]) == ("modifying", 10)
    with refused("IncorrectModificationState", "MODIFYING"):
        modify(gp3, Size=30)
    lab.slow({"modification": 0})
    assert (state(), describe(gp3)["Size"]) == ("completed", 20)


@proves("last_modification_is_described")
def test_the_last_modification_is_described(ec2, modify, gp3, volume):
    modify(gp3, Size=20)
    modify(gp3, Size=30)
    assert [one["TargetSize"] for one in ec2.describe_volumes_modifications(VolumeIds=[gp3])["VolumesModifications"]] == [30]
    with refused("InvalidVolumeModification.NotFound", volume):
        ec2.describe_volumes_modifications(VolumeIds=[volume])
