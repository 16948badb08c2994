# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pathlib

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

from plugins.lookup import seed as plugin

SEEDS = pathlib.Path(__file__).parents[4] / "tests" / "data" / "seeds"


@pytest.fixture(name="look_up")
def look_up_fixture(tmp_path, monkeypatch):
    """Return a function that looks seeds up from a playbook in one folder, run in another."""
    (tmp_path / "playbooks" / "files").mkdir(parents=True)
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def look_up(*terms):
        loader = DataLoader()
        loader.set_basedir(str(tmp_path / "playbooks"))
        variables = {"ansible_search_path": [str(tmp_path / "playbooks")]}
        return plugin.LookupModule(loader=loader).run([str(term) for term in terms], variables)

    return look_up


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((SEEDS / "minimal.yaml").read_bytes())


@pytest.mark.parametrize("place", ["playbooks/one.yaml", "playbooks/files/one.yaml", "current/one.yaml"])
def test_a_relative_path_is_found_beside_the_playbook_and_in_the_current_directory(look_up, tmp_path, place):
    put(tmp_path / place)
    assert look_up("one.yaml")[0]["cluster"]["name"] == "minimal"


def test_a_path_in_the_home_directory_is_found(look_up, tmp_path):
    put(tmp_path / "home" / "one.yaml")
    assert look_up("~/one.yaml")[0]["cluster"]["name"] == "minimal"


def test_each_path_gives_one_seed(look_up):
    assert [seed["cluster"]["name"] for seed in look_up(SEEDS / "toy.yaml", SEEDS / "minimal.yaml")] == ["toy", "minimal"]


def test_a_missing_seed_is_named_with_where_it_was_looked_for(look_up, tmp_path):
    with pytest.raises(AnsibleError, match=r"There is no seed no\.yaml") as error:
        look_up("no.yaml")
    assert str(tmp_path / "current" / "no.yaml") in str(error.value)


def test_a_folder_is_no_seed(look_up, tmp_path):
    with pytest.raises(AnsibleError, match="There is no seed"):
        look_up(tmp_path)


def test_bad_yaml_is_refused_with_line_and_column(look_up):
    with pytest.raises(AnsibleError, match=r"rna-seq\.yaml cannot be read:\n  - line 25, column 18: mapping values"):
        look_up(SEEDS / "petal" / "rna-seq.yaml")


@pytest.mark.parametrize(("content", "reason"), [(b"a: \xff", "seed in UTF-8"), (b"x" * 2_000_000, "larger than 1024 KiB")])
def test_a_file_that_cannot_be_a_seed_is_refused(look_up, tmp_path, content, reason):
    (tmp_path / "odd.yaml").write_bytes(content)
    with pytest.raises(AnsibleError) as error:
        look_up(tmp_path / "odd.yaml")
    assert reason.removeprefix("seed in ") in str(error.value)


def test_warnings_are_shown_with_the_file(look_up, monkeypatch):
    shown = []
    monkeypatch.setattr(plugin.Display, "warning", lambda self, text: shown.append(text))
    look_up(SEEDS / "petal" / "machine-learning.yaml")
    assert len(shown) == 1
    assert "machine-learning.yaml: compute.queues[0].instance_types[3] (line 20): EC2 no longer lists p3.2xlarge" in shown[0]
