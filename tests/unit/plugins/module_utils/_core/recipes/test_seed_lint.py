"""A seed against the recipes: everything at once, with its place; what is mended keeps the file's looks."""

import json
import pathlib

import pytest

from plugins.module_utils._core.recipes.seed_lint import lint_seed, mend_seed, recipes_version
from tests.unit.recipes import library

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[6] / "schemas" / "seed.schema.json").read_text())
CLUSTER = """\
cluster: {name: test, region: us-east-1}
compute:
  head_node: m6a.large
  queues:
    - {name: compute, instance_types: [c6a.large], max_count: 1}
"""
SEED = f"""\
{CLUSTER}
software:
  compiler: "gcc@11.3.0"  # of the site
  spack_packages:
    # MPI
    - openmpi@4.1.4   # the old one
    - 'multiqc@1.15'

    - ds9@8.4
    - gcc@12.1.0
  smoke:
    multiqc: multiqc --version
"""
MENDED = (
    SEED.replace('"gcc@11.3.0"', '"gcc@11.5.0"')
    .replace("openmpi@4.1.4", "openmpi@4.1.6")
    .replace("multiqc@", "py-multiqc@")
    .replace("    multiqc:", "    py-multiqc:")
)


def lint(text, recipes=None):
    return [finding.located("seed.yaml") for finding in lint_seed(text, SCHEMA, "seed.yaml", recipes or library())]


def mend(text, **options):
    return mend_seed(text, SCHEMA, "seed.yaml", library(), **options)


def test_everything_is_told_at_once_with_line_and_column():
    text = SEED.replace("max_count: 1", "max_count: one").replace("m6a.large", "m6a.larg")
    assert [problem.split(": ")[0] for problem in lint(text)] == [
        "seed.yaml:3:14",
        "seed.yaml:5:63",
        "seed.yaml:8:17",
        "seed.yaml:11:14",
        "seed.yaml:12:8",
        "seed.yaml:14:7",
    ]


def test_yaml_that_cannot_be_read_is_told_with_line_and_column():
    (problem,) = lint("cluster:\n  name: x\n   region: y\n")
    assert problem.startswith("seed.yaml:3:10: mapping values are not allowed")


def test_a_spec_that_spack_cannot_read_is_told_once():
    assert len(lint(SEED.replace("openmpi@4.1.4", "openmpi@4@5"))) == 4


def test_without_recipes_the_seed_alone_is_checked():
    assert lint_seed(SEED, SCHEMA, "seed.yaml", None) == []


def test_mending_replaces_words_and_leaves_the_rest():
    mended = mend(SEED)
    assert mended.text == MENDED
    assert len(mended.mended) == 3
    assert [finding.value for finding in mended.left] == ["ds9@8.4"]


def test_mending_twice_changes_nothing_more():
    assert mend(MENDED).text == MENDED
    assert mend(MENDED).mended == []


def test_what_stays_on_a_line_that_is_mended_in_part_is_told_as_left_only():
    mended = mend(f"{CLUSTER}software:\n  spack_packages:\n    - hdf5@1.10.2 +szip %gcc +mpi  # parallel\n")
    assert mended.text.splitlines()[-1] == "    - hdf5@1.14.5 +szip +mpi %gcc  # parallel"
    assert [finding.sentence.split(";")[0].split(".")[0] for finding in mended.left] == ["hdf5 has no variant szip"]
    assert len(mended.mended) == 2


def test_a_mend_that_brings_another_to_light_is_made_with_it():
    mended = mend(CLUSTER.replace("c6a.large", "p5.48xlarge") + "software:\n  spack_packages:\n    - torch %gcc +cuda\n")
    assert (mended.text.splitlines()[-1].strip(), mended.left) == ("- torch +cuda cuda_arch=90 %gcc", [])


def test_packages_without_a_recipe_become_comments_on_request():
    mended = mend(SEED, comment_out=True)
    assert mended.text == MENDED.replace("- ds9@8.4", "# no recipe: - ds9@8.4")
    assert mended.commented_out == ["ds9@8.4"]
    assert mended.left == []


def test_lines_end_as_they_did():
    assert mend(SEED.replace("\n", "\r\n")).text == MENDED.replace("\n", "\r\n")


def test_letters_beyond_ascii_do_not_move_the_places():
    assert mend(SEED.replace("# MPI", "# für 計算 \U0001f680")).text == MENDED.replace("# MPI", "# für 計算 \U0001f680")


def test_an_anchor_is_mended_once():
    text = SEED.replace("- openmpi@4.1.4 ", "- &mpi openmpi@4.1.4 ").replace("- gcc@12.1.0", "- *mpi")
    assert mend(text).text == MENDED.replace("- openmpi@4.1.6 ", "- &mpi openmpi@4.1.6 ").replace("- gcc@12.1.0", "- *mpi")


@pytest.mark.parametrize("written", ['"openmpi@4.1.4\\x20"', ">-\n      openmpi@4.1.4"])
def test_what_is_not_written_as_it_is_read_stays_and_is_told(written):
    mended = mend(SEED.replace("openmpi@4.1.4   # the old one", written))
    assert written in mended.text
    assert [finding.value.strip() for finding in mended.left] == ["openmpi@4.1.4", "ds9@8.4"]


def test_yaml_that_cannot_be_read_is_not_touched():
    mended = mend("cluster: [")
    assert mended.text == "cluster: ["
    assert len(mended.left) == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("software: {recipes_version: v1}", "v1"), ("software: {}", None), ("[]", None), ("a: [", None)]
)
def test_the_seed_says_which_recipes_it_wants(text, expected):
    assert recipes_version(text) == expected


def test_the_gpus_of_the_queues_are_written_where_a_recipe_wants_to_know_them():
    packages = "software:\n  spack_packages:\n    - torch@2.10.0+cuda  # for training\n"
    queue = "    - {name: gpu, instance_types: [g5.xlarge, g4dn.xlarge], max_count: 1}\n"
    assert "Set cuda_arch." in lint(CLUSTER + packages)[0]
    mended = mend(CLUSTER.replace("c6a.large", "p5.48xlarge") + packages)
    assert (mended.text.splitlines()[-1].strip(), mended.left) == ("- torch@2.10.0+cuda cuda_arch=90  # for training", [])
    assert "cuda_arch=75,86" in lint(CLUSTER + queue + packages)[0]
