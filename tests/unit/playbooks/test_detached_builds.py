"""What a build host that goes on alone may do, and what it is told."""

import json
import re

from plugins.module_utils._core.build import DETACHED_VARIABLES
from tests.unit.docs.pages import ROOT

POLICY = json.loads((ROOT / "playbooks/files/build_host_policy.json").read_text())


def test_whatever_the_host_may_change_carries_our_tag_or_gets_it():
    changing = [one for one in POLICY["Statement"] if not all(action.startswith("ec2:Describe") for action in one["Action"])]
    limits = [name for one in changing for name in one["Condition"]["StringEquals"]]
    assert len(limits) == len(changing) > 0
    assert set(limits) == {"aws:ResourceTag/CreatedBy", "aws:RequestTag/CreatedBy", "ec2:CreateAction"}


def test_the_host_may_end_nothing_but_volumes():
    actions = [action for one in POLICY["Statement"] for action in one["Action"]]
    assert [action for action in actions if re.search("Delete|Terminate|Stop", action)] == ["ec2:DeleteVolume", "ec2:DeleteTags"]


def test_the_variables_that_go_to_the_host_are_those_of_the_playbook():
    comment = (ROOT / "playbooks/build_seed.yml").read_text().split("\n- name")[0]
    assert [name for name in DETACHED_VARIABLES if not re.search(rf"\b{name}\b", comment)] == []
