"""Every path of the controller that a playbook or a module takes is one that counts from the caller's directory."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from plugins.module_utils._core.playbook.caller_paths import OPTIONS
from plugins.plugin_utils.controller_files import from_caller
from scripts.playbook_variables import read_data
from tests.unit.docs.pages import ROOT

PLAYBOOKS = sorted(
    [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "playbooks/tasks").glob("*.yml"), *(ROOT / "playbooks/vars").glob("*.yml")]
)
ROLES = sorted(path for folder in ("tasks", "vars", "handlers") for path in (ROOT / "roles").glob(f"*/{folder}/*.yml"))

# Variables of playbooks and roles that name files or folders of the controller.
PATHS = {
    *(name for name, variable in read_data()["variables"].items() if variable["type"] in ("path", "registry")),
    *("registries", "snapshot_schedule_registries", "snapshot_sources"),
    *("cluster_config_hooks_dir", "cluster_config_path", "cluster_config_pcluster_python", "cluster_config_templates"),
    *("build_host_private_key_file", "shared_snapshot_registry"),
}
# What looks like one and is none: a key in KMS, a path on a host, a name, a fact that one of our tasks has set.
NO_PATHS = re.compile(
    r"^_|^(petal|shared_volume|spack_bootstrap|publish_gate|hostvars|verify|known)|kms_key|^(mount_path|grant_key|seed_paths|update_cache|files)$"
    r"|^(playbook_dir|role_path|cluster_config_(seed|mount_path|plan|validate|volume|seed_name|file|key_name|snapshot)\w*|build_host_key_name)$"
)
LOOKS_LIKE_A_PATH = re.compile(
    r"(^|_)(path|file|dir|folder|dest|key|config|seed|registry|registries|sources|signers|cache|templates|python|command)s?$"
)
# Actions that run in the process of the caller, in its directory, and modules that only print or check.
IN_PLACE = {"petal.hpc.seed_lint", "petal.hpc.seed_fix", "petal.hpc.stage"}
MESSAGES = {"ansible.builtin.assert", "ansible.builtin.fail", "ansible.builtin.debug", "ansible.builtin.set_stats"}
OURS = re.compile(r"^petal\.hpc\.(?!stage)")
RESOLVED = "petal.hpc.caller_path"
# ssh runs in the caller's directory, and expands ~ itself.
BY_SSH = {"build_host_connection"}


def expressions(text):
    return re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL) if isinstance(text, str) else []


def names(expression):
    """Return the variables of an expression: no texts, attributes, filters, tests or named arguments."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", " ", expression)
    return set(re.findall(r"(?<![\w.|])(?<!\| )(?<!is )([a-z_]\w*)(?!\w*\s*(?:\(|=[^=]))", bare))


def values(node, keys=()):
    """Yield (keys on the way, text) for every text of a task file."""
    if isinstance(node, dict):
        for key, item in node.items():
            yield from values(item, (*keys, key))
    elif isinstance(node, list):
        for item in node:
            yield from values(item, keys)
    elif isinstance(node, str):
        yield keys, node


def loose_paths(document):
    """Return what is handed on as it was given: "variable in module.option", in a file of tasks or variables."""
    found = []
    for keys, text in values(document):
        module = next((key for key in keys if isinstance(key, str) and key.count(".") >= 2), "")
        options = keys[keys.index(module) + 1 :] if module else ()
        if module in MESSAGES | IN_PLACE or (OURS.match(module) and options and options[0] in OPTIONS) or BY_SSH & set(keys):
            continue
        # A role or an included file takes a path under a name that is known to be one.
        if keys[-1:] in (("when",), ("that",), ("label",), ("name",)) or (keys[-1] in PATHS and ("vars" in keys or len(keys) == 1)):
            continue
        for expression in expressions(text):
            for name in names(expression) & PATHS:
                if not (RESOLVED in expression or _only_asks(expression, name)):
                    found.append(f"{name} in {module or '.'.join(map(str, keys))}")
    return found


def _only_asks(expression, name):
    """Whether an expression only asks if there is one, or takes it as a text for a person."""
    return bool(re.search(rf"(if|not|and|or|\() *{name}\b *(\||is )", expression)) and not re.match(rf"\s*{name}\b", expression)


@pytest.mark.parametrize("path", [*PLAYBOOKS, *ROLES], ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}-{path.stem}")
def test_no_path_is_left_to_the_directory_of_a_module(path):
    assert loose_paths(yaml.safe_load(path.read_text())) == []


def test_a_path_that_is_handed_on_as_it_was_given_is_found():
    task = {"name": "Write", "ansible.builtin.copy": {"dest": "{{ plan_path }}/plan.txt", "content": "x"}}
    assert loose_paths([task]) == ["plan_path in ansible.builtin.copy"]
    task["ansible.builtin.copy"]["dest"] = "{{ plan_path | petal.hpc.caller_path }}/plan.txt"
    assert loose_paths([task]) == []


def test_every_variable_that_looks_like_a_path_is_known_to_be_one_or_none():
    used = {name for path in [*PLAYBOOKS, *ROLES] for text in expressions(path.read_text()) for name in names(text)}
    assert sorted(name for name in used if LOOKS_LIKE_A_PATH.search(name) and not NO_PATHS.search(name) and name not in PATHS) == []


def modules_of_the_controller():
    """Yield (name, options) of modules that read or write files of the controller."""
    on_hosts = {"build_bundle", "spack_wait", "text_files"}
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        if path.stem not in on_hosts:
            documentation = yaml.safe_load(re.search(r'^DOCUMENTATION = r"""(.*?)"""', path.read_text(), re.MULTILINE | re.DOTALL)[1])
            yield path.stem, documentation.get("options") or {}


def test_every_path_and_registry_of_a_module_is_made_absolute_before_it_runs():
    in_place = {name.rpartition(".")[2] for name in IN_PLACE}
    for module, options in modules_of_the_controller():
        paths = {name for name, option in options.items() if isinstance(option, dict) and option.get("type") == "path"}
        paths |= {name for name in options if re.search("registr(y|ies)$", name)}
        if paths and module not in in_place:
            assert paths <= set(OPTIONS), module
            action = ROOT / f"plugins/action/{module}.py"
            assert "CallerPathsAction" in (action.read_text() if action.exists() else ""), module
    assert pathlib.Path(ROOT / "plugins/plugin_utils/caller_paths.py").exists()


def test_one_place_says_what_a_relative_path_counts_from(monkeypatch, tmp_path):
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "plugins").rglob("*.py") if "abspath" in path.read_text()}
    assert files == {"plugins/plugin_utils/controller_files.py"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    assert [from_caller(path) for path in ("a/../b", "~/c", "/d")] == [f"{tmp_path}/b", "/home/ada/c", "/d"]
