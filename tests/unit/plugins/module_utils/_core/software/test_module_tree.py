import pytest

from plugins.module_utils._core.software.layout import layout
from plugins.module_utils._core.software.module_tree import module_configuration

PATHS = layout("/shared")


def modules(compiler=None, environment_modules="", **policy):
    return module_configuration(PATHS, "gcc@11.5.0", compiler, policy, environment_modules)


def test_modules_are_not_written_during_the_install():
    assert modules()["enable:"] == []


def test_a_flat_tree_offers_packages_of_each_compiler_at_once():
    lmod = modules(compiler="gcc@12.5.0")["lmod"]
    assert (lmod["core_compilers"], lmod["hierarchy:"]) == (["gcc@11.5.0", "gcc@12.5.0"], [])


def test_a_hierarchy_offers_them_once_compiler_and_mpi_are_loaded():
    lmod = modules(compiler="gcc@12.5.0", tree="hierarchy")["lmod"]
    assert (lmod["core_compilers"], lmod["hierarchy:"]) == (["gcc@11.5.0"], ["mpi"])


@pytest.mark.parametrize("kind", ["lmod", "tcl"])
def test_names_have_no_hash_and_the_seed_says_what_is_the_default(kind):
    chosen = modules(defaults={"python": "3.11.9", "gcc": "12.5.0"})[kind]
    assert (chosen["hash_length"], chosen["defaults"]) == (0, ["gcc@12.5.0", "python@3.11.9"])


@pytest.mark.parametrize(
    ("version", "tcl"),
    [
        ("", {"hide_implicits": True}),
        ("5.2.0", {"hide_implicits": True}),
        ("4.5.2", {"exclude_implicits": True, "all": {"autoload": "none"}}),
    ],
)
def test_dependencies_are_loaded_unseen_where_environment_modules_can_do_so(version, tcl):
    assert modules(environment_modules=version)["tcl"].items() >= tcl.items()
