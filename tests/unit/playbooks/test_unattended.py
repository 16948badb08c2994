"""Playbooks that a schedule or a job template starts: they ask nobody, and hand on what came of them."""

import re

import pytest

from tests.unit.docs.pages import ROOT

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
INCLUDED = re.compile(r"(?:import_playbook|include_tasks|import_tasks): \"?([\w/]+\.yml)")


def texts(path):
    """Return the text of a playbook with that of all that it includes."""
    text = path.read_text()
    return "\n".join([text, *(texts(path.parent / name) for name in INCLUDED.findall(text) if (path.parent / name).exists())])


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_asks_nobody_and_hands_on_its_result(playbook):
    text = texts(playbook)
    assert not re.search(r"vars_prompt|\bpause:", text)
    assert "set_stats" in text
