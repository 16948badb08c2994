import pytest

from plugins.module_utils._core.ebs.tier import Tier, plan_tier
from plugins.module_utils._core.errors import ExplainedError

STANDARD = Tier()
ARCHIVED = Tier("archive", "archival-completed")
ARCHIVING = Tier("standard", "archival-in-progress")
RESTORING = Tier("archive", "permanent-restore-in-progress")
LENT = Tier("archive", "temporary-restore-completed", "2026-12-01")


@pytest.mark.parametrize(
    ("wanted", "days", "found", "actions"),
    [
        ("archive", None, STANDARD, ("archive",)),
        ("archive", None, ARCHIVED, ()),
        ("archive", None, ARCHIVING, ()),
        ("archive", None, LENT, ()),
        ("standard", None, STANDARD, ()),
        ("standard", None, ARCHIVED, ("restore",)),
        ("standard", 7, ARCHIVED, ("restore temporarily",)),
        ("standard", 7, LENT, ()),
        ("standard", None, LENT, ("restore",)),
        ("standard", None, RESTORING, ()),
        ("standard", 7, STANDARD, ()),
    ],
)
def test_the_plan_follows_the_tier(wanted, days, found, actions):
    assert plan_tier(wanted, days, found, [], "snap-1").actions == actions


@pytest.mark.parametrize(
    ("wanted", "days", "found", "images", "complaint"),
    [
        ("archive", None, STANDARD, ["ami-1"], "holds the data of ami-1"),
        ("archive", None, RESTORING, [], "is being restored"),
        ("standard", None, ARCHIVING, [], "is being archived"),
        ("archive", 7, STANDARD, [], "makes no sense"),
        ("standard", 181, ARCHIVED, [], "1 to 180 days"),
    ],
)
def test_what_ec2_would_refuse_is_explained(wanted, days, found, images, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        plan_tier(wanted, days, found, images, "snap-1")


def test_the_price_of_archiving_is_said():
    assert "90 days" in plan_tier("archive", None, STANDARD, [], "snap-1").warnings[0]
