import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.select_snapshot import FilterModule
from plugins.module_utils._core.ebs.snapshot import Snapshot

select = FilterModule().filters()["select_snapshot"]
LISTED = [
    Snapshot("snap-1", "completed", "vol-1", 500, owner_id="123456789012", tags={"petal:os": "al2023", "petal:arch": "x86_64"}).to_result(),
    Snapshot("snap-2", "completed", "vol-1", 200, owner_id="123456789012", tags={"petal:os": "al2023", "petal:arch": "arm64"}).to_result(),
]


def test_the_snapshot_that_fits_is_selected_with_the_reasons():
    result = select(LISTED, os="al2023", architecture="x86_64")
    assert (result["found"], result["snapshot"]["snapshot_id"]) == (True, "snap-1")
    assert "its architecture is arm64, not x86_64" in result["trace"][0]


def test_nothing_that_fits_is_told_with_what_there_is():
    result = select(LISTED, os="rhel9")
    assert not result["found"]
    assert result["msg"].startswith("no snapshot found for region=any, os=rhel9. There is: alinux2023, arm64")


def test_what_was_selected_can_be_selected_from_again():
    again = select(select(LISTED, size_gib=300)["candidates"], trusted_accounts=[123456789012])
    assert again["snapshot"]["snapshot_id"] == "snap-2"


def test_unknown_options_are_refused_with_the_known_ones():
    with pytest.raises(AnsibleFilterError, match="does not know size; choose from fingerprint"):
        select(LISTED, size=3)


def test_what_is_no_snapshot_is_refused():
    with pytest.raises(AnsibleFilterError, match="no snapshot_id"):
        select([{"name": "x"}])
