"""The oldest versions that the collection promises are the same wherever they are written, and those that `make test-floors` runs on."""

from __future__ import annotations

import pathlib
import re

import yaml
from packaging.requirements import Requirement

from scripts import run_tests

ROOT = pathlib.Path(__file__).resolve().parents[2]
DECISION = (ROOT / "docs/decisions/0005-supported-versions.md").read_text()


def load(name):
    return yaml.safe_load((ROOT / name).read_text())


def floor(specifier):
    """Return the version of ">=VERSION"."""
    return re.fullmatch(r">=([\d.]+)", str(specifier))[1]


def requirements(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if re.match(r"\w", line)]
    return {one.name: floor(one.specifier) for one in map(Requirement, lines)}


ANSIBLE = floor(load("meta/runtime.yml")["requires_ansible"])
COLLECTIONS = {name: floor(version) for name, version in load("galaxy.yml")["dependencies"].items()}
LIBRARIES = requirements("requirements.txt")


def test_collections_are_asked_for_as_galaxy_is_told():
    assert {one["name"]: floor(one["version"]) for one in load("requirements.yml")["collections"]} == COLLECTIONS


def test_options_of_modules_name_the_libraries_that_requirements_ask_for():
    line = re.compile(r"^ *- (boto3|botocore|archspec|jsonschema) >= ([\d.]+)(?: on the controller)?$", re.MULTILINE)
    for path in (ROOT / "plugins").rglob("*.py"):
        named = dict(line.findall(path.read_text()))
        assert named.items() <= LIBRARIES.items(), path


def test_the_decision_names_every_floor():
    floors = {"ansible-core": ANSIBLE, **COLLECTIONS, "boto3, botocore": LIBRARIES["boto3"]}
    stated = {name: f"{version} and newer" for name, version in floors.items()}
    assert {name: re.search(rf"^\| {name} \| ([^|(]+?) (?:\(|\|)", DECISION, re.MULTILINE)[1] for name in stated} == stated
    assert LIBRARIES["boto3"] == LIBRARIES["botocore"]


def test_ansible_is_asked_for_with_its_floor_wherever_we_install_it():
    asked = {}
    for name in ("README.md", "playbooks/files/detached_build.sh", "requirements/floors.txt"):
        asked[name] = set(re.findall(r"ansible-core>=([\d.]+)", (ROOT / name).read_text()))
    assert asked == {name: {ANSIBLE} for name in asked}


def test_the_registry_guide_asks_for_no_newer_boto3():
    needed = re.search(r"boto3 has to know conditional requests \(([\d.]+) or newer", (ROOT / "docs/registry.md").read_text())[1]
    assert tuple(map(int, needed.split("."))) <= tuple(map(int, LIBRARIES["boto3"].split(".")))


def test_what_is_run_with_the_oldest_releases_is_there_to_be_run():
    assert [path for path in run_tests.AT_THE_FLOORS if not run_tests.holds_tests(ROOT / path)] == []
    assert not run_tests.holds_tests(ROOT / "docs")
