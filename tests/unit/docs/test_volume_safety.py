"""docs/volume_safety.md names the test that shows each of its claims, and those tests exist."""

from __future__ import annotations

import ast
import re

import pytest

from plugins.module_utils._core.ebs.volume import GUIDE, Volume, already_attached
from tests.unit.docs.pages import ROOT, broken_links, page, quoted, table

TEXT = page("volume_safety.md")
SCENARIOS = table(TEXT, "scenario", "what happens", "risk", "shown by")
REFUSALS = table(TEXT, "refused", "until", "shown by")


def exists(test):
    path, _, name = test.partition("::")
    functions = [node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)]
    return name in functions


def test_there_are_the_five_scenarios():
    assert [row[2].strip("*") for row in SCENARIOS] == ["safe", "safe", "critical", "safe", "critical"]


@pytest.mark.parametrize("row", SCENARIOS + REFUSALS, ids=lambda row: row[0])
def test_each_line_names_a_test_that_exists(row):
    assert [exists(test) for test in quoted(row[-1])] == [True]


def test_the_refusal_is_quoted_word_for_word():
    found = re.findall(r"^> (.+)$", TEXT, re.MULTILINE)
    volume = Volume("vol-0123456789abcdef0", "data", "in-use", 1, "gp3", "us-east-1a")
    assert found == [str(already_attached(volume, "i-0123456789abcdef0", "i-0123456789abcdef1"))]


def test_the_modules_point_to_this_page():
    assert GUIDE.endswith("/docs/volume_safety.md")


def test_no_link_is_broken():
    assert broken_links(TEXT) == []
