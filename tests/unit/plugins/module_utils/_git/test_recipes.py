"""Recipes are brought by git, read once a commit, and kept as an index."""

import json
import pathlib
import shutil
import subprocess

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._git import recipes
from tests.unit.recipes import LIBRARY

OPTIONS = {"recipes_git_url": "", "recipes_version": None, "extra_repos": [], "repos_override": False, "cache_path": None}


def git(*arguments, cwd):
    identity = ["-c", "user.name=petal", "-c", "user.email=petal@example.org"]
    return subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """A repository like Spack's own, with two releases; the second has one package less."""
    root = tmp_path_factory.mktemp("upstream")
    builtin = root / recipes.BUILTIN
    shutil.copytree(LIBRARY, builtin)
    git("init", "--quiet", "--initial-branch=main", cwd=root)
    for tag in ("v1", "v2"):
        git("add", "--all", cwd=root)
        git("commit", "--quiet", "--message", tag, cwd=root)
        git("tag", "--annotate", tag, "--message", tag, cwd=root)
        shutil.rmtree(builtin / "packages" / "gcc", ignore_errors=True)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=root)
    return root


# As a URL, it has to be fetched; as a path, it is read where it is.
@pytest.fixture(params=["file://{}/.git", "{}"])
def url(request, upstream, monkeypatch):
    if request.param.startswith("file"):
        # A URL of a folder on this machine is read in place too: have it fetched as others are.
        monkeypatch.setattr(pathlib.Path, "is_dir", lambda path, real=pathlib.Path.is_dir: real(path) and ".git" not in path.parts)
    return request.param.format(upstream)


def commit_of(upstream, tag):
    return git("rev-parse", f"{tag}^{{commit}}", cwd=upstream)


def test_a_tag_a_branch_and_a_commit_name_the_same_recipes(url, upstream, tmp_path):
    commit = commit_of(upstream, "v2")
    for version in ("v2", "main", commit):
        found, index = recipes.load_index(url, version, tmp_path / version)
        assert found == commit
        assert "gcc" not in index["packages"]
    assert "gcc" in recipes.load_index(url, "v1", tmp_path / "v1")[1]["packages"]


def test_a_commit_is_read_once(url, tmp_path, monkeypatch):
    first = recipes.load_index(url, "v1", tmp_path)
    monkeypatch.setattr(recipes, "read_recipe", lambda text: pytest.fail("read again"))
    assert recipes.load_index(url, "v1", tmp_path) == (first[0], json.loads(json.dumps(first[1])))


def test_a_tag_in_the_cache_needs_no_network(upstream, tmp_path, monkeypatch):
    monkeypatch.setattr(pathlib.Path, "is_dir", lambda path, real=pathlib.Path.is_dir: real(path) and "gone" not in path.parts)
    gone = tmp_path / "gone"
    shutil.copytree(upstream, gone)
    url = f"file://{gone}/.git"
    first = recipes.load_index(url, "v1", tmp_path / "cache")
    shutil.rmtree(gone)
    assert recipes.load_index(url, "v1", tmp_path / "cache")[0] == first[0]
    with pytest.raises(ExplainedError, match="cannot be had from"):
        recipes.load_index(url, "main", tmp_path / "cache")


def test_a_version_that_does_not_exist_is_refused(url, tmp_path):
    with pytest.raises(ExplainedError, match=r"The recipes v9 cannot be had from .*recipes_git_url"):
        recipes.load_index(url, "v9", tmp_path)


def test_a_repository_without_recipes_is_refused(tmp_path):
    (tmp_path / "other").mkdir()
    git("init", "--quiet", cwd=tmp_path / "other")
    git("commit", "--quiet", "--allow-empty", "--message", "nothing", cwd=tmp_path / "other")
    with pytest.raises(ExplainedError, match="holds no recipes at HEAD"):
        recipes.load_index(str(tmp_path / "other"), "HEAD", tmp_path / "cache")


def test_a_cache_of_another_user_is_not_read(upstream, tmp_path, monkeypatch):
    monkeypatch.setattr(recipes.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr(recipes, "_TRUSTED", frozenset())
    with pytest.raises(ExplainedError, match="belongs to another user"):
        recipes.load_index(str(upstream), "v1", tmp_path / "cache")


def test_many_recipes_are_read_by_all_processors():
    files = [(f"packages/p{number}/package.py", f'class P{number}(B):\n    version("{number}")') for number in range(600)]
    read = recipes._read_all([*files, ("packages/bad/package.py", "class :")])
    assert len(read) == 600
    assert read["packages/p7/package.py"]["classes"]["P7"]["versions"] == {"7": False}


def test_repositories_of_a_site_come_first_and_those_on_the_host_leave_doubt(upstream, tmp_path):
    site = [{"name": "library", "path": str(LIBRARY)}]
    own = {**OPTIONS, "recipes_git_url": str(upstream), "recipes_version": "v2", "cache_path": str(tmp_path)}
    assert "gcc" not in recipes.load_recipes(own).recipes
    both = recipes.load_recipes({**own, "extra_repos": site})
    assert "gcc" in both.recipes
    assert (both.version, both.commit, both.recipes.complete) == ("v2", commit_of(upstream, "v2"), True)
    override = recipes.load_recipes({**own, "extra_repos": [*site, {"name": "x", "host_path": "/x"}], "repos_override": True})
    assert (override.version, override.commit, override.recipes.complete) == ("", "", False)
