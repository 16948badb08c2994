import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.spack_recipe_files import FilterModule

spack_recipe_files = FilterModule().filters()["spack_recipe_files"]


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "repo.yaml").write_text("repo: {namespace: site}\n")
    (tmp_path / "packages" / "tool").mkdir(parents=True)
    (tmp_path / "packages" / "tool" / "package.py").write_text("class Tool: pass\n")
    return tmp_path


def test_every_file_is_named_below_the_destination(repository):
    assert spack_recipe_files(str(repository), "/there") == [
        {"path": "/there/packages/tool/package.py", "content": "class Tool: pass\n"},
        {"path": "/there/repo.yaml", "content": "repo: {namespace: site}\n"},
    ]


def test_pythons_caches_stay_behind(repository):
    (repository / "packages" / "tool" / "__pycache__").mkdir()
    (repository / "packages" / "tool" / "__pycache__" / "package.pyc").write_bytes(b"\xff")
    assert len(spack_recipe_files(str(repository), "/there")) == 2


def test_a_directory_without_repo_yaml_is_refused(tmp_path):
    with pytest.raises(AnsibleFilterError, match=r"no repo\.yaml"):
        spack_recipe_files(str(tmp_path), "/there")


def test_a_binary_file_is_refused_by_its_name(repository):
    (repository / "packages" / "tool" / "blob.bin").write_bytes(b"\xff\xfe")
    with pytest.raises(AnsibleFilterError, match=r"blob\.bin is not a text file"):
        spack_recipe_files(str(repository), "/there")
