"""What the repository promises as a whole: every part is documented, declared and named where a reader looks for it."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPYRIGHT = [
    "# Copyright: petal.hpc contributors",
    "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
]
PUBLIC_INDEXES = {"pypi.org", "files.pythonhosted.org", "galaxy.ansible.com"}
PICTOGRAPHS = re.compile("[\U0001f300-\U0001faff\u2600-\u26ff\u2705\u2728\u274c]")

MODULES = sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"))
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if (path / "tasks").is_dir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


def load(path: pathlib.Path) -> Any:
    return yaml.safe_load(path.read_text())


def names(paths: list[pathlib.Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """Path: text, of every text file that git tracks."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("the tests run outside a git checkout")
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    texts = {}
    for path in files:
        if path.is_file() and not path.is_symlink() and b"\0" not in (content := path.read_bytes()):
            texts[str(path.relative_to(ROOT))] = content.decode()
    return texts


def files_with(texts: dict[str, str], pattern: re.Pattern[str]) -> dict[str, str]:
    return {path: found.group() for path, text in texts.items() if (found := pattern.search(text))}


def test_no_file_spells_the_path_of_a_checkout(tracked):
    assert files_with(tracked, re.compile(re.escape(str(ROOT)) + r"\b")) == {}


def test_no_file_names_the_package_index_of_a_machine(tracked):
    settings = subprocess.run(["pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    settings += "\n".join(value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_")))
    hosts = {urlsplit(address).hostname for address in re.findall(r"https?://[^\s'\"]+", settings)} - PUBLIC_INDEXES - {None}
    assert [found for host in hosts if (found := files_with(tracked, re.compile(re.escape(host))))] == []


def test_no_file_contains_pictographs(tracked):
    assert files_with(tracked, PICTOGRAPHS) == {}


def test_every_plugin_file_states_its_license_and_postpones_annotations():
    files = [path for path in sorted((ROOT / "plugins").rglob("*.py")) if path.read_text()]
    lines = {path: path.read_text().splitlines() for path in files}
    assert [str(path) for path, text in lines.items() if [line for line in text if not line.startswith("#!")][:2] != COPYRIGHT] == []
    assert [str(path) for path, text in lines.items() if "from __future__ import annotations" not in text] == []


def documentation(module: pathlib.Path) -> dict[str, str]:
    """Return the texts that Ansible reads from a module: {"DOCUMENTATION": "…", …}."""
    texts = {}
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant):
            texts[node.targets[0].id] = node.value.value
    return texts


@pytest.mark.parametrize("module", MODULES, ids=names(MODULES))
def test_module_documents_its_options_its_use_and_its_result(module):
    texts = documentation(module)
    documented = {part: yaml.safe_load(texts[part]) for part in ("DOCUMENTATION", "EXAMPLES", "RETURN")}
    assert documented["DOCUMENTATION"]["module"] == module.stem
    assert all(documented.values())


@pytest.mark.parametrize("module", MODULES, ids=names(MODULES))
def test_module_that_calls_aws_takes_region_and_credentials_from_the_action_group(module):
    calls_aws = "_aws" in module.read_text() or "amazon.aws" in module.read_text()
    assert not calls_aws or module.stem in load(ROOT / "meta" / "runtime.yml")["action_groups"]["ebs"]


def test_action_group_names_only_modules_that_exist():
    assert set(load(ROOT / "meta" / "runtime.yml")["action_groups"]["ebs"]) <= set(names(MODULES))


@pytest.mark.parametrize("role", ROLES, ids=names(ROLES))
def test_role_has_a_readme_an_interface_and_a_scenario(role):
    parts = [role / "README.md", role / "meta" / "argument_specs.yml", ROOT / "extensions" / "molecule" / role.name / "molecule.yml"]
    assert [str(part.relative_to(ROOT)) for part in parts if not part.exists()] == []


def options_of(role: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Return the options of all entry points of a role by name; an option that several share is the same in each."""
    options: dict[str, dict[str, Any]] = {}
    for entry_point in load(role / "meta" / "argument_specs.yml")["argument_specs"].values():
        options.update(entry_point.get("options", {}))
    return options


@pytest.mark.parametrize("role", ROLES, ids=names(ROLES))
def test_defaults_of_a_role_are_those_of_its_interface(role):
    file = role / "defaults" / "main.yml"
    declared = {name: option["default"] for name, option in options_of(role).items() if "default" in option}
    assert (load(file) or {} if file.exists() else {}) == declared


@pytest.mark.parametrize("role", ROLES, ids=names(ROLES))
def test_options_of_a_role_begin_with_its_name(role):
    assert [name for name in options_of(role) if not name.startswith(f"{role.name}_")] == []


@pytest.mark.parametrize("role", ROLES, ids=names(ROLES))
def test_readme_of_a_role_names_every_option_that_must_be_given(role):
    readme = (role / "README.md").read_text()
    assert [name for name, option in options_of(role).items() if option.get("required") and name not in readme] == []


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=names(PLAYBOOKS))
def test_playbook_is_named_in_the_readme(playbook):
    assert playbook.stem in (ROOT / "README.md").read_text()


def test_every_decision_states_context_decision_and_consequences():
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    headings = {page.name: re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) for page in pages}
    assert {name: found for name, found in headings.items() if not {"Context", "Decision", "Consequences"} <= set(found)} == {}
