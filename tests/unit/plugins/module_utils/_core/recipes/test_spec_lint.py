"""What a spec asks for and no recipe has, and what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils._core.recipes.spec_lint import apply_edits, lint_spec, mend_spec
from plugins.module_utils._core.software.spec import named_packages
from tests.unit.recipes import library


def mended(spec):
    return mend_spec(spec, library())


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
        ("perl@5.36.0", "perl@5.40.2"),
        ("perl@5.39.1 ", "perl@5.40.2 "),
        ("libsolver@0.9", "libsolver@0.7"),
        # names: virtual, spelt otherwise, of a language, called otherwise today
        ("scalapack@2.2.0", "netlib-scalapack@2.2.0"),
        ("mpi", "openmpi"),
        ("mpi fabrics=ofi", "openmpi fabrics=ofi"),
        ("c", "gcc"),
        ("mkl", "intel-oneapi-mkl"),
        ("intel-mkl@2020.4.304+shared", "intel-oneapi-mkl@2025.3.0+shared"),
        ("Netlib_ScaLAPACK", "netlib-scalapack"),
        ("multiqc@1.14", "py-multiqc@1.15"),
        ("pnetcdf@1.12.3", "parallel-netcdf@1.12.3"),
        ("bonnie++@2.00a", "bonniepp@2.00a"),
        ("bonnie++@1.9", "bonniepp@2.00a"),
        # variants: called otherwise today, spelt otherwise
        ("llvm+python3", "llvm+python"),
        ("hdf5 ~solve-2d", "hdf5 ~Solve_2D"),
        ("openmpi fabrics:='OFI,ucx'", "openmpi fabrics:='ofi,ucx'"),
        ("hdf5 Build-Type='debug'+hl", "hdf5 build_type='Debug'+hl"),
        # variants after %, as everybody wrote them before Spack 1.0
        ("hdf5@1.14.5 %gcc@12.1.0 +mpi +hl", "hdf5@1.14.5 +mpi +hl %gcc@12.1.0"),
        ("hdf5@1.10.2%gcc@11.3.0+mpi~hl", "hdf5@1.14.5 +mpi ~hl %gcc@11.5.0"),
        ("hdf5 %gcc api=v18 languages=c ^openmpi@4.1.4", "hdf5 api=v18 %gcc languages=c ^openmpi@4.1.6"),
        ("hdf5%c=gcc api=v18", "hdf5 api=v18 %c=gcc"),
        ("hdf5 %gcc@12.1.0 Api=V18 ~MPI", "hdf5 api=v18 ~mpi %gcc@12.1.0"),
        ("openmpi ^hdf5 %clang +mpi", "openmpi ^hdf5 +mpi %clang"),
        ("hdf5 %gcc +mpi %clang +hl", "hdf5 +hl +mpi %gcc %clang"),
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
        ("scalapack", ["virtual", "use netlib-scalapack"]),
        ("openmpy", ["no recipe is called openmpy", "alike: openmpi"]),
        ("ds9", ["no recipe is called ds9", "no recipe has a name like it"]),
        ("gcc fortran=yes", ["no variant fortran", "languages"]),
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


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        # variants: nobody knows whether they may go
        ("gcc +dm@12.1.0", ["has no variant dm", "take it out"]),
        ("llvm@16.0.6+mlir~lldb", ["no variant mlir", "for @17:"]),
        ("hdf5 +mpii", ["no variant mpii", "is mpi meant?"]),
        ("hdf5 +hdf4", ["no variant hdf4"]),
        ("hdf5 +Mpi+mpi", ["no variant Mpi"]),
        ("openmpi fabrics=ofii,ucx", ["fabrics=ofii", "choose from"]),
        ("hdf5 api=v11", ["api=v11", "v110"]),
        # after %: of both, of nobody, or said already
        ("hdf5 %gcc +mpi build_type=Debug", ["+mpi stands after %gcc", "hdf5 has it", "build_type=Debug may be, too"]),
        ("hdf5 %gcc +mpi target=x86_64_v3", ["target=x86_64_v3 may be, too"]),
        ("hdf5 %gcc +mpi cflags=-O3", ["cflags=-O3 may be, too"]),
        ("hdf5 %gcc +gui", ["gcc has no variant gui"]),
        ("hdf5+mpi %gcc ~mpi", ["sets ~mpi elsewhere too"]),
        ("hdf5 ^openmpi +hl", ["openmpi has no variant hl"]),
        # names: two answers, or none
        ("mpi@3", ["virtual", "3 is not certain", "openmpi"]),
        ("scalapack@9", ["virtual", "9 is not certain"]),
        ("fabric", ["virtual", "no single package", "alpha-mpi"]),
        ("yaml", ["may be r-yaml or perl-yaml"]),
        ("arm", ["Spack calls acfl after a %"]),
        ("intel", ["Spack calls intel-oneapi-compilers-classic after a %"]),
        ("gfortran@12", ["no recipe is called gfortran"]),
        ("conda", ["no recipe is called conda"]),
        ("lldb", ["no recipe is called lldb"]),
        ("solver", ["alike: libsolver"]),
        ("pnetcdff", ["no recipe is called pnetcdff"]),
        ("openmpi ^multiqcc", ["no recipe is called multiqcc"]),
    ],
)
def test_what_is_not_certain_stays_and_says_why(spec, words):
    (miss,) = lint_spec(spec, library())
    assert mended(spec) == spec
    assert miss.edits == ()
    assert all(word in miss.sentence for word in words), miss.sentence


NAMES = st.sampled_from(["hdf5", "HDF5", "openmpi", "llvm", "torch", "multiqc", "intel-mkl", "mpi", "ds9"])
VERSIONS = st.sampled_from(["", "@1.10.2", "@4.1.4", "@16", "@=2.0.0", "@3:"])
SETTINGS = ["+mpi", "~hl", "+cuda", "cuda_arch=80", "+python3", "fabrics=ofii", "languages=c", "+gui", "build_type=Debug", "api=V18", "+nn"]
CONSTRAINTS = st.builds(
    lambda version, chosen: "".join([version, *(f" {one}" for one in chosen)]),
    VERSIONS,
    st.lists(st.sampled_from(SETTINGS), max_size=4, unique_by=lambda text: text.strip("+~").split("=")[0]),
)
COMPILERS = st.sampled_from(["gcc", "clang", "oneapi", "c,cxx=gcc", "nvcc"])
DIRECT = st.one_of(st.just(""), st.builds(lambda name, rest: f" %{name}{rest}", COMPILERS, CONSTRAINTS))
DEPENDENCY = st.one_of(st.just(""), st.builds(lambda name, rest, direct: f" ^{name}{rest}{direct}", NAMES, CONSTRAINTS, DIRECT))


def as_written(spec):
    """Return every setting of a spec, whoever it is for, but for how it is spelt, and the number of packages."""
    packages = named_packages(spec)
    settings = [(one.key, one.value) for package in packages for one in package.constraints if one.kind in ("flag", "pair")]
    return sorted((key.lower().replace("python3", "python"), value.lower()) for key, value in settings), len(packages)


@given(NAMES, CONSTRAINTS, DIRECT, DEPENDENCY)
def test_a_mended_spec_keeps_all_that_was_asked_for(name, constraints, direct, dependency):
    spec = f"{name}{constraints}{direct}{dependency}"
    result = mended(spec)
    assert as_written(result) == as_written(spec)
    before, after = named_packages(spec), named_packages(result)
    for package, better in zip(before, after, strict=True):
        assert (package.sigil, bool(package.versions)) == (better.sigil, bool(better.versions))
        if package.name in library():
            assert better.name == package.name
            known = library().recipe(package.name).variants
            assert {(one.key, one.value) for one in package.constraints if one.key in known and one.value != "V18"} <= {
                (one.key, one.value) for one in better.constraints
            }


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
