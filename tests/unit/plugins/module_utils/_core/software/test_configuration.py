import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.configuration import configuration
from plugins.module_utils._core.software.layout import layout

PATHS = layout("/shared")
GCC = {"version": "11.5.0", "c": "/usr/bin/gcc", "cxx": "/usr/bin/g++", "fortran": "/usr/bin/gfortran"}


def test_no_configuration_of_the_volume_pushes_anywhere():
    assert configuration(PATHS, "x86_64_v3", GCC)["mirrors.yaml"] == {"mirrors:": {}}


def test_the_target_is_required_and_not_only_preferred():
    everything = configuration(PATHS, "x86_64_v3", GCC)["packages.yaml"]["packages"]["all"]
    assert everything["require"] == ["target=x86_64_v3"]


def test_packages_stay_readable_for_everyone():
    everything = configuration(PATHS, "x86_64_v3", GCC)["packages.yaml"]["packages"]["all"]
    assert everything["permissions"] == {"read": "world", "write": "user"}


def test_a_target_newer_than_the_build_host_can_be_chosen():
    assert configuration(PATHS, "neoverse_v2", GCC)["concretizer.yaml"]["concretizer"]["targets"] == {"host_compatible": False}


@pytest.mark.parametrize(
    ("compiler", "languages"),
    [(GCC, "c,c++,fortran"), ({"version": "11.5.0", "c": "/usr/bin/gcc", "cxx": "/usr/bin/g++", "fortran": ""}, "c,c++")],
)
def test_the_hosts_compiler_offers_the_languages_it_has(compiler, languages):
    (external,) = configuration(PATHS, "x86_64", compiler)["packages.yaml"]["packages"]["gcc"]["externals"]
    assert external["spec"] == f"gcc@11.5.0 languages:='{languages}'"


def test_software_of_the_image_is_taken_as_given():
    slurm = {"buildable": False, "externals": [{"spec": "slurm@23-11-10-1", "prefix": "/opt/slurm"}]}
    assert configuration(PATHS, "x86_64", GCC, externals={"slurm": slurm})["packages.yaml"]["packages"]["slurm"] == slurm


def test_what_the_role_is_told_of_an_external_wins_over_what_is_known_of_the_image():
    own = {"buildable": False, "externals": [{"spec": "slurm@25-05-1-1", "prefix": "/opt/site/slurm"}]}
    packages = configuration(PATHS, "x86_64", GCC, image_software={"slurm": "24.05.8", "pmix": "5.0.3"}, externals={"slurm": own})
    assert packages["packages.yaml"]["packages"]["slurm"] == own
    assert packages["packages.yaml"]["packages"]["pmix"]["externals"][0]["prefix"] == "/opt/pmix"


def test_extra_recipes_come_before_spacks_own():
    repos = configuration(PATHS, "x86_64", GCC, repos=[{"name": "site", "path": "/x"}])["repos.yaml"]["repos:"]
    assert list(repos.items()) == [("site", "/x"), ("builtin", "/shared/spack-packages/repos/spack_repo/builtin")]


def test_extra_recipes_can_replace_spacks_own():
    written = configuration(PATHS, "x86_64", GCC, repos=[{"name": "toy", "path": "/x"}], repos_override=True)
    assert written["repos.yaml"] == {"repos:": {"toy": "/x"}}


@pytest.mark.parametrize(("said", "signed"), [({}, True), ({"signed": True}, True), ({"signed": False}, False)])
def test_packages_of_a_mirror_have_to_be_signed_unless_it_says_otherwise(said, signed):
    mirrors = [{"name": "site", "url": "s3://cache", **said}]
    written = configuration(PATHS, "x86_64", GCC, mirrors=mirrors, signatures_count=True)["mirrors.yaml"]
    assert written == {"mirrors:": {"site": {"url": "s3://cache", "signed": signed}}}


@pytest.mark.parametrize(
    ("mirrors", "message"),
    [
        ([{"name": "site", "url": "s3://cache"}], "no key is trusted, so none could be taken"),
        ([{"name": "site", "url": "s3://cache", "signed": "no"}], "says signed: 'no'"),
        ([{"name": "site"}], "lacks its name or its url"),
        ([{"name": "site", "url": "a", "signed": False}, {"name": "site", "url": "b", "signed": False}], "Two mirrors have one name"),
    ],
)
def test_a_mirror_that_could_not_work_is_refused(mirrors, message):
    with pytest.raises(ExplainedError, match=message):
        configuration(PATHS, "x86_64", GCC, mirrors=mirrors)


def test_a_mirror_of_sources_needs_no_key():
    configuration(PATHS, "x86_64", GCC, mirrors=[{"name": "sources", "url": "file:///src", "binary": False}])


@pytest.mark.parametrize(("from_network", "sources"), [(False, {"sources:": [], "trusted:": {}}), (True, {})])
def test_nothing_is_downloaded_to_start_spack_unless_allowed(from_network, sources):
    bootstrap = configuration(PATHS, "x86_64", GCC, bootstrap_from_network=from_network)["bootstrap.yaml"]["bootstrap"]
    assert bootstrap == {"root": "/shared/.petal/cache/bootstrap", **sources}


def test_spack_keeps_no_answers_that_nobody_will_ask_for_again():
    assert configuration(PATHS, "x86_64_v3", GCC)["concretizer.yaml"]["concretizer"]["concretization_cache"] == {"enable": False}


@pytest.mark.parametrize(("require", "further"), [(["%gcc"], ["%gcc"]), ("%gcc", ["%gcc"]), (None, [])])
def test_wishes_for_all_packages_do_not_replace_the_target(require, further):
    wished = {"variants": "+mpi", "permissions": {"read": "user"}, **({"require": require} if require else {})}
    packages = configuration(PATHS, "x86_64_v3", {"version": "11.5.0"}, externals={"all": wished})["packages.yaml"]["packages"]
    assert packages["all"]["require"] == ["target=x86_64_v3", *further]
    assert packages["all"]["permissions"]["read"] == "world"
    assert packages["all"]["variants"] == "+mpi"
