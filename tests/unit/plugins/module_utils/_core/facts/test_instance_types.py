# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import importlib.util

import archspec.cpu
import pytest

from plugins.module_utils._core.facts.instance_types import (
    InstanceType,
    cuda_architectures,
    find_instance_type,
    instance_type_names,
    nearest_instance_types,
)
from plugins.module_utils._core.facts.instance_types_data import FAMILIES
from scripts import update_instance_types


def test_a_type_is_found_with_all_that_a_cluster_depends_on():
    assert find_instance_type("p4d.24xlarge") == InstanceType(
        name="p4d.24xlarge",
        vcpus=96,
        cores=48,
        memory_mib=1152 * 1024,
        architecture="x86_64",
        microarchitecture="cascadelake",
        gpus=(("NVIDIA", "A100", 8),),
        accelerators=(),
        efa=True,
        network_cards=4,
        spot=True,
        on_demand=True,
        local_nvme=True,
        capacity_block=True,
    )


def test_gpus_of_nvidia_have_a_cuda_architecture_each():
    assert cuda_architectures(["p4d.24xlarge", "g5.xlarge", "g4dn.xlarge", "g5.2xlarge", "c5.xlarge", "g4ad.xlarge", "g99.large"]) == [
        "75",
        "80",
        "86",
    ]
    with_nvidia = [name for name in instance_type_names() if any(maker == "NVIDIA" for maker, *_ in find_instance_type(name).gpus)]
    assert [name for name in with_nvidia if not cuda_architectures([name])] == []


def test_trainium_counts_as_an_accelerator():
    assert find_instance_type("trn1.32xlarge").accelerators == (("AWS", "Trainium", 16),)


def test_hpc_types_are_not_sold_as_spot():
    hpc = find_instance_type("hpc6a.48xlarge")
    assert (hpc.spot, hpc.on_demand, hpc.efa, hpc.vcpus, hpc.cores) == (False, True, True, 96, 96)


@pytest.mark.parametrize(
    ("name", "microarchitecture"),
    [
        ("c5.xlarge", "skylake_avx512"),
        ("c6a.4xlarge", "zen3"),
        ("c7a.4xlarge", "zen4"),
        ("c6i.4xlarge", "icelake"),
        ("c6g.4xlarge", "neoverse_n1"),
        ("c7g.4xlarge", "neoverse_v1"),
        ("c8g.4xlarge", "neoverse_v2"),
    ],
)
def test_a_family_has_the_cpu_of_its_generation(name, microarchitecture):
    assert find_instance_type(name).microarchitecture == microarchitecture


def test_a_dropped_type_is_known_as_retired_and_never_suggested():
    assert find_instance_type("p3.8xlarge").retired
    assert not find_instance_type("p3dn.24xlarge").retired
    assert "p3.8xlarge" not in set(instance_type_names())


@pytest.mark.parametrize("name", ["c5", "c5.", ".xlarge", "c5.xlarge.xlarge", "C5.xlarge", "", None])
def test_what_is_no_type_is_not_found(name):
    assert find_instance_type(name) is None


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("c5.3xlarge", "c5.xlarge"),
        ("m5.xxlarge", "m5.xlarge"),
        ("p3.2xlarge", "p5.4xlarge"),
        ("c5xlarge", "c5.xlarge"),
        ("C5.XLARGE", "c5.xlarge"),
    ],
)
def test_a_misspelt_type_is_answered_with_near_ones(wrong, meant):
    assert meant in nearest_instance_types(wrong)


def test_every_microarchitecture_is_known_to_archspec_and_fits_its_architecture():
    generic = {"x86_64": "x86_64", "arm64": "aarch64"}
    for architecture, microarchitecture, _sizes in FAMILIES.values():
        assert archspec.cpu.TARGETS[microarchitecture].family.name == generic[architecture]


@pytest.mark.skipif(not importlib.util.find_spec("moto"), reason="moto holds the table of instance types")
def test_the_data_is_what_the_script_writes():
    families = update_instance_types.collect(update_instance_types.catalogue(), {}, FAMILIES)
    assert update_instance_types.render(families) == update_instance_types.TARGET.read_text(encoding="utf-8")


def test_the_script_keeps_a_dropped_type_and_flags_it():
    present = {"c5": ("x86_64", "skylake_avx512", {"large": (2, 1, 4096, 1, "so", (), ())})}
    assert update_instance_types.collect({}, {}, present) == {"c5": ("x86_64", {"large": (2, 1, 4096, 1, "sor", (), ())})}


def test_mac_types_are_left_out():
    assert not [name for name in instance_type_names() if name.startswith("mac")]
