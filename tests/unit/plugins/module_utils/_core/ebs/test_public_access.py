import pytest

from plugins.module_utils._core.ebs.public_access import EC2_STATES, PublicAccess, plan_public_access
from plugins.module_utils._core.errors import ExplainedError


@pytest.mark.parametrize("wanted", EC2_STATES)
@pytest.mark.parametrize("found", EC2_STATES)
def test_a_region_changes_only_where_its_state_differs(wanted, found):
    plan = plan_public_access(wanted, PublicAccess(found), "us-east-1")
    assert (plan.changed, plan.after) == (wanted != found, {"state": wanted})


def test_a_policy_of_the_organization_is_named():
    held = PublicAccess("unblocked", "declarative-policy")
    assert not plan_public_access("unblocked", held, "us-east-1").changed
    with pytest.raises(ExplainedError, match="A policy of the organization holds us-east-1 unblocked"):
        plan_public_access("blocked-all-sharing", held, "us-east-1")
