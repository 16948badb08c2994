import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.image_software import image_externals, image_problems, image_software


def test_software_of_the_image_is_never_built():
    assert image_externals({"slurm": "24.05.8", "pmix": "5.0.3"}) == {
        "pmix": {"buildable": False, "externals": [{"spec": "pmix@=5.0.3", "prefix": "/opt/pmix"}]},
        "slurm": {"buildable": False, "externals": [{"spec": "slurm@=24-05-8-1 +pmix", "prefix": "/opt/slurm"}]},
        "openmpi": {"prefer": ["schedulers=slurm"]},
    }


@pytest.mark.parametrize(("version", "prefix"), [("4.1.7", "/opt/amazon/openmpi"), ("5.0.6", "/opt/amazon/openmpi5")])
def test_each_open_mpi_of_the_image_has_a_place_of_its_own(version, prefix):
    assert image_externals({"openmpi": version})["openmpi"]["externals"][0]["prefix"] == prefix


def test_an_open_mpi_that_is_built_uses_what_the_image_has():
    assert image_externals({"libfabric": "1.22.0", "slurm": "24.05.8"})["openmpi"] == {"prefer": ["fabrics=ofi", "schedulers=slurm"]}
    assert "prefer" not in image_externals({"libfabric": "1.22.0", "openmpi": "4.1.7"})["openmpi"]


def test_other_software_is_not_known_to_be_on_the_image():
    with pytest.raises(ExplainedError, match=r"cuda cannot be taken from the image.*libfabric, openmpi, pmix, slurm"):
        image_software({"cuda": "12.8"})


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        ("24.05.8", []),
        ("", ["The image has no slurm in /opt/slurm; the seed takes slurm 24.05.8 from it."]),
        ("23.11.10", ["The image has slurm 23.11.10 in /opt/slurm; the seed takes 24.05.8 from it."]),
    ],
)
def test_what_the_image_lacks_is_named(found, problems):
    (software,) = image_software({"slurm": "24.05.8"})
    assert image_problems([{**software, "found": found}]) == problems
