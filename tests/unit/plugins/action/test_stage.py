"""The stages of a long job are printed as they happen and returned as data."""

import time
from unittest import mock

import pytest

from plugins.action import stage


@pytest.fixture
def printed(monkeypatch):
    lines = []
    monkeypatch.setattr(stage.Display, "display", lambda self, text, **_: lines.append(text))
    return lines


def announce(arguments, facts=None):
    task = mock.Mock(args=arguments, async_val=0, check_mode=False, environment=None)
    action = stage.ActionModule(task, mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock())
    return action.run(task_vars=facts or {})


def test_a_stage_is_one_line_with_time_name_and_detail(printed):
    announce({"name": "volume", "detail": "vol-1 is there", "since": time.time() - 75})
    assert printed == ["petal |   1:15 | volume     | vol-1 is there"]


def test_stages_add_up_in_a_fact(printed):
    result = announce({"name": "host", "detail": "i-1"}, {"petal_stages": [{"name": "volume"}]})
    assert [stage["name"] for stage in result["ansible_facts"]["petal_stages"]] == ["volume", "host"]
    assert result["changed"] is False
