import yaml

from plugins.module_utils._core.volume import Volume
from plugins.modules import ebs_volume_info
from tests.unit.fakes import FakeVolumeGateway


def volume(volume_id, name, **tags):
    return Volume(volume_id, name, "available", 10, "gp3", "us-east-1a", tags={"Name": name, **tags})


GATEWAY = FakeVolumeGateway([volume("vol-2", "scratch", CreatedBy="petal.hpc"), volume("vol-1", "scratch"), volume("vol-3", "data")])


def run(**given):
    defaults = {name: option.get("default") for name, option in ebs_volume_info.ARGUMENT_SPEC.items()}
    return ebs_volume_info.run({**defaults, **given}, GATEWAY)["volumes"]


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
