"""What a build on a volume takes for another build."""

import importlib
import pathlib
import subprocess
import sys

import pytest

FILES = pathlib.Path(__file__).resolve().parents[3] / "roles/spack_bootstrap/files"


@pytest.fixture
def inputs(monkeypatch, tmp_path):
    """All that build.py reads of a volume, and a function that says what it takes for its inputs."""
    monkeypatch.syspath_prepend(str(FILES))
    program = importlib.import_module("build")
    paths = {name: str(tmp_path / name) for name in ("root", "recipes", "configuration", "environment", "status")}
    for name in ("root", "recipes"):
        subprocess.run(["git", "init", "--quiet", paths[name]], check=True)
        commit(paths[name], "first")
    (tmp_path / "configuration").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "environment").write_text("spack: {}")
    yield lambda: program.Build({"paths": paths, "repos": [str(tmp_path / "site")]}).inputs()
    sys.modules.pop("build")


def commit(repository, text):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", "-C", str(repository), *identity, "commit", "--quiet", "--allow-empty", "--message", text], check=True)


@pytest.mark.parametrize("checkout", ["root", "recipes"])
def test_another_commit_of_spack_or_its_recipes_is_another_build(inputs, tmp_path, checkout):
    before = inputs()
    assert inputs() == before
    commit(tmp_path / checkout, "second")
    assert inputs() != before


def test_another_file_of_a_repository_or_of_the_configuration_is_another_build(inputs, tmp_path):
    seen = {inputs()}
    for name in ("site/package.py", "configuration/packages.yaml", "environment"):
        (tmp_path / name).write_text("changed")
        seen.add(inputs())
    assert len(seen) == 4


def test_without_recipes_of_spack_there_is_no_commit_of_them(inputs, tmp_path):
    (tmp_path / "recipes").rename(tmp_path / "elsewhere")
    assert inputs()
