# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import copy

import archspec.cpu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.instance_types import find_instance_type, instance_type_names
from plugins.module_utils._core.facts.operating_system import find_os
from plugins.module_utils._core.seed import variant
from plugins.module_utils._core.seed.variant import can_run, choose_build_instance_type, choose_target, seed_variants


def a_seed(head_node="m6a.large", types=("c6a.xlarge",), login_nodes=None, **software):
    return {
        "cluster": {"name": "My Genomics", "region": "us-east-1", "os": "alinux2023", "custom_ami": None},
        "compute": {
            "head_node": head_node,
            "login_nodes": login_nodes,
            "queues": [{"name": "compute", "instance_types": list(types), "min_count": 0, "max_count": 2}],
        },
        "software": {
            "spack_packages": ["zlib", " samtools @1.17"],
            "spack_version": None,
            "recipes_version": None,
            "compiler": None,
            "externals": {},
            "modules": {"tree": "flat", "defaults": {}},
            "target": None,
            **software,
        },
    }


def target_of(*names, os="alinux2023", compiler=None, wanted=None):
    return choose_target([find_instance_type(name) for name in names], find_os(os), compiler, wanted)


@pytest.mark.parametrize(
    ("types", "target"),
    [
        (["c6a.large"], "zen3"),
        (["c6a.large", "c5.large"], "x86_64_v3"),
        (["c6a.large", "c6i.large"], "x86_64_v3"),
        (["c7a.large", "c6i.large"], "x86_64_v4"),
        (["c5.large", "c6i.large", "c7i.large"], "skylake_avx512"),
        (["c6g.large", "c7g.large"], "neoverse_n1"),
        (["c7g.large", "c8g.large"], "neoverse_n1"),
        (["c6a.large", "m4.large"], "x86_64_v3"),
    ],
)
def test_the_target_is_the_best_cpu_that_all_types_contain(types, target):
    assert target_of(*types) == target


@pytest.mark.parametrize(
    ("types", "os", "compiler", "target"),
    [
        (["m8a.large"], "alinux2023", None, "zen4"),
        (["m8a.large"], "alinux2023", "gcc@14.2.0", "zen5"),
        (["m8a.large"], "alinux2023", "gcc @ 14.2.0", "zen5"),
        (["m8a.large"], "alinux2023", "aocc", "zen5"),
        (["c6a.large"], "rhel8", None, "zen"),
        (["c7i.large"], "rhel8", None, "icelake"),
    ],
)
def test_the_compiler_bounds_the_target(types, os, compiler, target):
    assert target_of(*types, os=os, compiler=compiler) == target


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("zen4", "does not run on c6a.large.*set software.target to x86_64_v3"),
        ("neoverse_n1", "does not run on c6a.large, c6i.large"),
        ("x86_64_v5", "'x86_64_v5' is no CPU target.*x86_64_v4"),
        ("grandma", "x86_64_v3 and neoverse_n1 run nearly everywhere"),
    ],
)
def test_a_target_that_some_type_cannot_run_is_refused(wanted, reason):
    with pytest.raises(ExplainedError, match=reason):
        target_of("c6a.large", "c6i.large", wanted=wanted)


def test_a_target_that_the_compiler_cannot_produce_is_refused():
    with pytest.raises(ExplainedError, match=r"GCC 11\.5\.0 of alinux2023 cannot compile.*software\.target to zen4"):
        target_of("m8a.large", wanted="zen5")


def test_a_lower_target_may_be_asked_for():
    assert target_of("c6a.large", "c6i.large", wanted="x86_64_v2") == "x86_64_v2"


types = st.lists(st.sampled_from([name for name in instance_type_names() if find_instance_type(name).architecture == "x86_64"]), min_size=1)


@given(types, st.sampled_from(["alinux2023", "ubuntu2404", "rhel8"]))
def test_every_type_can_run_the_chosen_target(names, os):
    target = target_of(*names, os=os)
    assert all(can_run(target, find_instance_type(name)) for name in names)


@given(types)
def test_no_better_target_runs_on_all_types(names):
    chosen = archspec.cpu.TARGETS[target_of(*names, compiler="aocc")]
    better = [cpu.name for cpu in archspec.cpu.TARGETS.values() if cpu > chosen]
    assert not [name for name in better if all(can_run(name, find_instance_type(kind)) for kind in names)]


@pytest.mark.parametrize(
    ("target", "build_on"),
    [
        ("x86_64_v3", "c6a.4xlarge"),
        ("zen4", "c7a.4xlarge"),
        ("x86_64_v4", "c7a.4xlarge"),
        ("skylake_avx512", "c6i.4xlarge"),
        ("sapphirerapids", "c7i.4xlarge"),
        ("neoverse_n1", "c7g.4xlarge"),
        ("neoverse_v2", "c8g.4xlarge"),
    ],
)
def test_the_build_host_can_run_what_it_builds(target, build_on):
    assert choose_build_instance_type(target, []) == build_on
    assert can_run(target, find_instance_type(build_on))


def test_without_a_usual_build_host_the_largest_of_the_seed_builds(monkeypatch):
    monkeypatch.setattr(variant, "BUILD_INSTANCE_TYPES", ())
    kinds = [find_instance_type(name) for name in ("p4d.24xlarge", "c6i.large", "c6i.8xlarge")]
    assert choose_build_instance_type("icelake", kinds) == "c6i.8xlarge"


def test_a_seed_of_one_architecture_has_one_variant():
    (only,) = seed_variants(a_seed())
    assert (only.os, only.arch, only.target, only.build_instance_type) == ("alinux2023", "x86_64", "zen3", "c6a.4xlarge")
    assert only.specs == ["samtools@1.17", "zlib"]
    assert only.name == f"my-genomics-alinux2023-x86_64-{only.short}"
    assert only.fingerprint.startswith(f"sha256:{only.short}")


def test_head_node_and_login_nodes_must_run_the_software_too():
    assert seed_variants(a_seed(head_node="c6i.large"))[0].target == "x86_64_v3"
    assert seed_variants(a_seed(login_nodes={"instance_type": "c6i.large", "count": 1}))[0].target == "x86_64_v3"


def test_each_architecture_is_a_variant_the_head_nodes_first():
    variants = seed_variants(a_seed(head_node="m7g.large", types=["c6a.xlarge", "c7g.xlarge"]))
    assert [(one.arch, one.target) for one in variants] == [("arm64", "neoverse_v1"), ("x86_64", "zen3")]
    assert variants[0].fingerprint != variants[1].fingerprint


def test_what_the_caller_says_wins_over_the_seed_and_the_seed_over_the_defaults():
    seed = a_seed(spack_version="v1.2.1", recipes_version="v2026.10.0")
    assert seed_variants(seed)[0].spack_version == "v1.2.1"
    assert seed_variants(seed, spack_version="1.2.0")[0].spack_version == "v1.2.0"
    assert seed_variants(a_seed())[0].spack_version == variant.SPACK_VERSION
    assert seed_variants(seed)[0].recipes_version == "v2026.10.0"
    assert seed_variants(a_seed())[0].recipes_version == variant.RECIPES_VERSION
    assert seed_variants(seed, os="Ubuntu 24.04")[0].os == "ubuntu2404"


def test_a_spack_that_cannot_build_is_refused_wherever_it_is_named():
    with pytest.raises(ExplainedError, match=r"builds need Spack 1\.2 or newer"):
        seed_variants(a_seed(), spack_version="releases/v0.23")


def test_only_the_target_of_the_cluster_enters_the_fingerprint():
    seed = a_seed()
    other = copy.deepcopy(seed)
    other["cluster"].update(name="other", region="eu-central-1")
    other["compute"]["queues"][0].update(name="q", max_count=99, instance_types=["m6a.48xlarge"])
    other["users"] = [{"name": "ada", "uid": 5001, "gid": 5001}]
    assert seed_variants(seed)[0].fingerprint == seed_variants(other)[0].fingerprint
    other["compute"]["queues"][0]["instance_types"] = ["c6i.large"]
    assert seed_variants(seed)[0].fingerprint != seed_variants(other)[0].fingerprint


def test_externals_and_their_image_are_passed_on():
    (only,) = seed_variants(a_seed(), externals={"slurm": "23-11-10-1"}, image_id="ami-0123456789abcdef0")
    assert (only.externals, only.image_id) == ({"slurm": "23-11-10-1"}, "ami-0123456789abcdef0")
    assert seed_variants(a_seed(), image_id="ami-0123456789abcdef0")[0].image_id is None


def test_the_seed_names_software_of_its_image():
    seed = a_seed(externals={"slurm": "24.05.8"})
    with pytest.raises(ExplainedError, match=r"the image is not named.*custom_ami.*build_host_image_id"):
        seed_variants(seed)
    seed["cluster"]["custom_ami"] = "ami-0123456789abcdef0"
    (only,) = seed_variants(seed)
    assert (only.externals, only.image_id) == ({"slurm": "24.05.8"}, "ami-0123456789abcdef0")


def test_one_image_cannot_serve_two_architectures():
    seed = a_seed(types=["c6a.xlarge", "c7g.xlarge"], externals={"slurm": "24.05.8"})
    with pytest.raises(ExplainedError, match="nodes of x86_64 and arm64"):
        seed_variants(seed, image_id="ami-0123456789abcdef0")


def test_an_unknown_instance_type_is_refused_with_near_ones():
    with pytest.raises(ExplainedError, match=r"no instance type 'c6a.huge'.*c6a\.large"):
        seed_variants(a_seed(types=["c6a.huge"]))


def test_a_missing_archspec_is_explained(monkeypatch):
    monkeypatch.setattr(variant, "archspec", None)
    with pytest.raises(ExplainedError, match=r"needs the Python library archspec.*requirements\.txt"):
        seed_variants(a_seed())
