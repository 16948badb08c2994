import json
import pathlib

import pytest

from benchmarks.real_seeds import Outcome, concretise_seed, kept, page, search
from tests.spack.real_recipes import Concretisation

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "schemas" / "seed.schema.json").read_text())
SLOW = "no answer within 300 CPU seconds"


def spack(impossible=(), conflict=(), named=()):
    """A Spack that finds no answer where one of `impossible`, or all of `conflict`, are asked for; it names only those of `named`."""
    asked = []

    def concretise(specs):
        asked.append(list(specs))
        at_fault = [spec for spec in specs if spec in impossible] or (list(conflict) if conflict and set(conflict) <= set(specs) else [])
        if not at_fault:
            return Concretisation(frozenset(specs), "", 10)
        return Concretisation(frozenset(), SLOW, 10, tuple(spec for spec in at_fault if spec in named))

    concretise.asked = asked
    return concretise


PACKAGES = list("abcdefgh")


def test_what_has_a_solution_is_concretised_once():
    concretise = spack()
    found, at_fault = search(PACKAGES, concretise, 1000)
    assert (len(found.hashes), at_fault, concretise.asked) == (8, {}, [PACKAGES])


@pytest.mark.parametrize("named", [(), ("c", "h")], ids=["not named", "named by Spack"])
def test_each_package_at_fault_is_found(named):
    concretise = spack(impossible=("c", "h"), named=named)
    assert search(PACKAGES, concretise, 1000)[1] == {"c": SLOW, "h": SLOW}
    if named:
        assert concretise.asked[1:] == [["c"], ["h"]]


def test_packages_that_have_a_solution_only_apart_are_told_together():
    assert search(PACKAGES, spack(conflict=("b", "d")), 1000)[1] == {"a, b, c, d": f"only apart: {SLOW}"}
    assert search(PACKAGES, spack(conflict=("b", "h"), named=("h",)), 1000)[1] == {"h": f"only apart: {SLOW}"}


def test_the_search_ends_when_its_time_is_over():
    concretise = spack(impossible=("a", "h"))
    at_fault = search(PACKAGES, concretise, 20)[1]
    assert len(concretise.asked) == 3
    assert at_fault == dict.fromkeys(["a", "b", "c, d", "e, f, g, h"], "was not looked into any further")


def test_a_seed_that_is_no_yaml_is_told_and_not_given_to_spack():
    found = concretise_seed("a:\n- b\n c: d\n", "rna.yaml", SCHEMA, None, spack(), 1000)
    assert found.asked == 0
    assert "line 3" in found.cannot[0][1]


def test_what_was_found_is_kept_until_the_seed_changes(tmp_path):
    found = Outcome(wrong=2, asked=3, packages=9, cannot=(("b@1", "no"),), commented_out=("x",))
    assert kept(tmp_path, "seed", 300, lambda: found) == found
    assert kept(tmp_path, "seed", 300, lambda: pytest.fail("asked again")) == found
    assert kept(tmp_path, "another seed", 300, Outcome) == Outcome()


def test_the_page_names_the_package_and_the_reason():
    text = page(
        {
            "one.yaml": Outcome(asked=3, packages=40, cpu_seconds=31),
            "two.yaml": Outcome(asked=2, cannot=(("b@1", "it conflicts\nwith c"),)),
        },
        300,
    )
    assert "1 of 2 seeds concretise" in text
    assert "Not looked at yet" not in text
    assert "Not looked at yet: three.yaml." in page({}, 300, ["three.yaml"])
    assert "| one.yaml | 0 | 0 | 0 | 3 | 40 packages, 31 CPU s |" in text
    assert "| two.yaml | 0 | 0 | 0 | 2 | no: b@1 |" in text
    assert "- two.yaml: b@1: it conflicts with c" in text
