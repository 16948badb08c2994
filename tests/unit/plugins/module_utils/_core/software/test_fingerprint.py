# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import json
import pathlib
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.fingerprint import (
    DECIDING_OPTIONS,
    deciding_options,
    fingerprint,
    fingerprint_inputs,
    lock_fingerprint,
    short_fingerprint,
)

DEFINITION = pathlib.Path(__file__).parents[6] / "docs" / "fingerprint.md"

BUILD = {
    "os": "alinux2023",
    "arch": "x86_64",
    "target": "x86_64_v3",
    "spack_version": "v1.2.2",
    "recipes_version": "v2026.06.0",
    "compiler": "gcc@12.5.0",
    "mount_path": "/shared",
    "specs": ["samtools@1.17", "hdf5@1.14+mpi", "openmpi@4.1.6"],
    "externals": {"libfabric": "1.22.0", "slurm": "23-11-10-1"},
    "image_id": "ami-0123456789abcdef0",
}


def of(**changes):
    return fingerprint(fingerprint_inputs(**{**BUILD, **changes}))


def test_the_layout_of_modules_counts_only_where_it_is_not_the_default():
    plain = fingerprint_inputs(**BUILD)
    assert fingerprint_inputs(**BUILD, modules={"tree": "flat", "defaults": {}}) == plain
    assert "modules" not in plain
    assert fingerprint_inputs(**BUILD, modules={"tree": "hierarchy"})["modules"] == {"tree": "hierarchy", "defaults": {}}


def test_a_fingerprint_has_not_changed_since_it_was_published():
    assert of() == "sha256:a73290e235eefc7825ed93d24207fd0b624bdf087318d1d2de4391295bf52d68"
    assert (
        of(externals={}, image_id=None, compiler=None, specs=[])
        == "sha256:5e4af7c0f67654c0419ab05d82be9fb224436584e34ad5e904bf80149acffb8f"
    )


def test_the_definition_computes_its_own_example():
    text = DEFINITION.read_text(encoding="utf-8")
    canonical = re.search(r"```json\n(\{.*\})\n```", text)[1]
    stated = re.search(r"```\n(sha256:[0-9a-f]{64})\n```", text)[1]
    written = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    inputs = dict(line.split(": ", 1) for line in written.splitlines() if not line.startswith(" ") and ": " in line)
    specs = re.findall(r"^  - (.*)$", written, re.MULTILINE)
    assert stated == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
    assert json.loads(canonical) == fingerprint_inputs(specs=specs, **inputs)
    assert stated == fingerprint(fingerprint_inputs(specs=specs, **inputs))


@pytest.mark.parametrize(
    "change",
    [
        {"os": "ubuntu2404"},
        {"arch": "arm64"},
        {"target": "x86_64_v4"},
        {"spack_version": "v1.2.1"},
        {"recipes_version": "v2026.10.0"},
        {"compiler": "gcc@13.4.0"},
        {"compiler": None},
        {"mount_path": "/sw"},
        {"specs": ["samtools@1.18", "hdf5@1.14+mpi", "openmpi@4.1.6"]},
        {"specs": ["samtools@1.17", "hdf5@1.14", "openmpi@4.1.6"]},
        {"specs": ["samtools@1.17", "hdf5@1.14+mpi"]},
        {"specs": ["samtools@1.17", "hdf5@1.14+mpi", "openmpi@4.1.6", "zlib"]},
        {"externals": {"libfabric": "1.22.1", "slurm": "23-11-10-1"}},
        {"externals": {"libfabric": "1.22.0"}},
        {"image_id": "ami-0123456789abcdef1"},
        {"externals": {}},
    ],
    ids=str,
)
def test_what_determines_a_build_changes_its_fingerprint(change):
    assert of(**change) != of()


@pytest.mark.parametrize(
    "change",
    [
        {"os": "al2023"},
        {"spack_version": "1.2.2"},
        {"recipes_version": "2026.06.0"},
        {"compiler": " gcc @12.5.0"},
        {"mount_path": "/shared/"},
        {"specs": ["hdf5 +mpi @1.14", "openmpi@4.1.6", "samtools@1.17", "samtools @1.17"]},
        {"externals": {"slurm": "23-11-10-1", "libfabric": "1.22.0"}},
    ],
    ids=str,
)
def test_another_way_of_writing_the_same_build_changes_nothing(change):
    assert of(**change) == of()


OPTIONS = {
    "environment": {"CFLAGS": "-O2"},
    "externals": {"cmake": {"buildable": False, "externals": [{"spec": "cmake@3.25.1", "prefix": "/usr"}]}},
    "extra_repos": [{"name": "site", "content": "sha256:1"}, {"name": "builtin_mock", "host_path": "$spack/mock"}],
    "keep_build_dependencies": True,
    "lmod": False,
    "repos_override": True,
    "root": "/shared/tools/spack",
}
ROLE = yaml.safe_load((DEFINITION.parents[1] / "roles/spack_bootstrap/meta/argument_specs.yml").read_text())["argument_specs"]["main"]


def with_options(**options):
    return of(options=deciding_options(options))


def test_every_option_of_the_role_is_in_the_fingerprint_or_explained():
    section = DEFINITION.read_text().split("## Variables of spack_bootstrap")[1].split("## Canonical specs")[0]
    counted, explained = (
        {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(r"`([a-z_]+)`", line.split("|")[1])}
        for table in section.split("| variable |")[1:]
    )
    assert counted == set(DECIDING_OPTIONS) == set(OPTIONS)
    assert counted.isdisjoint(explained)
    assert {f"spack_bootstrap_{name}" for name in counted | explained} == set(ROLE["options"])


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_an_option_that_decides_counts_and_its_default_does_not(name):
    others = {other: value for other, value in OPTIONS.items() if other != name}
    default = "/shared/spack" if name == "root" else ROLE["options"][f"spack_bootstrap_{name}"]["default"]
    assert with_options(**OPTIONS) != with_options(**others) != of()
    assert with_options(**others, **{name: default}) == with_options(**others)
    assert with_options(**{name: default}) == of()


@pytest.mark.parametrize(
    "option",
    [
        {"jobs": 4, "timeout": 3, "build_stage": "/fast", "mirrors": [{"name": "x", "url": "file:///x"}]},
        {"environment": {"https_proxy": "http://proxy:3128", "NO_PROXY": "x", "AWS_SECRET_ACCESS_KEY": "x", "SSL_CERT_FILE": "/x"}},
        {"lmod": "auto", "repos_override": "false", "keep_build_dependencies": "no", "root": "/shared/spack/"},
    ],
    ids=str,
)
def test_what_does_not_decide_changes_nothing(option):
    assert with_options(**option) == of()


def test_options_are_the_same_however_they_are_written():
    turned = {name: dict(reversed(value.items())) if isinstance(value, dict) else value for name, value in reversed(OPTIONS.items())}
    turned |= {"repos_override": "yes", "lmod": "False", "keep_build_dependencies": "true", "root": "/shared//tools/spack/"}
    turned["extra_repos"] = [{**repo, "path": "/elsewhere/x"} if "content" in repo else repo for repo in OPTIONS["extra_repos"]]
    assert with_options(**turned) == with_options(**OPTIONS)
    assert with_options(**{**OPTIONS, "extra_repos": OPTIONS["extra_repos"][::-1]}) != with_options(**OPTIONS)


def test_the_image_counts_only_when_packages_are_taken_from_it():
    assert of(externals={}) == of(externals={}, image_id=None) == of(externals=None, image_id="ami-0123456789abcdef1")


def test_externals_without_an_image_are_refused():
    with pytest.raises(ExplainedError, match=r"libfabric, slurm.*the image is not named"):
        of(image_id=None)


specs = st.lists(st.sampled_from(["zlib", "hdf5@1.14 +mpi", "hdf5@1.14+mpi", "gcc@12", "openmpi ~cuda fabrics=ofi", "python@3.11:"]))


@given(specs, st.randoms(use_true_random=False), st.sampled_from(["", " ", "\t "]))
def test_order_duplicates_and_white_space_never_matter(packages, chance, blank):
    again = [f"{blank}{spec}{blank}" for spec in packages + packages[:2]]
    chance.shuffle(again)
    assert of(specs=again) == of(specs=packages)


platforms = st.fixed_dictionaries(
    {
        "os": st.sampled_from(["alinux2023", "ubuntu2204", "ubuntu2404", "rhel9"]),
        "arch": st.sampled_from(["x86_64", "arm64"]),
        "target": st.sampled_from(["x86_64_v3", "x86_64_v4", "neoverse_n1"]),
        "spack_version": st.sampled_from(["v1.2.1", "v1.2.2", "develop"]),
        "recipes_version": st.sampled_from(["v2026.06.0", "v2026.10.0"]),
        "mount_path": st.sampled_from(["/shared", "/sw", "/shared/sw"]),
        "specs": st.sampled_from([["zlib"], ["zlib@1.3"], ["zlib", "gcc"], []]),
    }
)


@given(platforms, platforms)
def test_two_builds_that_differ_anywhere_never_share_a_fingerprint(one, other):
    assert (of(**one) == of(**other)) == (one == other)


def test_the_short_form_is_twelve_digits():
    assert short_fingerprint("sha256:" + "0123456789abcdef" * 4) == "0123456789ab"
    assert len(of()) == len("sha256:") + 64


def test_a_lock_is_named_by_the_set_of_its_roots():
    roots = [{"hash": "abc", "spec": "zlib"}, {"hash": "aaa", "spec": "gcc"}]
    named = "sha256:" + hashlib.sha256(b"aaa\nabc").hexdigest()
    assert lock_fingerprint({"roots": roots}) == lock_fingerprint({"roots": [*roots[::-1], roots[0]]}) == named
    assert lock_fingerprint({"roots": roots[:1]}) != named


@pytest.mark.parametrize("lock", [{}, {"roots": None}, {"roots": [{"spec": "zlib"}]}, None])
def test_what_is_no_lock_is_refused(lock):
    with pytest.raises(ExplainedError, match=r"no spack\.lock"):
        lock_fingerprint(lock)
