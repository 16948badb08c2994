import pytest

from plugins.module_utils._aws.requests import filter_values
from plugins.module_utils._core.errors import ManyProblems


def test_filters_are_spelled_as_ec2_compares_them():
    given = {"encrypted": True, "size": 8, "status": ["available", "in-use"], "attachment.delete-on-termination": [False], "tag:X": "True"}
    assert filter_values(given) == {
        "encrypted": ["true"],
        "size": ["8"],
        "status": ["available", "in-use"],
        "attachment.delete-on-termination": ["false"],
        "tag:X": ["True"],
    }


@pytest.mark.parametrize("value", [None, {"a": "b"}, ["x", None], [["x"]]])
def test_a_filter_that_is_no_text_is_refused_by_its_name(value):
    with pytest.raises(ManyProblems, match="encrypted"):
        filter_values({"encrypted": value})
