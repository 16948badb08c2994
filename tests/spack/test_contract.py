"""The stand-in for Spack against the real one: the same builds, the same outcomes.

Each test runs as [stand_in] in the level `module` and as [real] in the level `real`, through the program that builds on a volume. What
holds for both is what the tests of the role may rely on, which have the stand-in.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from plugins.module_utils._core.software.configuration import SOLVER_SECONDS
from plugins.module_utils._core.software.environment import environment
from plugins.module_utils._core.software.lock import lock_summary
from plugins.module_utils._core.software.progress import progress
from tests.lab.client import Lab
from tests.spack import toy
from tests.spack.make_stand_in import TAG, make
from tests.spack.volume import BUILD, REAL, Volume, reason_against_the_real_one

pytestmark = pytest.mark.spack


@pytest.fixture(scope="module", params=["real" if toy.is_real() else "stand_in"])
def checkout(request, tmp_path_factory):
    """A checkout of one of the two; each test gets its own volume around it."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "real" and (reason := reason_against_the_real_one()):
        pytest.skip(reason)
    repository = REAL if request.param == "real" else make(folder / "stand-in.git")
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"--branch={TAG}", f"file://{repository}", folder / "spack"], check=True)
    return folder / "spack"


@pytest.fixture
def volume(checkout, tmp_path):
    return Volume(tmp_path, checkout)


@pytest.fixture(scope="module")
def built(checkout, tmp_path_factory):
    """A volume with a finished build, for tests that only look at it."""
    volume = Volume(tmp_path_factory.mktemp("built"), checkout)
    volume.ask_for("toyapp@3.0+gui", "toylib", "sleeper01")
    assert volume.build() == 0
    return volume


def test_an_environment_becomes_programs_and_modules(built):
    assert built.read("status")["state"] == "done"
    assert built.roots() == [("sleeper01", "1.0", "sleeper01/1.0"), ("toyapp", "3.0", "toyapp/3.0"), ("toylib", "2.0", "toylib/2.0")]
    assert built.run("toyapp", "toyapp-gui") == "toyapp-gui 3.0 with toylib 2.0 over toybase 1.1"
    assert Path(built.paths["lmod"], "Core/toyapp/3.0.lua").is_file()
    assert Path(built.paths["tcl"], "toyapp/3.0").is_file()
    assert not Path(built.paths["build_cache"]).exists()


def test_the_log_and_the_lock_tell_the_progress(built):
    found = progress(built.read("lock"), built.log().splitlines())
    assert (found.done, found.total, found.roots_done, found.percent, found.active) == (4, 4, 3, 100, {})


def test_the_bill_of_materials_lists_what_lies_on_the_volume(built):
    document = built.read("sbom")
    listed = {package["name"]: package["versionInfo"] for package in document["packages"] if package["SPDXID"] != "SPDXRef-Volume"}
    assert listed == {"sleeper01": "1.0", "toyapp": "3.0", "toybase": "1.1", "toylib": "2.0"}
    needs = [relationship for relationship in document["relationships"] if relationship["relationshipType"] == "DEPENDS_ON"]
    assert any("toyapp" in need["spdxElementId"] and "toylib" in need["relatedSpdxElement"] for need in needs)
    assert built.read("status")["size"]["bytes"] > 0


@pytest.mark.real  # the stand-in knows no licences
def test_a_licence_of_a_recipe_reaches_the_bill_of_materials(checkout, built):
    licences = {package["name"]: package["licenseDeclared"] for package in built.read("sbom")["packages"]}
    assert licences["toyapp"] == "MIT"


def test_nothing_is_to_be_built_twice(built):
    assert not built.report()["needed"]
    described = Path(built.paths["environment"]).read_text()
    built.ask_for("toyapp@3.0+gui", "toylib", "sleeper02")
    assert built.report()["needed"]
    built.write("environment", described)


def test_the_order_of_the_packages_does_not_matter(volume):
    fingerprints = []
    for packages in (["toyapp", "toylib+docs", "toybase"], ["toybase", "toyapp", "toylib+docs"]):
        volume.write("environment", yaml.safe_dump({"spack": {"specs": packages, "view": False}}))
        subprocess.run([volume.paths["spack"], "-e", volume.paths["petal"], "concretize", "--force"], check=True, capture_output=True)
        fingerprints.append(lock_summary(volume.read("lock"))["fingerprint"])
    assert fingerprints[0] == fingerprints[1]


def test_a_failure_names_the_package_and_keeps_the_rest(volume):
    volume.ask_for("toyapp+fail", "sleeper01")
    assert volume.build() == 1
    status = volume.read("status")
    assert (status["state"], status["stage"]) == ("failed", "install")
    assert [failure["package"] for failure in status["failures"]] == ["toyapp@3.0"]
    assert "toyapp +fail was asked for" in status["failures"][0]["tail"]
    assert progress(volume.read("lock"), volume.log().splitlines()).failed == ["toyapp@3.0"]
    assert list(Path(volume.paths["software"]).glob("sleeper01-1.0-*"))


def test_an_unknown_package_fails_before_anything_is_built(volume):
    volume.ask_for("no-such-package")
    assert volume.build() == 1
    status = volume.read("status")
    assert status["stage"] == "concretize"
    assert "'no-such-package' does not exist" in status["message"]


def test_two_builds_of_one_version_get_names_of_their_own(volume):
    volume.ask_for("toyapp@2.9+gui", "toyapp@2.9~gui")
    assert volume.build() == 0
    names = [module for _name, _version, module in volume.roots()]
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"toyapp/2\.9-[a-z2-7]{7}", name) for name in names)
    assert all(Path(volume.paths["tcl"], name).is_file() for name in names)


@pytest.mark.parametrize("tree", ["flat", "hierarchy"])
def test_only_a_hierarchy_puts_modules_behind_their_mpi(checkout, tmp_path, tree):
    """Spack's own default is a hierarchy; what is not replaced stays."""
    volume = Volume(tmp_path, checkout, modules={"tree": tree})
    volume.ask_for("toyapp+mpi ^toympi", "toylib")
    assert volume.build() == 0
    needs = {package["name"]: package["needs"] for package in volume.read("packages") if package["root"]}
    in_core = Path(volume.paths["lmod"], "Core/toyapp/3.0.lua").is_file()
    opened_by = [] if tree == "flat" else ["toympi/1.0"]
    assert (needs, in_core) == ({"toyapp": opened_by, "toylib": []}, tree == "flat")


def test_packages_without_a_common_choice_in_time_are_chosen_alone(checkout, volume):
    said = "Spack is taking more than {time_limit} seconds to solve for"
    if not checkout.parent.name.startswith("stand_in"):
        assert said in (checkout / "lib/spack/spack/solver/asp.py").read_text()
    # No toy packages keep the solver that long, so Spack says so without having tried.
    start, rest = Path(volume.paths["spack"]).read_text().split("\n", 1)
    gives_up = f'*" concretize "*) echo "==> Error: {said.format(time_limit=SOLVER_SECONDS)} toyapp, toylib"; exit 1;;'
    volume.write("spack", f'{start}\ncase "$*" in *unify:false*) ;; {gives_up} esac\n{rest}')
    volume.ask_for("toyapp@3.0", "sleeper01")
    assert volume.build() == 0
    assert [name for name, _version, _module in volume.roots()] == ["sleeper01", "toyapp"]
    assert volume.read("status")["chosen_apart"]
    assert volume.build() == 0
    assert volume.read("status")["chosen_apart"], "what an earlier run has chosen stays told"


def test_a_killed_build_loses_no_finished_package(volume):
    volume.ask_for("toyapp", "sleeper01", "sleeper02")
    process = subprocess.Popen([sys.executable, BUILD, volume.paths["settings"]], start_new_session=True)
    deadline = time.monotonic() + 60
    while not (os.path.exists(volume.paths["log"]) and volume.log().count("[+]") >= 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = set(re.findall(r"^\[\+\] \S+ (\S+)@", volume.log(), re.MULTILINE))
    before = len(volume.log())
    assert volume.build() == 0
    built_again = set(re.findall(r"^\[ \] \S+ (\S+)@\S+ install ", volume.log()[before:], re.MULTILINE))
    assert len(finished) >= 2
    assert not finished & built_again


def test_a_volume_with_an_earlier_build_gets_only_what_is_new(volume):
    volume.ask_for("toyapp", "sleeper01")
    assert volume.build() == 0
    assert volume.read("status")["counts"] == {"built": 4, "from_cache": 0, "kept": 0, "removed": 0}
    assert "spack gc" not in volume.log(), "Spack was started although it had nothing to remove"
    volume.ask_for("toylib", "sleeper01", "sleeper02", "sleeper03")
    assert volume.build() == 0
    assert volume.read("status")["counts"] == {"built": 2, "from_cache": 0, "kept": 3, "removed": 1}
    assert [name for name, _version, _module in volume.roots()] == ["sleeper01", "sleeper02", "sleeper03", "toylib"]
    assert not list(Path(volume.paths["software"]).glob("toyapp-*"))
    assert not list(Path(volume.paths["tcl"]).glob("toyapp"))


def test_each_finished_package_is_pushed_and_serves_the_next_volume(checkout, tmp_path):
    cache = tmp_path / "cache"
    first = Volume(tmp_path / "first", checkout, push_to=str(cache))
    first.ask_for("toyapp+fail", "sleeper01")
    assert first.build() == 1
    assert any(cache.rglob("*"))
    assert first.read("status")["not_pushed"] == ""
    if checkout.parent.name.startswith("stand_in"):
        return  # reads no mirrors
    second = Volume(tmp_path / "second", checkout, mirrors=[{"name": "cache", "url": f"file://{cache}", "signed": False}])
    second.ask_for("toylib", "sleeper01")
    assert second.build() == 0
    assert not re.findall(r"^\[ \] \S+ (\S+)@\S+ install ", second.log(), re.MULTILINE)


def test_a_cache_that_cannot_be_written_loses_no_build(checkout, tmp_path):
    (tmp_path / "file").touch()
    volume = Volume(tmp_path / "volume", checkout, push_to=str(tmp_path / "file" / "cache"))
    volume.ask_for("sleeper01")
    assert volume.build() == 0
    assert "NotADirectoryError" in volume.read("status")["not_pushed"]


@pytest.mark.real  # the stand-in reads no mirrors
def test_a_package_comes_back_from_a_bucket(checkout, tmp_path, monkeypatch):
    with Lab.start(data_plane=False) as lab:
        for name, value in lab.environment().items():
            monkeypatch.setenv(name, value)
        lab.client("s3").create_bucket(Bucket="petal-cache")
        first = Volume(tmp_path / "first", checkout, push_to="s3://petal-cache/builds")
        first.ask_for("sleeper01")
        assert first.build() == 0
        assert first.read("status")["not_pushed"] == ""
        second = Volume(tmp_path / "second", checkout, mirrors=[{"name": "cache", "url": "s3://petal-cache/builds", "signed": False}])
        second.ask_for("sleeper01")
        assert second.build() == 0
    assert not re.findall(r"^\[ \] \S+ (\S+)@\S+ install ", second.log(), re.MULTILINE)


@pytest.mark.real  # the stand-in reads no mirrors
def test_packages_of_a_signed_mirror_are_taken_with_its_key_only(checkout, tmp_path, keyrings):
    mirror = {"name": "site", "url": f"file://{tmp_path}/mirror", "signed": True}
    publisher = Volume(tmp_path / "publisher", checkout, keyring=keyrings("theirs"))
    publisher.ask_for("sleeper01")
    publisher.spack("concretize")
    publisher.spack("install")
    publisher.spack("gpg", "create", "--export", str(tmp_path / "key.asc"), "Publisher", "publisher@example.com")
    publisher.spack("buildcache", "push", "--update-index", mirror["url"])
    volume = Volume(tmp_path / "volume", checkout, mirrors=[mirror], keyring=keyrings("ours"))
    volume.ask_for("sleeper01")
    volume.spack("concretize")
    with pytest.raises(subprocess.CalledProcessError):
        volume.spack("install", "--use-buildcache", "only")
    volume.spack("gpg", "trust", "--yes-to-all", str(tmp_path / "key.asc"))
    volume.spack("install", "--use-buildcache", "only")
    assert list(Path(volume.paths["software"]).glob("sleeper01-*"))


@pytest.fixture
def keyrings():
    """Make empty keyrings under short paths: gpg's socket lies in them."""
    folders = []

    def make_keyring(name):
        folders.append(tempfile.mkdtemp(prefix=f"petal-{name}-", dir="/tmp"))
        return folders[-1]

    yield make_keyring
    for folder in folders:
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)
        shutil.rmtree(folder)


@pytest.mark.real  # the stand-in knows no compilers as packages
@pytest.mark.parametrize(("compiler", "used"), [(None, "host"), ("gcc@14.0.1", "14.0.1")])
def test_a_compiler_is_used_for_the_rest_only_where_it_is_named_as_the_compiler(checkout, tmp_path, compiler, used):
    volume = Volume(tmp_path, checkout, compiler=compiler)
    packages = ["libdwarf"] if compiler else ["libdwarf", "gcc@14.0.1"]
    volume.write("environment", yaml.safe_dump(environment(packages, volume.paths, compiler)))
    volume.spack("concretize")
    nodes = volume.read("lock")["concrete_specs"]
    assert any(node["name"] == "gcc" and node["version"] == "14.0.1" and "external" not in node for node in nodes.values())
    for name in ("libdwarf", "libelf"):
        (package,) = [node for node in nodes.values() if node["name"] == name]
        (gcc,) = [nodes[needed["hash"]] for needed in package["dependencies"] if needed["name"] == "gcc"]
        assert used == ("host" if "external" in gcc else gcc["version"])
