"""seed_lint fails with all that is wrong; seed_fix writes what can be mended, and nothing that it was not asked for."""

from unittest import mock

import pytest

from plugins.action import seed_fix, seed_lint
from tests.unit.plugins.module_utils._core.recipes.test_seed_lint import MENDED, SEED
from tests.unit.recipes import LIBRARY

RECIPES = {"extra_repos": [{"name": "library", "path": str(LIBRARY)}], "repos_override": True}


@pytest.fixture
def seed(tmp_path):
    path = tmp_path / "seed.yaml"
    path.write_text(SEED)
    return path


def act(action, check_mode=False, **arguments):
    task = mock.Mock(args={**RECIPES, **arguments}, async_val=0, check_mode=check_mode, environment=None)
    return action.ActionModule(task, mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock()).run(task_vars={})


def test_a_seed_that_cannot_be_built_fails_with_everything(seed):
    result = act(seed_lint, seeds=[str(seed)])
    assert result["failed"]
    assert len(result["problems"]) == 4
    assert f"{seed}:8:17: gcc@11.3.0 is deprecated" in result["msg"]
    assert result["seeds"][0]["findings"][0] == {
        "line": 8,
        "column": 17,
        "value": "gcc@11.3.0",
        "instead": "gcc@11.5.0",
        "message": "gcc@11.3.0 is deprecated, and Spack refuses it; the nearest usable version is 11.5.0.",
    }


def test_a_seed_that_can_be_built_passes(seed):
    seed.write_text(MENDED.replace("    - ds9@8.4\n", ""))
    result = act(seed_lint, seeds=[str(seed)])
    assert not result.get("failed")
    assert result["seeds"][0]["findings"] == []


def test_recipes_out_of_reach_fail_or_warn_as_asked(seed, tmp_path):
    nowhere = {
        "seeds": [str(seed)],
        "repos_override": False,
        "recipes_git_url": f"file://{tmp_path}/none",
        "cache_path": str(tmp_path / "c"),
    }
    assert "cannot be had" in act(seed_lint, **nowhere)["msg"]
    with mock.patch.object(seed_lint.Display, "warning") as warning:
        assert not act(seed_lint, unreachable="warn", **nowhere).get("failed")
    assert "not checked" in warning.call_args[0][0]


def test_a_missing_seed_is_an_error_and_no_traceback(tmp_path):
    assert "cannot be read" in act(seed_lint, seeds=[str(tmp_path / "none.yaml")])["msg"]
    assert "cannot be read" in act(seed_fix, seed=str(tmp_path / "none.yaml"))["msg"]


@pytest.fixture
def warnings():
    with mock.patch.object(seed_fix.Display, "warning") as warning:
        yield warning


def test_the_mended_seed_is_written_beside_it_and_only_once(seed, warnings):
    first = act(seed_fix, seed=str(seed))
    assert (first["changed"], first["dest"]) == (True, str(seed.with_name("seed.fixed.yaml")))
    assert seed.with_name("seed.fixed.yaml").read_text() == MENDED
    assert seed.read_text() == SEED
    assert first["diff"]["after"] == MENDED
    assert "ds9" in warnings.call_args[0][0]
    assert act(seed_fix, seed=str(seed))["changed"] is False


def test_check_mode_writes_nothing(seed, warnings):
    assert act(seed_fix, check_mode=True, seed=str(seed))["changed"]
    assert [path.name for path in seed.parent.iterdir()] == ["seed.yaml"]


def test_a_file_that_says_something_else_is_overwritten_only_by_force(seed, warnings):
    dest = seed.with_name("mine.yaml")
    dest.write_text("mine")
    assert "exists and says something else" in act(seed_fix, seed=str(seed), dest=str(dest))["msg"]
    assert dest.read_text() == "mine"
    assert act(seed_fix, seed=str(seed), dest=str(dest), force=True)["changed"]
    assert dest.read_text() == MENDED


def test_the_seed_itself_is_overwritten_only_when_asked(seed, warnings):
    seed.chmod(0o640)
    assert act(seed_fix, seed=str(seed), replace=True)["changed"]
    assert seed.read_text() == MENDED
    assert seed.stat().st_mode & 0o777 == 0o640
    assert act(seed_fix, seed=str(seed), replace=True)["changed"] is False


def test_a_seed_with_nothing_to_mend_gets_no_copy(seed, warnings):
    seed.write_text(MENDED.replace("    - ds9@8.4\n", ""))
    result = act(seed_fix, seed=str(seed))
    assert (result["changed"], result["dest"]) == (False, str(seed))
    assert not seed.with_name("seed.fixed.yaml").exists()
