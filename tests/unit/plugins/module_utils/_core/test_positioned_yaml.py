# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\n  b: 2\n", "line 2, column 4: mapping values are not allowed in this context, at 'b: 2'"),
        ("a: [1\n", "line 2, column 1: did not find expected"),
        ("a: 1\na: 2\n", "line 2: a is given twice, first on line 1"),
        ("a:\n  - b: 1\n    b: 1\n", "line 3: a[0].b is given twice, first on line 2"),
        ("1: 2\n", "line 1: the key 1 is not text; write it in quotes"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: but found another document"),
        ("a: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        ("", "it is empty"),
        ("# only a comment\n", "it is empty"),
        ("a: \x00", "control characters are not allowed"),
        ("a: " + "x" * MAX_BYTES, "it is larger than 1024 KiB"),
        ("[" * 5000, "it is nested more than 50 levels deep"),
        ("a: &a [*a]\n", "aliases describe more than 100000 values"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, problem):
    with pytest.raises(ManyProblems, match="file cannot be read") as error:
        read_document(text, "file")
    assert problem in error.value.problems[0]


def test_aliases_that_multiply_are_refused():
    levels = [f"a{level + 1}: &a{level + 1} [{', '.join([f'*a{level}'] * 10)}]" for level in range(6)]
    with pytest.raises(ManyProblems, match="aliases describe more than"):
        read_document("\n".join(["a0: &a0 x", *levels]), "file")


def test_a_merged_mapping_may_override_what_it_merges():
    document = read_document("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n", "file")
    assert document.data["b"] == {"x": 3, "y": 2}
    assert document.line(("b", "x")) == 4
