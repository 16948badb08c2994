"""What CI, demo and benchmarks install is pinned: each list in requirements/ has its pins, with hashes, and they are what it asks for."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTS = ROOT / "requirements"
PINS = LISTS / "pins"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Of the lab's hosts alone: pinned for their Python.
OF_HOSTS = {"host-image": ("3.11",), "host-wheels": ("3.11",)}
PINNED = sorted(path.stem for path in PINS.glob("*.txt"))
# What installs without hashes, and why it may.
MAY_INSTALL = {
    "playbooks/files/detached_build.sh": "on a user's host, with a user's floors; hosts of the lab get the pinned wheels",
    "scripts/get_pip_stub.py": "in the place of get-pip.py; the versions come from ansible-test",
}
INSTALLS = re.compile(r"""\bpip\d?["']?,? ["']?(install|download)\b""")


def included(name):
    """Return the names of the lists that a list includes, itself among them."""
    text = (LISTS / name).read_text()
    return {name}.union(*(included(other) for other in re.findall(r"^-r (\S+)", text, re.MULTILINE)))


def asked_for(name):
    lines = "\n".join((LISTS / one).read_text() for one in included(f"{name}.txt")).splitlines()
    return [Requirement(line.partition(" #")[0]) for line in lines if re.match(r"\w", line)]


def pinned(name):
    """Return the pins of a list as [(requirement, number of hashes)]."""
    pins = []
    for line in (PINS / f"{name}.txt").read_text().splitlines():
        if re.match(r"\w", line):
            pins.append([Requirement(line.removesuffix("\\")), 0])
        elif "--hash=sha256:" in line:
            pins[-1][1] += 1
    return pins


def environment(python):
    return default_environment() | {"python_version": python, "python_full_version": f"{python}.1"}


def holds(requirement, python):
    return requirement.marker is None or requirement.marker.evaluate(environment(python))


def test_every_list_that_can_be_installed_has_pins():
    lists = {path.stem for path in LISTS.glob("*.txt")}
    covered = {pathlib.Path(name).stem for one in PINNED for name in included(f"{one}.txt")}
    assert sorted(lists - covered) == []
    assert sorted(set(PINNED) - lists) == []


@pytest.mark.parametrize("name", PINNED)
def test_pins_name_one_version_with_hashes_and_no_index(name):
    assert [str(pin) for pin, hashes in pinned(name) if not hashes or [one.operator for one in pin.specifier] != ["=="] or pin.url] == []
    assert re.findall(r"^.*(?:://|--(?:extra-)?index|--find-links).*$", (PINS / f"{name}.txt").read_text(), re.MULTILINE) == []


@pytest.mark.parametrize("name", PINNED)
def test_pins_are_what_the_list_asks_for(name):
    for python in OF_HOSTS.get(name, PYTHONS):
        versions = {}
        for pin, _hashes in pinned(name):
            if holds(pin, python):
                assert canonicalize_name(pin.name) not in versions, f"{pin.name} is pinned twice for Python {python}"
                (specifier,) = pin.specifier
                versions[canonicalize_name(pin.name)] = specifier.version
        wanted = [one for one in asked_for(name) if holds(one, python)]
        found = {str(one): versions.get(canonicalize_name(one.name)) for one in wanted}
        refused = {str(one) for one in wanted if not one.specifier.contains(found[str(one)] or "0", prereleases=True)}
        assert (python, {one: found[one] for one in refused}) == (python, {})


@pytest.mark.parametrize("name", ["demo", "host-image", "host-wheels"])
def test_what_meets_in_one_lab_is_pinned_alike(name):
    of_tests = {str(pin.specifier) + canonicalize_name(pin.name) for pin, _hashes in pinned("test")}
    shared = {canonicalize_name(pin.name) for pin, _hashes in pinned("test")}
    of_list = {str(pin.specifier) + canonicalize_name(pin.name) for pin, _hashes in pinned(name) if canonicalize_name(pin.name) in shared}
    assert sorted(of_list - of_tests) == []


@pytest.mark.parametrize("name", [name for name in ("floors", "test") if name in PINNED])
def test_floors_are_the_least_and_the_rest_is_newer(name):
    """For Python 3.11, whose floors are not raised for want of a wheel."""
    versions = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin, _hashes in pinned(name) if holds(pin, "3.11")}
    users = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match(r"\w", line)]
    at_the_floor = [one.name for one in users if re.fullmatch(rf"{next(iter(one.specifier)).version}(\.0)*", versions[one.name])]
    assert at_the_floor == ([one.name for one in users] if name == "floors" else [])


def test_nothing_else_is_installed():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("the tests run outside a git checkout")
    folders = (".ci/", "Makefile", "scripts/", "tests/lab/", "benchmarks/", "playbooks/")
    programs = [name for name in listing.stdout.split("\0") if name.startswith(folders) and not name.endswith(".md")]
    texts = {name: (ROOT / name).read_text() for name in programs if (ROOT / name).is_file()}
    free = [name for name, text in texts.items() if INSTALLS.search(text) and "--require-hashes" not in text and "*WHEELS" not in text]
    assert sorted(free) == sorted(MAY_INSTALL)


def test_what_ansible_test_installs_for_sanity_is_pinned_by_ansible_core():
    found = importlib.util.find_spec("ansible_test")
    if not found or not found.submodule_search_locations:
        pytest.skip("ansible-test is not installed")
    lists = list((pathlib.Path(next(iter(found.submodule_search_locations))) / "_data/requirements").glob("sanity.*.txt"))
    lines = [line.partition("#")[0].strip() for path in lists for line in path.read_text().splitlines()]
    assert [line for line in lines if line and "==" not in line] == []
    assert lists
