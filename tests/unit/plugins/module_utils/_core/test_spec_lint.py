"""What a spec asks for and no recipe has, and what to write instead."""

import pytest

from plugins.module_utils._core.spec_lint import apply_edits, lint_spec
from tests.unit.recipes import library


def mended(spec):
    return apply_edits(spec, [edit for miss in lint_spec(spec, library()) for edit in miss.edits])


@pytest.mark.parametrize(
    "spec",
    [
        "gcc",
        "gcc@11",
        "gcc@11.5.0 languages=c,fortran",
        "library.gcc@12.1.0",
        "openmpi@4.1.6 fabrics=ofi,ucx %gcc@12.1.0",
        "openmpi fabrics=none %c,cxx=gcc",
        "llvm@main+mlir",
        "llvm +cuda cuda_arch=80",
        "llvm lldb=True",
        "llvm ++unknown cuda_arch==75",
        "llvm@git.0123456789012345678901234567890123456789=16",
        "cudart@11.8",
        "fetched@7+whatever",
        "parallel-netcdf ^mpi",
        "gcc target=x86_64_v3 cflags='-O3' os=rocky9",
        "openmpi %clang",
        "openmpi ^/abcdefg",
        # What only Spack's solver knows: which variants that nobody sets it chooses, and what it takes to depend on.
        "torch+gui",
        "torch+cuda cuda_arch=80",
        "torch~cuda",
        "torch@git.0123456789012345678901234567890123456789=2+x11",
    ],
)
def test_what_the_recipes_have_is_no_miss(spec):
    assert lint_spec(spec, library()) == []


@pytest.mark.parametrize(
    ("spec", "better"),
    [
        # versions: deprecated, missing, of a dependency, of what needs a deprecated one
        ("gcc@11.3.0", "gcc@11.5.0"),
        ("gcc@=11.3.0 languages=c", "gcc@11.5.0 languages=c"),
        ("openmpi@4.1.4", "openmpi@4.1.6"),
        ("cudart@11.7.1", "cudart@11.8.0"),
        ("llvm@15 ^openmpi@4.1.4 %gcc@11.3.0", "llvm@16.0.6 ^openmpi@4.1.6 %gcc@11.5.0"),
        ("vision@0.15.1", "vision@0.25.0"),
        # names: virtual, spelt otherwise, of a family, of the project, of a part
        ("scalapack@2.2.0", "netlib-scalapack@2.2.0"),
        ("scalapack@9", "other-scalapack@9"),
        ("Netlib_ScaLAPACK", "netlib-scalapack"),
        ("multiqc@1.14", "py-multiqc@1.15"),
        ("pnetcdf@1.12.3", "parallel-netcdf@1.12.3"),
        ("lldb@16.0.0", "llvm@16.0.6+lldb"),
        ("bonnie++@2.00a", "bonniepp@2.00a"),
        ("bonnie++@1.9", "bonniepp@2.00a"),
        # variants: spelt alike, none at all, of other versions
        ("llvm+python3", "llvm+python"),
        ("gcc +dm +sm@12.1.0", "gcc@12.1.0"),
        ("llvm@16.0.6+mlir~lldb", "llvm@16.0.6~lldb"),
        ("openmpi fabrics=ofii,ucx", "openmpi fabrics=ofi,ucx"),
    ],
)
def test_a_miss_that_has_one_answer_is_mended(spec, better):
    assert mended(spec) == better
    assert lint_spec(better, library()) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("gcc@11.3.0", ["gcc@11.3.0 is deprecated", "11.5.0"]),
        ("gcc@9", ["gcc@9 does not exist", "11.5.0"]),
        ("vision@0.15.1", ["no usable version of torch@2.0.0", "0.25.0"]),
        ("torch+old", ["no usable version of tool@3"]),
        ("scalapack", ["virtual", "use netlib-scalapack", "other-scalapack would do too"]),
        ("lldb", ["a part of llvm"]),
        ("openmpy", ["no recipe is called openmpy", "alike: openmpi"]),
        ("ds9", ["no recipe is called ds9", "no recipe has a name like it"]),
        ("gcc fortran=yes", ["no variant fortran", "it has languages"]),
        ("openmpi+fabrics", ["takes a value", "ofi"]),
        ("llvm lldb=maybe", ["on or off", "+lldb, ~lldb"]),
        ("gcc languages=ada", ["languages=ada", "c, c++, fortran"]),
        ("llvm@16.0.6+mlir", ["no variant mlir", "@17:"]),
        ("gcc@1@2", ["two versions of one package"]),
    ],
)
def test_a_miss_says_what_is_wrong_and_what_there_is(spec, words):
    (miss,) = lint_spec(spec, library())
    assert all(word in miss.sentence for word in words), miss.sentence


@pytest.mark.parametrize(
    ("values", "better", "ending"),
    [
        (
            {"cuda_arch": "80,90"},
            "torch@2.10.0+cuda cuda_arch=80,90 ~old",
            "Say for which GPUs. For the machines of this seed: cuda_arch=80,90.",
        ),
        ({}, "torch@2.10.0+cuda ~old", "Say for which GPUs. Set cuda_arch."),
    ],
)
def test_what_a_recipe_wants_to_be_set_is_written_where_the_machines_tell(values, better, ending):
    misses = lint_spec("torch@2.0.0+cuda ~old", library(), values)
    assert [miss.sentence.startswith("the recipe of torch refuses torch@2.0.0+cuda cuda_arch=none") for miss in misses] == [False, True]
    assert misses[1].sentence.endswith(ending)
    assert apply_edits("torch@2.0.0+cuda ~old", [edit for miss in misses for edit in miss.edits]) == better


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ("torch+gui~x11", "refuses torch+gui~x11."),
        ("torch@2.10.0+x11", "refuses torch@2.10.0+x11."),
        ("vision ^torch+gui~x11", "refuses torch+gui~x11."),
    ],
)
def test_what_a_recipe_refuses_for_certain_is_a_miss(spec, refused):
    (miss,) = lint_spec(spec, library())
    assert miss.sentence.endswith(refused)
    assert miss.edits == ()


def test_all_misses_of_a_spec_are_told_in_its_order():
    misses = lint_spec("llvm@15+python3 ^openmpi@4.1.4 %ada", library())
    assert [miss.begin for miss in misses] == [4, 7, 24, 32]


def test_a_guess_is_no_mend():
    (miss,) = lint_spec("openmpy@9", library())
    assert miss.unknown_package
    assert miss.edits == ()


def test_where_a_repository_cannot_be_read_unknown_names_are_not_judged():
    assert lint_spec("ds9@8", library(complete=False)) == []
    assert lint_spec("multiqc", library(complete=False)) == []
    assert lint_spec("gcc@9", library(complete=False)) != []
