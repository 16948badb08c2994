#!/usr/bin/env python3
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write plugins/module_utils/_core/facts/instance_types_data.py anew.

Sizes come from the instance type table inside moto (what DescribeInstanceTypes answers, collected by its maintainers), CPUs from
MICROARCHITECTURES below. A type that the present file knows and moto no longer lists is kept and flagged as retired.

    python scripts/update_instance_types.py [--retired FILE]

--retired FILE adds types that EC2 dropped: JSON, a name to one item of DescribeInstanceTypes.
Run it after taking a newer moto, review the diff, and run tests/unit/plugins/module_utils/_core/facts/test_instance_types.py.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import pathlib
import runpy

TARGET = pathlib.Path(__file__).parents[1] / "plugins/module_utils/_core/facts/instance_types_data.py"

# The oldest CPU that EC2 delivers for a family, under its archspec name; what runs there runs on all of the family.
# Source: the EC2 instance type pages, column "processor". Granite and Emerald Rapids have no archspec name of their own and run all
# that Sapphire Rapids runs; Graviton5 (Neoverse V3) runs all that neoverse_v2 runs and is unknown to the archspec inside Spack 1.2.
MICROARCHITECTURES = {
    "x86_64": "c1 m1 m2 t1",
    "sandybridge": "m3",
    "ivybridge": "c3 i2 r3",
    "haswell": "c4 d2 m4 t2 x1 x1e",
    "broadwell": "f1 g3 g3s h1 i3 p2 p3 r4",
    "skylake_avx512": "c5 c5d c5n i3en m5 m5d p3dn r5 r5d t3 u-12tb1 u-3tb1 u-6tb1 u-9tb1 z1d",
    "cascadelake": "d3 d3en dl1 dl2q g4dn inf1 m5dn m5n m5zn p4d p4de r5b r5dn r5n vt1 x2iezn",
    "icelake": "c6i c6id c6in hpc6id i4i m6i m6id m6idn m6in r6i r6id r6idn r6in trn1 trn1n x2idn x2iedn",
    "sapphirerapids": (
        "c7i c7i-flex c8i c8i-flex c8ib c8id c8in c8ine g7 g7e i7i i7ie m7i m7i-flex m8i m8i-flex m8ib m8id m8idb m8idn m8in m8ine "
        "p5en p6-b200 p6-b300 r7i r7iz r8i r8i-flex r8ib r8id r8idb r8idn r8in r8ine t8i trn2 trn2u "
        "u7i-12tb u7i-6tb u7i-8tb u7in-16tb u7in-24tb u7in-32tb x8i"
    ),
    "zen": "m5a m5ad r5a r5ad t3a",
    "zen2": "c5a c5ad g4ad g5",
    "zen3": "c6a f2 g6 g6e g6f gr6 gr6f hpc6a inf2 m6a p5 p5e r6a",
    "zen4": "c7a hpc7a m7a r7a",
    "zen5": "c8a hpc8a m8a m8azn r8a x8aedz",
    "cortex_a72": "a1",
    "neoverse_n1": "c6g c6gd c6gn g5g i4g im4gn is4gen m6g m6gd r6g r6gd t4g x2gd",
    "neoverse_v1": "c7g c7gd c7gn hpc7g m7g m7gd r7g r7gd",
    "neoverse_v2": ("c8g c8gb c8gd c8gn c9g c9gd i8g i8ge m8g m8gb m8gd m8gn m9g m9gd p6e-gb200 r8g r8gb r8gd r8gn r9g r9gd x8g"),
}
MICROARCHITECTURE_OF = {family: name for name, families in MICROARCHITECTURES.items() for family in families.split()}

HEADER = '''\
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 instance types, as data. Written by scripts/update_instance_types.py; do not edit.

family: (architecture, microarchitecture, {size: (vcpus, cores, memory_mib, network_cards, flags, gpus, accelerators)})
flags: e EFA, s spot, o on demand, b capacity block, n NVMe instance store, r retired.
gpus, accelerators: ((maker, model, count), ...)
"""

from __future__ import annotations

FAMILIES = {
'''


def catalogue() -> dict[str, dict]:
    """Return what DescribeInstanceTypes answers, by name, from the table inside moto."""
    # Without importing moto, which takes seconds.
    moto = pathlib.Path(importlib.util.find_spec("moto").submodule_search_locations[0])
    return json.loads(gzip.decompress((moto / "ec2" / "resources" / "instance_types.json.gz").read_bytes()))


def devices(items: list[dict], maker: str = "") -> tuple:
    return tuple((item.get("Manufacturer", maker), item["Name"], item["Count"]) for item in items)


def row(item: dict) -> tuple:
    """Return one instance type as the data file holds it."""
    sold = item["SupportedUsageClasses"]
    flags = {
        "e": item["NetworkInfo"]["EfaSupported"],
        "s": "spot" in sold,
        "o": "on-demand" in sold,
        "b": "capacity-block" in sold,
        "n": item.get("InstanceStorageInfo", {}).get("NvmeSupport", "unsupported") != "unsupported",
    }
    vcpus = item["VCpuInfo"]["DefaultVCpus"]
    inference = item.get("InferenceAcceleratorInfo", {}).get("Accelerators", [])
    neuron = item.get("NeuronInfo", {}).get("NeuronDevices", [])
    return (
        vcpus,
        item["VCpuInfo"].get("DefaultCores", vcpus),
        item["MemoryInfo"]["SizeInMiB"],
        item["NetworkInfo"]["MaximumNetworkCards"],
        "".join(flag for flag, holds in flags.items() if holds),
        devices(item.get("GpuInfo", {}).get("Gpus", [])),
        devices(inference) or devices(neuron, maker="AWS"),
    )


def architecture(item: dict) -> str | None:
    """Return "x86_64" or "arm64", None for what no cluster runs on (Mac)."""
    supported = item["ProcessorInfo"]["SupportedArchitectures"]
    return next((name for name in ("x86_64", "arm64") if name in supported), None)


def retired(kept: tuple) -> tuple:
    vcpus, cores, memory_mib, network_cards, flags, gpus, accelerators = kept
    return (vcpus, cores, memory_mib, network_cards, flags.replace("r", "") + "r", gpus, accelerators)


def collect(offered: dict[str, dict], dropped: dict[str, dict], present: dict[str, tuple]) -> dict[str, tuple[str, dict[str, tuple]]]:
    """Return family: (architecture, {size: row}); what is only in `dropped` or `present` is flagged as retired."""
    families: dict[str, tuple[str, dict[str, tuple]]] = {}

    def add(name: str, kind: str | None, values: tuple) -> None:
        family, _, size = name.partition(".")
        if kind:
            families.setdefault(family, (kind, {}))[1].setdefault(size, values)

    for name, item in offered.items():
        add(name, architecture(item), row(item))
    for name, item in dropped.items():
        add(name, architecture(item), retired(row(item)))
    for family, (kind, _microarchitecture, sizes) in present.items():
        for size, values in sizes.items():
            add(f"{family}.{size}", kind, retired(values))
    return families


def render(families: dict[str, tuple[str, dict[str, tuple]]]) -> str:
    lines = []
    for family, (kind, sizes) in sorted(families.items()):
        lines.append(f'    "{family}": (\n        "{kind}",\n        "{MICROARCHITECTURE_OF[family]}",\n        {{\n')
        lines += [f"            {quoted(size)}: {quoted(values)},\n" for size, values in sorted(sizes.items(), key=smallest_first)]
        lines.append("        },\n    ),\n")
    return HEADER + "".join(lines) + "}\n"


def smallest_first(item: tuple[str, tuple]) -> tuple:
    size, (vcpus, _cores, memory_mib, *_rest) = item
    return (vcpus, memory_mib, size)


def quoted(value: object) -> str:
    return repr(value).replace("'", '"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--retired", type=pathlib.Path, metavar="FILE", help="types that EC2 dropped")
    arguments = parser.parse_args()
    dropped = json.loads(arguments.retired.read_text()) if arguments.retired else {}
    present = runpy.run_path(str(TARGET))["FAMILIES"] if TARGET.exists() else {}
    families = collect(catalogue(), dropped, present)
    unknown = sorted(set(families) - set(MICROARCHITECTURE_OF))
    if unknown:
        raise SystemExit(f"No microarchitecture for {', '.join(unknown)}: add them to MICROARCHITECTURES in {__file__}.")
    TARGET.write_text(render(families))
    print(f"{TARGET.name}: {sum(len(sizes) for _, sizes in families.values())} types in {len(families)} families")


if __name__ == "__main__":
    main()
