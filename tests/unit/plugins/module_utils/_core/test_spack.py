import pytest

from plugins.module_utils._core import spack
from plugins.module_utils._core.errors import ExplainedError

PATHS = spack.layout("/shared")
GCC = {"version": "11.5.0", "c": "/usr/bin/gcc", "cxx": "/usr/bin/g++", "fortran": "/usr/bin/gfortran"}
LOCK = {
    "roots": [{"hash": "a" * 32, "spec": "app"}, {"hash": "c" * 32, "spec": "slurm"}],
    "concrete_specs": {
        "a" * 32: {"name": "app", "version": "2.0", "dependencies": [{"name": "lib", "hash": "b" * 32}]},
        "b" * 32: {"name": "lib", "version": "1.0"},
        "c" * 32: {"name": "slurm", "version": "23.11", "external": {"path": "/opt/slurm"}},
    },
}


def test_every_path_lies_on_the_volume():
    assert all(path.startswith("/data/soft") for path in spack.layout("/data/soft").values())


def test_spack_itself_can_lie_elsewhere():
    paths = spack.layout("/shared", root="/shared/tools/spack")
    assert paths["root"] == "/shared/tools/spack"
    assert paths["configuration"] == "/shared/tools/spack/etc/spack"


def test_the_environment_does_not_depend_on_order_or_duplicates():
    assert spack.environment(["zlib", "hdf5", "zlib"], PATHS) == spack.environment(["hdf5", "zlib"], PATHS)


def test_the_environment_is_concretised_as_one_and_from_scratch():
    assert spack.environment(["zlib"], PATHS)["spack"]["concretizer"] == {"unify": "when_possible", "reuse": False}


def test_finished_packages_are_pushed_to_the_volume_while_it_builds():
    cache = spack.environment(["zlib"], PATHS)["spack"]["mirrors"]["petal-volume"]
    assert cache["url"] == "file:///shared/.petal/build-cache"
    assert cache["autopush"] is True


def test_no_configuration_of_the_volume_pushes_anywhere():
    assert spack.configuration(PATHS, "x86_64_v3", GCC)["mirrors.yaml"] == {"mirrors:": {}}


def test_lmod_joins_the_packages_when_asked():
    assert spack.environment(["zlib"], PATHS, lmod=True)["spack"]["specs"] == ["lmod", "zlib"]


def test_a_compiler_is_built_first_and_required_for_the_rest():
    compiler, packages = spack.environment(["zlib"], PATHS, compiler="gcc@12.5.0")["spack"]["specs"]
    assert compiler == {"group": "compiler", "specs": ["gcc@12.5.0"]}
    assert packages["needs"] == ["compiler"]
    (built_by,) = packages["override"]["packages"]["all"]["require"]
    assert built_by["any_of"] == ["%c=gcc@12.5.0", "%cxx=gcc@12.5.0", "%fortran=gcc@12.5.0", "@:"]


def test_an_environment_without_packages_is_refused():
    with pytest.raises(ExplainedError, match=r"software\.spack_packages"):
        spack.environment([], PATHS)


def test_the_target_is_required_and_not_only_preferred():
    everything = spack.configuration(PATHS, "x86_64_v3", GCC)["packages.yaml"]["packages"]["all"]
    assert everything["require"] == ["target=x86_64_v3"]


def test_packages_stay_readable_for_everyone():
    everything = spack.configuration(PATHS, "x86_64_v3", GCC)["packages.yaml"]["packages"]["all"]
    assert everything["permissions"] == {"read": "world", "write": "user"}


def test_a_target_newer_than_the_build_host_can_be_chosen():
    assert spack.configuration(PATHS, "neoverse_v2", GCC)["concretizer.yaml"]["concretizer"]["targets"] == {"host_compatible": False}


@pytest.mark.parametrize(
    ("compiler", "languages"),
    [(GCC, "c,c++,fortran"), ({"version": "11.5.0", "c": "/usr/bin/gcc", "cxx": "/usr/bin/g++", "fortran": ""}, "c,c++")],
)
def test_the_hosts_compiler_offers_the_languages_it_has(compiler, languages):
    (external,) = spack.configuration(PATHS, "x86_64", compiler)["packages.yaml"]["packages"]["gcc"]["externals"]
    assert external["spec"] == f"gcc@11.5.0 languages:='{languages}'"


def test_software_of_the_image_is_taken_as_given():
    slurm = {"buildable": False, "externals": [{"spec": "slurm@23-11-10-1", "prefix": "/opt/slurm"}]}
    assert spack.configuration(PATHS, "x86_64", GCC, externals={"slurm": slurm})["packages.yaml"]["packages"]["slurm"] == slurm


def test_what_the_role_is_told_of_an_external_wins_over_what_is_known_of_the_image():
    own = {"buildable": False, "externals": [{"spec": "slurm@25-05-1-1", "prefix": "/opt/site/slurm"}]}
    packages = spack.configuration(PATHS, "x86_64", GCC, image_software={"slurm": "24.05.8", "pmix": "5.0.3"}, externals={"slurm": own})
    assert packages["packages.yaml"]["packages"]["slurm"] == own
    assert packages["packages.yaml"]["packages"]["pmix"]["externals"][0]["prefix"] == "/opt/pmix"


def test_extra_recipes_come_before_spacks_own():
    repos = spack.configuration(PATHS, "x86_64", GCC, repos=[{"name": "site", "path": "/x"}])["repos.yaml"]["repos:"]
    assert list(repos.items()) == [("site", "/x"), ("builtin", "/shared/spack-packages/repos/spack_repo/builtin")]


def test_extra_recipes_can_replace_spacks_own():
    configuration = spack.configuration(PATHS, "x86_64", GCC, repos=[{"name": "toy", "path": "/x"}], repos_override=True)
    assert configuration["repos.yaml"] == {"repos:": {"toy": "/x"}}


def test_a_copied_repository_keeps_the_name_of_its_namespace():
    repos = [{"name": "site", "path": "/home/me/recipes/spack_repo/hpc_site/"}, {"name": "own", "host_path": "$spack/x"}]
    assert spack.repo_paths(repos, PATHS) == [
        {"name": "site", "path": "/shared/.petal/repos/site/spack_repo/hpc_site"},
        {"name": "own", "path": "$spack/x"},
    ]


@pytest.mark.parametrize(("said", "signed"), [({}, True), ({"signed": True}, True), ({"signed": False}, False)])
def test_packages_of_a_mirror_have_to_be_signed_unless_it_says_otherwise(said, signed):
    mirrors = [{"name": "site", "url": "s3://cache", **said}]
    written = spack.configuration(PATHS, "x86_64", GCC, mirrors=mirrors, signatures_count=True)["mirrors.yaml"]
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
        spack.configuration(PATHS, "x86_64", GCC, mirrors=mirrors)


def test_a_mirror_of_sources_needs_no_key():
    spack.configuration(PATHS, "x86_64", GCC, mirrors=[{"name": "sources", "url": "file:///src", "binary": False}])


@pytest.mark.parametrize(("from_network", "sources"), [(False, {"sources:": [], "trusted:": {}}), (True, {})])
def test_nothing_is_downloaded_to_start_spack_unless_allowed(from_network, sources):
    bootstrap = spack.configuration(PATHS, "x86_64", GCC, bootstrap_from_network=from_network)["bootstrap.yaml"]["bootstrap"]
    assert bootstrap == {"root": "/shared/.petal/cache/bootstrap", **sources}


def test_nothing_is_done_before_the_first_line():
    assert spack.progress(LOCK, []).to_dict() == {
        "total": 2,
        "done": 0,
        "failed": [],
        "active": {},
        "roots_total": 1,
        "roots_done": 0,
        "percent": 0,
    }


def test_progress_follows_the_events():
    lines = [
        "==> petal: spack install --jobs 2",
        "[ ] bbbbbbb lib@1.0 staging (0s)",
        "[+] bbbbbbb lib@1.0 /shared/software/lib-1.0-bbbbbbb (3s)",
        "[ ] aaaaaaa app@2.0 fetching from build cache (0s)",
        "[ ] aaaaaaa app@2.0 install (1m 2s)",
    ]
    found = spack.progress(LOCK, lines)
    assert (found.done, found.total, found.percent, found.active) == (1, 2, 50, {"app@2.0": "install"})


def test_a_package_that_failed_and_was_built_again_is_done():
    lines = ["[x] bbbbbbb lib@1.0 failed: /tmp/log (1s)", "[+] bbbbbbb lib@1.0 /shared/software/lib (1s)"]
    assert spack.progress(LOCK, lines[:1]).failed == ["lib@1.0"]
    assert (spack.progress(LOCK, lines).failed, spack.progress(LOCK, lines).done) == ([], 1)


def test_colours_and_packages_of_other_builds_do_not_matter():
    lines = ["\x1b[32m[+]\x1b[0m bbbbbbb lib@1.0 /shared/software/lib (1s)", "[+] zzzzzzz other@1.0 /shared/software/other (1s)"]
    assert spack.progress(LOCK, lines).done == 1


def test_the_line_shows_bar_counts_and_what_is_being_built():
    found = spack.Progress(total=4, done=1, failed=["lib@1.0"], active={"app@2.0": "install"}, roots_total=1, roots_done=0)
    line = spack.progress_line("building", found, width=8)
    assert line == "[##------]  25%   1/4 packages | building | failed: lib@1.0 | app@2.0 (install)"


def test_the_line_before_versions_are_chosen_shows_the_stage():
    assert spack.progress_line("choosing versions", None) == "choosing versions"


def test_a_lock_says_what_was_built():
    summary = spack.lock_summary(LOCK)
    assert summary["package_count"] == 2
    assert summary["roots"] == [{"name": "app", "version": "2.0"}, {"name": "slurm", "version": "23.11"}]
    assert summary["fingerprint"].startswith("sha256:")


def test_a_failure_names_package_log_and_what_needed_it():
    failure = {"package": "lib@1.0", "log": "/shared/.petal/failures/lib.log", "tail": "cc: error", "dependents": ["app@2.0"]}
    text = spack.explain_failures({"message": "lib@1.0 failed to build.", "failures": [failure]}, spack.progress(LOCK, []))
    assert text == (
        "lib@1.0 failed to build. 0 of 2 packages are finished and kept. Run the play again to build the rest.\n\n"
        "lib@1.0: the log is kept in /shared/.petal/failures/lib.log. Not built because of it: app@2.0. It ends:\ncc: error"
    )


PROVEN = {"packages": [], "shells": [], "missing_libraries": []}


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (
            {"packages": [{"package": "app@2.0", "module": "app/2.0", "command": "app", "code": 127, "output": "", "passed": False}]},
            "app@2.0: module load app/2.0 && app ended with code 127: no output",
        ),
        (
            {"packages": [{"package": "lib@1.0", "module": "lib/1.0", "command": None, "code": 1, "output": "ERROR", "passed": False}]},
            "lib@1.0: module load lib/1.0 ended with code 1: ERROR",
        ),
        ({"shells": [{"shell": "zsh", "output": "parse error", "passed": False}]}, "The profile script does not work in zsh: parse error"),
        ({"missing_libraries": [{"file": "/shared/x", "libraries": ["liba.so", "libb.so"]}]}, "/shared/x lacks liba.so, libb.so."),
        (
            {
                "target": "x86_64_v3",
                "beyond_target": [{"file": "/shared/x", "instruction": "vpternlogd $0xff", "needs": "avx512f", "asks": False}],
            },
            "/shared/x holds code beyond the target x86_64_v3: `vpternlogd $0xff` needs avx512f.",
        ),
    ],
)
def test_each_broken_thing_of_a_proof_is_one_sentence(broken, problem):
    assert spack.proof_problems({**PROVEN, **broken}) == [problem]


def test_a_proof_of_what_works_has_no_problems():
    works = {"package": "app@2.0", "module": "app/2.0", "command": "app", "code": 0, "output": "", "passed": True}
    assert spack.proof_problems({**PROVEN, "packages": [works]}) == []


def in_work(done, total=10):
    return spack.Progress(total=total, done=done, failed=[], active={}, roots_total=1, roots_done=0)


@pytest.mark.parametrize(
    ("done", "done_at_start", "elapsed", "seconds_per_package", "left"),
    [
        (0, 0, 30, 0, 0),  # nobody knows
        (2, 0, 30, 60, 480),  # too few for a pace of its own
        (5, 0, 100, 60, 100),
        (8, 3, 100, 60, 40),  # what was finished before does not count
        (10, 0, 100, 60, 0),
    ],
)
def test_an_estimate_follows_earlier_builds_then_this_one(done, done_at_start, elapsed, seconds_per_package, left):
    assert spack.seconds_left(in_work(done), done_at_start, elapsed, seconds_per_package) == left


def test_spack_keeps_no_answers_that_nobody_will_ask_for_again():
    assert spack.configuration(PATHS, "x86_64_v3", GCC)["concretizer.yaml"]["concretizer"]["concretization_cache"] == {"enable": False}


@pytest.mark.parametrize(("require", "further"), [(["%gcc"], ["%gcc"]), ("%gcc", ["%gcc"]), (None, [])])
def test_wishes_for_all_packages_do_not_replace_the_target(require, further):
    wished = {"variants": "+mpi", "permissions": {"read": "user"}, **({"require": require} if require else {})}
    packages = spack.configuration(PATHS, "x86_64_v3", {"version": "11.5.0"}, externals={"all": wished})["packages.yaml"]["packages"]
    assert packages["all"]["require"] == ["target=x86_64_v3", *further]
    assert packages["all"]["permissions"]["read"] == "world"
    assert packages["all"]["variants"] == "+mpi"
