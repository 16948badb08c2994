"""Which Spack a test runs is asked for, never found: the stand-in, and the real one in the level `real`. Both carry the default's tag."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
import yaml

from plugins.module_utils._core.software.releases import RECIPES_VERSION, SPACK_VERSION
from tests.spack import make_stand_in, toy

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIRROR = ROOT / "scripts/spack_mirror.sh"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache in which the real Spack lies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("PETAL_SPACK", raising=False)
    make_stand_in.make(tmp_path / "petal-tests/spack.git")
    return tmp_path / "petal-tests"


def test_tests_take_the_stand_in_though_the_real_one_lies_in_the_cache(cache):
    found = toy.variables()
    assert "/spack-stand-in-" in found["spack_bootstrap_git_url"]
    assert (cache / pathlib.Path(found["spack_bootstrap_git_url"]).name).is_dir()
    assert found["spack_version"] == SPACK_VERSION


@pytest.mark.parametrize("asked", [{"variable": "real"}, {"argument": True}], ids=["level", "demo"])
def test_the_real_one_is_taken_where_it_is_asked_for(cache, monkeypatch, asked):
    if "variable" in asked:
        monkeypatch.setenv("PETAL_SPACK", asked["variable"])
    assert toy.variables(asked.get("argument"))["spack_bootstrap_git_url"].endswith("/spack.git")


def test_a_stand_in_that_others_clone_from_is_not_made_anew(cache):
    first = make_stand_in.ensure(cache)
    made = first.stat().st_ino
    assert make_stand_in.ensure(cache) == first
    assert first.stat().st_ino == made


RELEASES = [("spack", "PETAL_SPACK_URL", SPACK_VERSION), ("recipes", "PETAL_RECIPES", RECIPES_VERSION)]


@pytest.mark.parametrize(("what", "variable", "release"), RELEASES)
def test_a_mirror_is_of_the_release_that_seeds_get_by_default(tmp_path, what, variable, release):
    source = make_stand_in.make(tmp_path / "source.git")
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), variable: str(source)}
    command = ["sh", str(MIRROR), what]
    if release != SPACK_VERSION:
        without = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (without.returncode, len(without.stderr.splitlines())) == (3, 1)
        subprocess.run(["git", "-C", source, "tag", release, SPACK_VERSION], check=True)
    assert f" {release} is now in " in subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert f" {release} is in " in subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_documents_name_the_default():
    role = yaml.safe_load((ROOT / "roles/spack_bootstrap/defaults/main.yml").read_text())
    assert role["spack_bootstrap_version"] == SPACK_VERSION
    assert f"`{SPACK_VERSION}`, the release that the collection's tests ask for |" in (ROOT / "docs/seed.md").read_text()
