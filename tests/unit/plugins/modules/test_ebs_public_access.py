import pytest

from plugins.module_utils._core.ebs.public_access import PublicAccess
from plugins.module_utils._core.errors import ExplainedError
from plugins.modules.ebs_public_access import run

BLOCKED = "blocked-all-sharing"


class Region:
    def __init__(self, state="unblocked", managed_by="account"):
        self.access, self.calls = PublicAccess(state, managed_by), []

    def public_access(self):
        return self.access

    def set_public_access(self, state):
        self.calls.append(state)
        self.access = PublicAccess(state)


@pytest.fixture
def regions():
    return {"us-east-1": Region(), "us-west-2": Region(BLOCKED)}


def test_regions_are_blocked_once(regions):
    first = run(BLOCKED, regions, check_mode=False)
    assert [(one["region"], one["state"], one["changed"]) for one in first["regions"]] == [
        ("us-east-1", BLOCKED, True),
        ("us-west-2", BLOCKED, False),
    ]
    assert first["diff"]["before"] == {"us-east-1": "unblocked", "us-west-2": BLOCKED}
    assert not run(BLOCKED, regions, check_mode=False)["changed"]
    assert regions["us-east-1"].calls == [BLOCKED]


def test_check_mode_says_the_same_and_changes_nothing(regions):
    predicted = run(BLOCKED, regions, check_mode=True)
    assert regions["us-east-1"].calls == []
    assert predicted == run(BLOCKED, regions, check_mode=False)


def test_a_region_that_fails_does_not_stop_the_others(regions):
    regions = {"eu-west-1": Region(managed_by="declarative-policy"), **regions}
    with pytest.raises(ExplainedError, match="1 of 3 regions failed: eu-west-1: A policy") as refused:
        run(BLOCKED, regions, check_mode=False)
    assert regions["us-east-1"].access.state == BLOCKED
    assert refused.value.details["changed"]
