"""Each rule names its document and is proven by a test that fails without it."""

import gzip
import html
import pathlib
import re

import botocore
import pytest

from tests.lab.rules import BOOK, table
from tests.lab.rules.rulebook import check

TESTS = pathlib.Path(__file__).parent


def test_each_rule_is_proven_by_a_test():
    tests = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    proven = {name for names in re.findall(r"@proves\(([^)]*)\)", tests) for name in re.findall(r'"(\w+)"', names)}
    assert proven == {rule.name for rule in BOOK}


def test_quotes_of_the_api_reference_are_quotes():
    """botocore's model of EC2 holds the text of the API reference."""
    packed = pathlib.Path(botocore.__file__).parent / "data/ec2/2016-11-15/service-2.json.gz"
    reference = html.unescape(re.sub(r"<[^>]+>", "", gzip.decompress(packed.read_bytes()).decode()))
    words = " ".join(reference.replace("\\n", " ").split())
    cited = [part for rule in BOOK for part in rule.source.split(";") if "EC2 API Reference" in part]
    quotes = [piece for part in cited for quote in re.findall(r'"([^"]+)"', part) for piece in quote.split(" ... ")]
    assert len(quotes) > 5
    assert [quote for quote in quotes if quote not in words] == []


def test_the_readme_has_the_table_of_rules():
    assert table() in (TESTS.parent / "lab" / "README.md").read_text()


def test_a_rule_without_a_source_is_not_accepted():
    with pytest.raises(TypeError, match="names no source"):

        @check("CreateVolume")
        def nameless(call):
            """A rule from nowhere."""
