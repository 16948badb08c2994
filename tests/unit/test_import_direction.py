"""Who may import whom: reads the imports of plugins/ and holds them against the picture in docs/architecture.md.

modules ──▶ _aws, _registry, _pcluster ──▶ amazon.aws, boto3, git, ssh-keygen, pcluster ...
   └──────▶ _core ◀── all of them             _core ──▶ pure libraries
lookup, filter, action ──▶ _git, plugin_utils ──▶ _core

Inside of `_core` the wings lie on floors: each may import what lies below it, and nobody imports in a circle.
"""

from __future__ import annotations

import ast
import pathlib
import re
import sys
from collections.abc import Iterable

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"

CORE = "plugins.module_utils._core"
AWS = "plugins.module_utils._aws"
REGISTRY = "plugins.module_utils._registry"
PCLUSTER = "plugins.module_utils._pcluster"
GIT = "plugins.module_utils._git"
SHARED = "plugins.plugin_utils"
AMAZON = "ansible_collections.amazon.aws.plugins.module_utils"
ON_THE_CONTROLLER = {"ansible", "jinja2", "yaml", CORE}

# The folder under plugins/: what its files may import beside the standard library. A name allows what lies below it.
MAY_IMPORT = {
    "module_utils/_core": {CORE, "jsonschema", "archspec", "yaml"},
    "module_utils/_aws": {CORE, AWS, AMAZON, "ansible.module_utils", "boto3", "botocore", "yaml"},
    "module_utils/_registry": {CORE, AWS, REGISTRY, "ansible.module_utils", "botocore", "yaml"},
    "module_utils/_pcluster": {CORE, AWS, "boto3"},
    "module_utils/_git": {CORE},
    "modules": {CORE, AWS, REGISTRY, PCLUSTER, AMAZON, "ansible.module_utils"},
    "lookup": {*ON_THE_CONTROLLER, GIT, SHARED},
    "filter": {*ON_THE_CONTROLLER, GIT, SHARED},
    "plugin_utils": {*ON_THE_CONTROLLER, SHARED},
    "action": {*ON_THE_CONTROLLER, GIT, SHARED},
    "doc_fragments": set(),
}

# The wings of `_core`, the ground first. A wing imports from itself, from the ground, and from the wings that are named for it.
GROUND = {"errors", "git", "inputs", "plain", "plan", "positioned_yaml", "quantity", "tags"}
WINGS = {
    "facts": set(),
    "cost": {"facts"},
    "software": {"facts"},
    "ebs": {"facts", "cost"},
    "seed": {"facts", "software"},
    "recipes": {"facts", "software", "seed"},
    "registry": {"facts", "software", "ebs"},
    "build": {"facts", "cost", "software", "ebs", "seed", "registry"},
    "cluster": {"facts", "cost", "software", "ebs", "seed"},
    "playbook": {"registry"},
}

# `_core` takes files, processes, the clock and chance as arguments: it touches none of them itself.
IMPURE_MODULES = {"glob", "io", "os", "pathlib", "random", "secrets", "shutil", "socket"}
IMPURE_MODULES |= {"subprocess", "tempfile", "time", "urllib.request"}
IMPURE_CALLS = {"open", "now", "utcnow", "today"}


def folder_of(path: pathlib.Path) -> str:
    """Return the folder whose rule a file follows: plugins/module_utils/_core/a/b.py follows module_utils/_core."""
    inside = path.relative_to(PLUGINS)
    return next((folder for folder in MAY_IMPORT if inside.is_relative_to(folder)), str(inside.parent))


def name_of(path: pathlib.Path) -> str:
    """Return the dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def package_of(path: pathlib.Path) -> str:
    return name_of(path).rpartition(".")[0]


def imports(tree: ast.AST, package: str) -> list[str]:
    """Return what a file imports as absolute names, of our own down to the definition; package: the dotted name of the file's folder."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1] + ([node.module] if node.module else []))
            names += [f"{base}.{alias.name}" for alias in node.names]
    return names


def below(name: str, allowed: set[str]) -> bool:
    return any(name == entry or name.startswith(f"{entry}.") for entry in allowed)


def forbidden_imports(source: str, folder: str, package: str | None = None) -> list[str]:
    """Return the imports of a file that the rule of plugins/`folder` does not have; package: where the file lies, if further down."""
    found = imports(ast.parse(source), package or "plugins." + folder.replace("/", "."))
    wrong = [name for name in found if name.split(".")[0] not in sys.stdlib_module_names and not below(name, MAY_IMPORT[folder])]
    if folder == "module_utils/_core":
        wrong += [name for name in found if below(name, IMPURE_MODULES)]
    return wrong


def impure_calls(source: str) -> list[str]:
    """Return calls that read the clock or open a file: `open(…)`, `datetime.now(…)`."""
    called = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [func.id if isinstance(func, ast.Name) else func.attr for func in called if isinstance(func, (ast.Name, ast.Attribute))]
    return [name for name in names if name in IMPURE_CALLS]


def plugin_files() -> list[pathlib.Path]:
    return sorted(PLUGINS.rglob("*.py"))


def test_every_folder_of_plugins_has_a_rule():
    assert {folder_of(path) for path in plugin_files() if path.name != "__init__.py"} <= set(MAY_IMPORT)


def test_imports_follow_the_picture():
    wrong = {
        str(path.relative_to(ROOT)): names
        for path in plugin_files()
        if folder_of(path) in MAY_IMPORT and (names := forbidden_imports(path.read_text(), folder_of(path), package_of(path)))
    }
    assert wrong == {}


def import_graph(paths: Iterable[pathlib.Path]) -> dict[str, set[str]]:
    """Return which of the files each of them imports, by dotted name."""
    files = {name_of(path): path for path in paths if path.name != "__init__.py"}
    found = {name: imports(ast.parse(path.read_text()), package_of(path)) for name, path in files.items()}
    return {name: {one for full in names for one in (full, full.rpartition(".")[0]) if one in files} for name, names in found.items()}


def core_imports() -> dict[str, set[str]]:
    """Return what each file of the core imports of the core; names are relative to it: "ebs.volume"."""
    graph = import_graph((PLUGINS / "module_utils" / "_core").rglob("*.py"))
    return {name.removeprefix(f"{CORE}."): {one.removeprefix(f"{CORE}.") for one in names} for name, names in graph.items()}


def wing_of(name: str) -> str:
    return name.partition(".")[0]


def test_the_core_opens_with_its_ground_and_its_wings():
    assert {wing_of(name) for name in core_imports()} == GROUND | set(WINGS)


def test_wings_import_downwards():
    wrong = {
        f"{name} imports {imported}"
        for name, names in core_imports().items()
        for imported in names
        if wing_of(imported) not in {wing_of(name), *GROUND, *WINGS.get(wing_of(name), ())}
    }
    assert wrong == set()
    floors = list(WINGS)
    assert [wing for wing, may in WINGS.items() if not may <= set(floors[: floors.index(wing)])] == []


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Return what is left of a graph of imports once everything is taken out that imports nothing of the rest."""
    left = {name: names & graph.keys() for name, names in graph.items()}
    while free := [name for name, names in left.items() if not names]:
        left = {name: names - set(free) for name, names in left.items() if name not in free}
    return sorted(left)


def test_nobody_imports_in_a_circle():
    assert circles(import_graph(plugin_files())) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["a", "b", "c", "d"]


def test_the_core_reads_no_clock_and_opens_no_file():
    core = sorted((PLUGINS / "module_utils" / "_core").rglob("*.py"))
    assert {str(path.relative_to(ROOT)): calls for path in core if (calls := impure_calls(path.read_text()))} == {}


def test_no_import_spells_the_name_of_the_collection():
    own = re.compile(r"^\s*(?:from|import)\s+ansible_collections\.petal\b", re.MULTILINE)
    python = [path for folder in ("plugins", "tests", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert [str(path.relative_to(ROOT)) for path in python if own.search(path.read_text())] == []


def test_roles_do_not_include_roles():
    including = re.compile(r"\b(?:include_role|import_role)\b")
    tasks = [path for part in ("tasks", "handlers") for path in sorted((ROOT / "roles").glob(f"*/{part}/**/*.yml"))]
    assert [str(path.relative_to(ROOT)) for path in tasks if including.search(path.read_text())] == []


@pytest.mark.parametrize(
    ("folder", "source", "wrong"),
    [
        ("module_utils/_core", "from .errors import ExplainedError", []),
        ("module_utils/_core", "import jsonschema.exceptions", []),
        ("module_utils/_core", "import boto3", ["boto3"]),
        ("module_utils/_core", "from .._aws.ebs import EbsGateway", ["plugins.module_utils._aws.ebs.EbsGateway"]),
        ("module_utils/_core", "import time", ["time"]),
        ("module_utils/_core", "from ansible.errors import AnsibleError", ["ansible.errors"]),
        ("module_utils/_aws", "from .._core.errors import ExplainedError", []),
        ("modules", "from ..module_utils._core.volume import plan_volume", []),
        ("modules", "import botocore.exceptions", ["botocore.exceptions"]),
        ("modules", "from .ebs_volume import run", ["plugins.modules.ebs_volume.run"]),
        ("modules", "from . import ebs_volume", ["plugins.modules.ebs_volume"]),
        ("lookup", "from ..module_utils._aws.ebs import EbsGateway", ["plugins.module_utils._aws.ebs.EbsGateway"]),
        ("filter", "from ansible.errors import AnsibleFilterError", []),
    ],
)
def test_the_reader_knows_right_from_wrong(folder, source, wrong):
    assert forbidden_imports(source, folder) == wrong


def test_the_reader_sees_the_clock_and_files():
    assert impure_calls("x = datetime.now()\nwith open('f') as f: pass") == ["now", "open"]
