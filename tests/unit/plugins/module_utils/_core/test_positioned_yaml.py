# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re

import pytest
import yaml

from plugins.module_utils._core import positioned_yaml
from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.positioned_yaml import MAX_BYTES, read_document, show_path


def test_every_value_knows_its_line():
    document = read_document("a:\n  - 1\n  - b: 2\n    c: 3\n", "file")
    assert document.data == {"a": [1, {"b": 2, "c": 3}]}
    assert document.lines == {("a",): 1, ("a", 0): 2, ("a", 1): 3, ("a", 1, "b"): 3, ("a", 1, "c"): 4}


def test_what_is_missing_is_looked_for_on_the_line_of_what_holds_it():
    document = read_document("a:\n  b: 1\n", "file")
    assert document.line(("a", "b", "c", 3)) == 2
    assert document.line(("x",)) is None


def test_a_path_is_shown_as_people_write_it():
    assert show_path(("compute", "queues", 1, "max_count")) == "compute.queues[1].max_count"


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def reader(request, monkeypatch):
    """Both of PyYAML's readers: which one a machine has depends on how PyYAML was built, and each words its complaints in its own way."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(positioned_yaml, "_Loader", getattr(yaml, request.param))


# Of what the reader itself complains about, only the place and the advice are ours.
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\n  b: 2\n", r"line 2, column 4: .+, at 'b: 2'\. Compare the line's indentation with its neighbours\."),
        ("a: [1\n", r"line 2, column 1: .+"),
        ("a: 1\na: 2\n", r"line 2: a is given twice, first on line 1"),
        ("a:\n  - b: 1\n    b: 1\n", r"line 3: a\[0\]\.b is given twice, first on line 2"),
        ("1: 2\n", r"line 1: the key 1 is not text; write it in quotes"),
        ("a: 1\n---\nb: 2\n", r"line 2, column 1: .+"),
        ("a: !!python/object/apply:os.system [id]\n", r"line 1, column 4: .+!!python/object/apply:os\.system.+"),
        ("", r"it is empty"),
        ("# only a comment\n", r"it is empty"),
        ("a: \x00", r"line 1, column 4: the character U\+0000 is none that YAML may hold"),
        ("a: é\nb: \x7f", r"line 2, column 4: the character U\+007F is none that YAML may hold"),
        ("a: \udcff", r"line 1, column 4: the character U\+DCFF is none that YAML may hold"),
        ("a: " + "x" * MAX_BYTES, r"it is larger than 1024 KiB"),
        ("a: &a [*a]\n", r"its aliases describe more than 100000 values"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(reader, text, problem):
    with pytest.raises(ManyProblems, match="file cannot be read") as error:
        read_document(text, "file")
    assert re.fullmatch(problem, error.value.problems[0])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60 + "]" * 60,
        "[" * 5000,
        "{" * 5000,
        "a:\n" + (" " + "[" * 900 + "\n") * 3,
        "- " * 3000,
        "? " * 3000,
        "\n".join(f"{' ' * level}a:" for level in range(1400)),
        "a: " + "[" * 60 + "]" * 59 + "\nb: 1",
    ],
    ids=["closed", "brackets", "braces", "lines", "items", "keys", "mappings", "unclosed"],
)
def test_what_is_nested_too_deep_is_refused_in_our_words_whichever_reader_there_is(reader, text):
    with pytest.raises(ManyProblems) as error:
        read_document(text, "file")
    assert error.value.problems == ["it is nested more than 50 levels deep"]


def test_brackets_in_texts_and_comments_are_no_nesting(reader):
    assert read_document(f"# {'[' * 2000}\na: '{'[' * 2000}'\nb: {'[' * 40}{']' * 40}\n", "file").data["a"] == "[" * 2000


def test_aliases_that_multiply_are_refused():
    levels = [f"a{level + 1}: &a{level + 1} [{', '.join([f'*a{level}'] * 10)}]" for level in range(6)]
    with pytest.raises(ManyProblems, match="aliases describe more than"):
        read_document("\n".join(["a0: &a0 x", *levels]), "file")


def test_a_merged_mapping_may_override_what_it_merges():
    document = read_document("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n", "file")
    assert document.data["b"] == {"x": 3, "y": 2}
    assert document.line(("b", "x")) == 4
