import pytest

from plugins.module_utils._core import tags


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


def test_what_has_no_name_gets_no_name_tag():
    assert tags.managed() == {"CreatedBy": "petal.hpc"}
