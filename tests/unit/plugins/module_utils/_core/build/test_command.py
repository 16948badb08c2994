"""The command that is printed for a build: run as it stands, it builds that variant."""

import dataclasses
import json
import shlex

import pytest

from plugins.module_utils._core.build.command import build_command
from plugins.module_utils._core.seed.variant import seed_variants
from plugins.module_utils._core.software.fingerprint import DECIDING_OPTIONS
from tests.unit.plugins.module_utils._core.seed.test_variant import a_seed

SEED = a_seed()


def given_by(command):
    """Return the variables that Ansible reads from a command."""
    words = shlex.split(command)
    assert words[:2] == ["ansible-playbook", "petal.hpc.build_seed"]
    found = {}
    for flag, text in zip(words[2::2], words[3::2], strict=True):
        assert flag == "-e"
        found |= json.loads(text) if text.startswith("{") else dict([text.split("=", 1)])
    return found


def fingerprint_of(given):
    options = {name: given[f"spack_bootstrap_{name}"] for name in DECIDING_OPTIONS if f"spack_bootstrap_{name}" in given}
    variants = seed_variants(
        SEED,
        os=given.get("os"),
        mount_path=given.get("mount_path", "/shared"),
        spack_version=given.get("spack_version"),
        recipes_version=given.get("recipes_version"),
        image_id=given.get("build_host_image_id"),
        options=options,
    )
    return variants[0].fingerprint


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"os": "ubuntu2404"},
        {"mount_path": "/opt/my software"},
        {"spack_version": "v1.2.0", "recipes_version": "v2025.11.0"},
        {"spack_bootstrap_keep_build_dependencies": True},
        {"spack_bootstrap_environment": {"CFLAGS": "-O3 -g"}, "mount_path": "/sw/genomics-0123"},
    ],
    ids=str,
)
def test_the_printed_command_builds_the_same(given):
    wanted = fingerprint_of(given)
    options = {name.removeprefix("spack_bootstrap_"): value for name, value in given.items() if name.startswith("spack_bootstrap_")}
    named = {name: value for name, value in given.items() if not name.startswith("spack_bootstrap_")}
    (variant, *_others) = seed_variants(SEED, options=options, **named)
    printed = given_by(build_command("my seed.yaml", SEED, dataclasses.asdict(variant), role_variables=given))
    assert printed.pop("seed") == "my seed.yaml"
    assert fingerprint_of(printed) == wanted
    assert printed.keys() == given.keys()


def test_registry_and_region_go_with_it_where_the_seed_does_not_say_them():
    variant = dataclasses.asdict(seed_variants(SEED)[0])
    printed = given_by(build_command("a.yaml", SEED, variant, region="eu-west-1", registry="s3://r/x"))
    assert printed == {"seed": "a.yaml", "region": "eu-west-1", "registry": "s3://r/x"}
    assert given_by(build_command("a.yaml", SEED, variant, region=SEED["cluster"]["region"])) == {"seed": "a.yaml"}


def test_no_password_of_a_proxy_is_printed():
    environment = {"https_proxy": "http://me:secret@proxy", "AWS_SECRET_ACCESS_KEY": "secret"}
    (variant, *_others) = seed_variants(SEED, options={"environment": environment})
    printed = build_command("a.yaml", SEED, dataclasses.asdict(variant), role_variables={"spack_bootstrap_environment": environment})
    assert printed == "ansible-playbook petal.hpc.build_seed -e seed=a.yaml"
