"""Each rule names its document and is proven by a test that fails without it."""

import pathlib
import re

import pytest

from tests.lab.rules import BOOK
from tests.lab.rules.rulebook import check

TESTS = pathlib.Path(__file__).parent


def test_each_rule_is_proven_by_a_test():
    tests = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    proven = {name for names in re.findall(r"@proves\(([^)]*)\)", tests) for name in re.findall(r'"(\w+)"', names)}
    assert proven == {rule.name for rule in BOOK}


def test_a_rule_without_a_source_is_not_accepted():
    with pytest.raises(TypeError, match="names no source"):

        @check("CreateVolume")
        def nameless(call):
            """A rule from nowhere."""
