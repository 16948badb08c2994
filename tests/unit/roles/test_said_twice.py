"""What a role says again, because the collection's Python is not where it is needed, it says alike."""

import importlib
import pathlib
import re
import sys

import jinja2
import pytest
import yaml

from plugins.action import spack_wait
from plugins.module_utils._core.ebs.volume import device_path
from plugins.module_utils._core.seed.variant import choose_build_instance_type
from plugins.module_utils._core.software.configuration import SHORT_HASH
from plugins.module_utils._core.software.fingerprint import short_fingerprint
from plugins.module_utils._core.software.progress import progress

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
KEY = "ez24jgy" + "a" * 25
LOCK = {"roots": [{"hash": KEY}], "concrete_specs": {KEY: {"name": "toyapp", "version": "3.0"}}}


def variables(role):
    return yaml.safe_load((ROLES / role / "vars/main.yml").read_text())


@pytest.fixture
def build(monkeypatch):
    """The program that runs on the build host."""
    monkeypatch.syspath_prepend(str(ROLES / "spack_bootstrap/files"))
    yield importlib.import_module("build")
    sys.modules.pop("build")


def as_the_host_reads(build, line):
    """Return what build.py takes a line of Spack's log for, in the words of Progress."""
    patterns = {"active": build.WORKED_ON, "done": build.FINISHED, "failed": build.FAILURE}
    found = {state: pattern.match(line) for state, pattern in patterns.items()}
    return {state: match["hash"][: build.SHORT_HASH] for state, match in found.items() if match}


def as_the_controller_reads(line):
    found = progress(LOCK, [line])
    states = {"active": found.active, "done": found.done, "failed": found.failed}
    return {state: KEY[:SHORT_HASH] for state, packages in states.items() if packages}


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("[ ] ez24jgy toyapp@3.0 staging (0s)", "active"),
        ("[ ] ez24jgy toyapp@3.0 fetching from build cache (0s)", "active"),
        ("[ ] ez24jgy toyapp@3.0 install (1m 2s)", "active"),
        ("[+] ez24jgy toyapp@3.0 /shared/software/toyapp-3.0-ez24jgy (2s)", "done"),
        ("[x] ez24jgy toyapp@3.0 failed: /tmp/spack/log.txt (1s)", "failed"),
        ("==> petal: spack install --jobs 2", None),
        ("toyapp@3.0", None),
        ("", None),
    ],
)
def test_the_host_and_the_controller_read_a_line_of_spack_s_log_alike(build, line, state):
    expected = {state: KEY[:SHORT_HASH]} if state else {}
    assert (as_the_host_reads(build, line), as_the_controller_reads(line)) == (expected, expected)


def test_the_controller_has_words_for_each_stage_of_a_build(build):
    assert set(spack_wait.STAGES) == set(build.Build.STAGES)
    assert build.SHORT_HASH == SHORT_HASH


def test_a_role_finds_a_volume_where_the_module_says_it_is():
    template = jinja2.Template(variables("shared_volume")["shared_volume_device_path"])
    assert template.render(shared_volume_id="vol-0123456789abcdef0") == device_path("vol-0123456789abcdef0")


def test_a_build_s_unit_is_named_by_the_short_fingerprint():
    said, fingerprint = variables("spack_bootstrap"), "sha256:" + "0f3a" * 16
    jinja = jinja2.Environment()
    jinja.filters |= {"regex_replace": lambda text, pattern, new: re.sub(pattern, new, text), "hash": hash}
    short = jinja.from_string(said["__spack_bootstrap_short"]).render(spack_bootstrap_fingerprint=fingerprint)
    unit = jinja.from_string(said["__spack_bootstrap_unit"]).render(__spack_bootstrap_short=short.strip())
    assert unit == f"petal-build-{short_fingerprint(fingerprint)}"


@pytest.mark.parametrize(("architecture", "target"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_a_host_that_nobody_chose_is_of_the_type_that_builds_take(architecture, target):
    assert variables("build_host")["__build_host_default_types"][architecture] == choose_build_instance_type(target, ())
