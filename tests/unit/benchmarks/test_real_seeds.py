import json
import pathlib

from benchmarks import real_seeds
from benchmarks.real_seeds import Answers, Outcome, concretise_seed, page
from plugins.module_utils._core.recipes.seed_lint import MendedSeed
from tests.spack.real_recipes import Concretisation

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "schemas" / "seed.schema.json").read_text())
SLOW = "no answer within 300 CPU seconds"


SEED = """\
cluster: {name: one, region: us-east-1}
compute:
  head_node: m6a.large
  queues:
    - {name: compute, instance_types: [c6a.large], max_count: 1}
software:
  spack_packages: [a, b, c, d]
"""


class Spack:
    """A Spack that finds no answer where one of `impossible`, or all of `conflict`, are asked for."""

    folder, configuration = pathlib.Path("/nowhere"), {}

    def __init__(self, impossible=(), conflict=("none",)):
        self.impossible, self.conflict, self.asked = impossible, set(conflict), []

    def concretise(self, specs, _name, cpu_limit, settings):
        self.asked.append(list(specs))
        if set(specs) & set(self.impossible) or self.conflict <= set(specs):
            return Concretisation(frozenset(), f"no answer within {cpu_limit} CPU seconds", 10)
        return Concretisation(frozenset({*specs, "zlib"}), "", 10)


def outcome(spack, monkeypatch, tmp_path):
    monkeypatch.setattr(real_seeds, "mend_seed", lambda text, *_arguments, **_options: MendedSeed(text, [], [], []))
    return concretise_seed(SEED, "one.yaml", SCHEMA, None, Answers(tmp_path, spack, 300, at_once=1))


def test_what_has_a_solution_is_concretised_once(monkeypatch, tmp_path):
    spack = Spack()
    assert outcome(spack, monkeypatch, tmp_path) == Outcome(asked=4, packages=5, cpu_seconds=10)
    assert spack.asked == [["a", "b", "c", "d"]]


def test_what_goes_together_only_in_theory_is_concretised_alone(monkeypatch, tmp_path):
    found = outcome(Spack(conflict=("b", "d")), monkeypatch, tmp_path)
    assert found == Outcome(asked=4, packages=5, cpu_seconds=40, apart=True)


def test_each_package_at_fault_is_named(monkeypatch, tmp_path):
    assert outcome(Spack(impossible=("c", "a")), monkeypatch, tmp_path).cannot == (("a", SLOW), ("c", SLOW))


def test_an_answer_is_kept_until_spack_or_its_configuration_changes(tmp_path):
    first, later = Spack(impossible=("b",)), Spack()
    answers = Answers(tmp_path, first, 300, at_once=1)
    assert [bool(answers([spec]).problem) for spec in ("a", "b", "a")] == [False, True, False]
    assert first.asked == [["a"], ["b"]]
    assert (Answers(tmp_path, later, 300, at_once=1)(["b"]).problem, later.asked) == (SLOW, [])
    assert (Answers(tmp_path, later, 400, at_once=1)(["b"]).problem, later.asked) == ("", [["b"]]), "more time, another answer"
    later.configuration = {"concretizer.yaml": "other"}
    assert Answers(tmp_path, later, 300, at_once=1)(["a"]).hashes == {"a", "zlib"} and len(later.asked) == 2


def test_a_seed_that_is_no_yaml_is_told_and_not_given_to_spack(tmp_path):
    spack = Spack()
    found = concretise_seed("a:\n- b\n c: d\n", "rna.yaml", SCHEMA, None, Answers(tmp_path, spack, 300, at_once=1))
    assert (found.asked, spack.asked) == (0, [])
    assert "line 3" in found.cannot[0][1]


def test_the_page_names_the_package_and_the_reason():
    text = page(
        {
            "one.yaml": Outcome(asked=3, packages=40, cpu_seconds=31),
            "two.yaml": Outcome(asked=2, apart=True, cannot=(("b@1", "==> Warning: old\n==> Error: it conflicts\nwith c"),)),
            "three.yaml": Outcome(asked=2, packages=9, cpu_seconds=50, apart=True),
        },
        300,
    )
    assert "2 of 3 seeds concretise" in text
    assert "Not looked at yet" not in text
    assert "Not looked at yet: four.yaml." in page({}, 300, ["four.yaml"])
    assert "| one.yaml | 0 | 0 | 0 | 3 | 40 packages, 31 CPU s |" in text
    assert "| three.yaml | 0 | 0 | 0 | 2 | 9 packages, 50 CPU s, each alone |" in text
    assert "| two.yaml | 0 | 0 | 0 | 2 | no: b@1 |" in text
    assert "- two.yaml: b@1: it conflicts with c" in text
