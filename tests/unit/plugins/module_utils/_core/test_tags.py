import datetime

import pytest

from plugins.module_utils._core import tags
from plugins.module_utils._core.errors import ManyProblems


def test_a_key_carries_the_prefix():
    assert tags.key(tags.STAGE) == "petal:stage"
    assert tags.key(tags.STAGE, prefix="acme:") == "acme:stage"


def test_the_older_prefix_is_read_where_ours_is_missing():
    assert tags.read({"pctl:stage": "built"}, tags.STAGE) == "built"
    assert tags.read({"pctl:stage": "built", "petal:stage": "proved"}, tags.STAGE) == "proved"
    assert tags.read({}, tags.STAGE) is None


@pytest.mark.parametrize(("found", "ours"), [({"CreatedBy": "petal.hpc"}, True), ({"CreatedBy": "runctl"}, False), ({}, False)])
def test_only_what_we_made_is_ours(found, ours):
    assert tags.ours(found) is ours


def test_nobody_can_give_our_own_tags_another_value():
    assert tags.managed("scratch", {"CreatedBy": "me", "Team": "x"}) == {"CreatedBy": "petal.hpc", "Name": "scratch", "Team": "x"}


def test_what_yaml_made_of_a_tag_becomes_text():
    given = {"CostCenter": 4711, "Ratio": 0.5, "Backup": True, 7: "seven", "Until": datetime.date(2026, 12, 1), "Empty": ""}
    assert tags.texts(given) == {
        "CostCenter": "4711",
        "Ratio": "0.5",
        "Backup": "True",
        "7": "seven",
        "Until": "2026-12-01",
        "Empty": "",
    }


def test_a_tag_whose_value_is_no_text_is_refused_by_its_key():
    with pytest.raises(ManyProblems) as refused:
        tags.texts({"Team": {"lead": "ada"}, "Fine": "x", "Nothing": None, "Several": ["a"]}, "scratch")
    assert refused.value.problems == ["Team: {'lead': 'ada'}", "Nothing: None", "Several: ['a']"]
    assert "scratch" in str(refused.value)


def test_what_has_no_name_gets_no_name_tag():
    assert tags.managed() == {"CreatedBy": "petal.hpc"}
