import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.environment import environment
from plugins.module_utils._core.software.layout import layout

PATHS = layout("/shared")


def test_the_environment_does_not_depend_on_order_or_duplicates():
    assert environment(["zlib", "hdf5", "zlib"], PATHS) == environment(["hdf5", "zlib"], PATHS)


def test_the_environment_is_concretised_as_one_and_from_scratch():
    assert environment(["zlib"], PATHS)["spack"]["concretizer"] == {"unify": "when_possible", "reuse": False}


def test_finished_packages_are_pushed_to_the_volume_while_it_builds():
    cache = environment(["zlib"], PATHS)["spack"]["mirrors"]["petal-volume"]
    assert cache["url"] == "file:///shared/.petal/build-cache"
    assert cache["autopush"] is True


def test_lmod_joins_the_packages_when_asked():
    assert environment(["zlib"], PATHS, lmod=True)["spack"]["specs"] == ["lmod", "zlib"]


def test_a_compiler_is_built_first_and_required_for_the_rest():
    compiler, packages = environment(["zlib"], PATHS, compiler="gcc@12.5.0")["spack"]["specs"]
    assert compiler == {"group": "compiler", "specs": ["gcc@12.5.0"]}
    assert packages["needs"] == ["compiler"]
    (built_by,) = packages["override"]["packages"]["all"]["require"]
    assert built_by["any_of"] == ["%c=gcc@12.5.0", "%cxx=gcc@12.5.0", "%fortran=gcc@12.5.0", "@:"]


def test_an_environment_without_packages_is_refused():
    with pytest.raises(ExplainedError, match=r"software\.spack_packages"):
        environment([], PATHS)
