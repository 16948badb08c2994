"""Which options a module has, read from its documentation, to hold examples against."""

from __future__ import annotations

import ast
import pathlib

import pytest
import yaml

from tests.unit.docs.pages import ROOT


def options_of(module):
    """Return the documented options of a module of ours or of amazon.aws; skipped where amazon.aws is not installed."""
    namespace, collection, name = module.split(".")
    if (namespace, collection) == ("petal", "hpc"):
        path = ROOT / "plugins" / "modules" / f"{name}.py"
    else:
        package = pytest.importorskip(f"ansible_collections.{namespace}.{collection}")
        path = pathlib.Path(next(iter(package.__path__))) / "plugins" / "modules" / f"{name}.py"
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION":
            return yaml.safe_load(node.value.value)["options"]
    raise AssertionError(f"{path} has no DOCUMENTATION")


def unknown_options(given, documented, inside=""):
    """Return the options given that are not documented, also inside of others: "placement.group_name"."""
    known = {name: option for main, option in documented.items() for name in (main, *option.get("aliases", []))}
    unknown = [inside + name for name in given if name not in known]
    for name, value in given.items():
        if isinstance(value, dict) and "suboptions" in known.get(name, {}):
            unknown += unknown_options(value, known[name]["suboptions"], f"{inside}{name}.")
    return unknown
