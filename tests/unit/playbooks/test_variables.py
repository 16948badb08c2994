"""The variables of the playbooks are data: what the playbooks read, what is written of it, and what tests give."""

from __future__ import annotations

import re

import pytest
import yaml
from jinja2 import Environment, nodes

from plugins.module_utils._core.playbook.variables import playbook_definition
from scripts.playbook_variables import PAGE, own_names, page, read_data, said, with_comment
from tests.unit.docs.pages import ROOT, broken_links, quoted, tables
from tests.unit.test_repository import ROLES, options_of

DATA = read_data()
NAMES = sorted(DATA["playbooks"])
JINJA = Environment()
each_playbook = pytest.mark.parametrize("name", NAMES)

# Bare expressions, and what names files whose tasks or variables belong to a playbook.
CONDITIONS = {"when", "that", "changed_when", "failed_when", "until"}
INCLUDING = {"ansible.builtin.include_tasks", "ansible.builtin.import_playbook", "import_playbook"}
SETTING = {"ansible.builtin.set_fact", "ansible.builtin.add_host"}
# Ansible's own, and what Python brings into a template.
MAGIC = re.compile(r"^(ansible_\w+|hostvars|groups|omit|lookup|query|now|dict|item|playbook_dir)$")
# Facts of the playbooks, and of the roles with their variables, which each role declares itself; what tasks are told by a playbook of ours.
OURS = re.compile(rf"^(_|petal_|schedule_|verify_|submit_|sought$|{'|'.join(f'{role.name}_' for role in ROLES)})")
# Read by tasks that several playbooks share, and only meant for the others.
NOT_TAKEN = {
    "copy_snapshot": {"public", "confirm_public", "grant_key"},
    "build_seed": {"source_registry", "unshare_from"},
}
# Variables that no test gives. The list only shrinks.
NOT_YET = """
    base build_instance_type comment_out create_timeout delete_data foreign_cluster instance_prices job_timeout keep_host
    kms_key_ids max_delete new_config on_build_host prices publish_gate_vulnerability_severity recipes_cache recipes_version
    remove replace require_encryption search_volume snapshot_schedule_every snapshot_schedule_name snapshot_schedule_registries
    snapshot_schedule_volume_ids software_volume spack_bootstrap_recipes_git_url stop_jobs strategy take_over update_cache
    update_timeout wait_for_build
"""
TESTS = [
    *(path for folder in ("tests/integration", "tests/chain", "tests/unit/playbooks") for path in sorted((ROOT / folder).rglob("*.py"))),
    *(path for folder in ("tests/integration", "tests/chain", "extensions/molecule") for path in sorted((ROOT / folder).rglob("*.yml"))),
]


class Reader:
    """Collects what a playbook reads, with all files that it includes: names, and the literal defaults that it gives them.

    facts: what it sets itself; roles: which it includes.
    bound, in each method: what a play, block or task around has set; that is no variable of the user.
    """

    def __init__(self, path):
        self.names, self.defaults, self.facts, self.roles = set(), set(), set(), set()
        self.file(path, frozenset())

    def file(self, path, bound):
        self.node(yaml.safe_load(path.read_text()), path.parent, bound)

    def node(self, node, folder, bound, key=""):
        if isinstance(node, dict):
            self.mapping(node, folder, bound | set(node.get("vars") or {}))
        elif isinstance(node, list):
            for one in node:
                self.node(one, folder, bound, key)
        elif isinstance(node, str):
            self.text(f"{{{{ {node} }}}}" if key in CONDITIONS and "{{" not in node else node, bound)

    def mapping(self, node, folder, bound):
        for key, value in node.items():
            self.node(value, folder, bound, key)
            for path in included_files(folder, value) if key in INCLUDING else value_list(key, value, folder):
                self.file(path, bound)
            if key in SETTING:
                self.facts |= set(value)
            if key in ("register", "loop_var"):
                self.facts.add(value)
            if key == "ansible.builtin.include_role":
                self.roles.add(value["name"].removeprefix("petal.hpc."))

    def text(self, text, bound):
        tree = JINJA.parse(text)
        found = list(tree.find_all(nodes.Name))
        inner = bound | {one.name for one in found if one.ctx != "load"}
        self.names |= {one.name for one in found} - inner
        for call in tree.find_all(nodes.Filter):
            if call.name == "default" and isinstance(call.node, nodes.Name) and call.args and isinstance(call.args[0], nodes.Const):
                self.defaults |= {(call.node.name, call.args[0].value)} if call.node.name not in inner else set()


def included_files(folder, name):
    """Return the files that an include may mean: one, or each that fits where a template chooses."""
    return sorted(folder.glob(re.sub(r"\{\{.*\}\}", "*", name))) if "{{" in name else [folder / name]


def value_list(key, value, folder):
    return [folder / path for path in value] if key == "vars_files" else []


@pytest.fixture(scope="module")
def readers():
    return {name: Reader(ROOT / f"playbooks/{name}.yml") for name in NAMES}


def variables_of(name):
    return playbook_definition(DATA, name)["variables"]


def test_every_playbook_has_its_variables_and_every_variable_and_group_its_playbook():
    assert sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml")) == NAMES
    assert {one for name in NAMES for one in variables_of(name)} == set(DATA["variables"])
    named = {one for part in [*DATA["playbooks"].values(), *DATA["groups"].values()] for one in part.get("with", [])}
    assert set(DATA["groups"]) <= named <= {*DATA["groups"], *NAMES}
    assert not set(DATA["groups"]) & set(NAMES)


@pytest.mark.parametrize("kind", ["variables", "groups", "playbooks"])
def test_the_data_is_sorted_so_that_a_reader_finds_a_name(kind):
    assert list(DATA[kind]) == sorted(DATA[kind])


def test_a_variable_says_no_more_than_the_file_explains():
    known = {"type", "words", "default", "choices", "example", "hint", "detached"}
    assert {name: set(one) - known for name, one in DATA["variables"].items() if not {"type", "words"} <= set(one) <= known} == {}
    known = {"required", "later", "takes", "with", "roles", "exclusive", "but"}
    assert {name: set(one) - known for name, one in DATA["playbooks"].items() if not set(one) <= known} == {}


@each_playbook
def test_what_is_said_otherwise_of_a_variable_is_of_one_that_the_playbook_takes(name):
    playbook = DATA["playbooks"][name]
    mentioned = {*playbook.get("but", {}), *(one for group in playbook.get("exclusive", []) for one in group)}
    assert mentioned <= set(variables_of(name))


@each_playbook
def test_a_playbook_reads_no_variable_but_those_that_it_takes(name, readers):
    read = {one for one in readers[name].names - readers[name].facts if not (OURS.match(one) or MAGIC.match(one))}
    others = {one for playbook in [name, *own_names(DATA, name)[1]] for one in NOT_TAKEN.get(playbook, ())}
    assert read - set(variables_of(name)) - others == set()


@each_playbook
def test_a_playbook_takes_no_variable_but_those_that_it_or_its_roles_read(name, readers):
    roles = tuple(f"{role}_" for role in readers[name].roles)
    own, _others = own_names(DATA, name)
    assert [one for one in own if one not in readers[name].names and not one.startswith(roles)] == []
    assert set(DATA["playbooks"][name].get("roles", [])) <= readers[name].roles


@each_playbook
def test_a_default_is_that_of_the_playbook(name, readers):
    variables = variables_of(name)
    written = {(one, value) for one, value in readers[name].defaults if one in variables and value not in ("", None)}
    wrong = {
        (one, value) for one, value in written - {(one, said(value)) for one, value in written} if variables[one].get("default") != value
    }
    assert {one for one in wrong if one[0] not in readers[name].facts} == set()


def test_the_reader_tells_what_a_user_gives_from_what_a_playbook_sets(tmp_path):
    (tmp_path / "more.yml").write_text("[{name: b, debug: {msg: '{{ told }} {{ asked | default(7) }}'}, when: flag and not known}]")
    task = "{name: a, ansible.builtin.include_tasks: more.yml, vars: {told: '{{ given }}'}, register: known}"
    (tmp_path / "one.yml").write_text(f"[{{hosts: all, vars: {{here: 1}}, tasks: [{task}, {{debug: {{msg: '{{{{ here }}}}'}}}}]}}]")
    found = Reader(tmp_path / "one.yml")
    assert (found.names, found.facts, found.defaults) == ({"given", "asked", "flag", "known"}, {"known"}, {("asked", 7)})


def test_a_variable_of_a_role_is_as_the_role_says():
    options = {name: option for role in ROLES for name, option in options_of(role).items()}
    for name in sorted(options.keys() & DATA["variables"].keys()):
        ours, its = DATA["variables"][name], options[name]
        assert (ours["type"], ours.get("choices")) == (its.get("type", "str"), its.get("choices")), name
        assert ours.get("default", its.get("default")) == its.get("default"), name


@each_playbook
def test_the_comment_of_a_playbook_lists_its_variables_as_the_data_has_them(name):
    text = (ROOT / f"playbooks/{name}.yml").read_text()
    assert text == with_comment(DATA, name, text), "run scripts/playbook_variables.py"


def test_the_page_of_variables_is_as_the_data_has_it():
    assert PAGE.read_text() == page(DATA), "run scripts/playbook_variables.py"
    assert broken_links(PAGE.read_text()) == []


def test_the_readme_names_no_variable_that_a_playbook_does_not_take():
    rows = [row for table in tables((ROOT / "README.md").read_text()) if table[0][2:] == ["variables"] for row in table[1:]]
    assert {name for row in rows for name in quoted(row[0])} == set(NAMES)
    for playbooks, _does, variables in rows:
        taken = {one for name in quoted(playbooks) for one in (*variables_of(name), *NAMES)}
        assert [one for one in quoted(variables) if one not in taken] == []


def set_by_tests():
    texts = "\n".join(path.read_text() for path in TESTS if path.name != "test_variables.py")
    return {name for name in DATA["variables"] if re.search(rf"(?<![\w.$]){name}[\"']?\s*[:=](?!=)", texts)}


def test_every_variable_is_given_by_a_test():
    assert set(DATA["variables"]) - set_by_tests() == set(NOT_YET.split())
