# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: seed_variants
short_description: The platforms a seed is built for, each with its fingerprint
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Computes, for a seed as P(petal.hpc.seed#lookup) returns it, one variant for each architecture among its instance types.
  - The CPU target is the best one that the head node, the login nodes and all queues can run and the compiler can produce.
  - The fingerprint names the build's content. docs/fingerprint.md in the collection defines it.
positional: _input
options:
  _input:
    description: A seed.
    type: dict
    required: true
  os:
    description: Operating system, in place of the seed's.
    type: str
  mount_path:
    description: Where the software volume is mounted. It is part of the build.
    type: str
    default: /shared
  spack_version:
    description: Tag, branch or commit of Spack, in place of the seed's. Without either, the version the collection is tested with.
    type: str
  recipes_version:
    description: Tag or commit of the package recipes, in place of the seed's. Without either, the release the collection is tested with.
    type: str
  externals:
    description: Packages taken from the image rather than built, name to version, in place of the seed's.
    type: dict
    default: {}
  image_id:
    description:
      - The image that the externals are taken from, in place of the seed's C(cluster.custom_ami). Without externals it does not count.
    type: str
  options:
    description:
      - The options of the role spack_bootstrap that decide what is built, as P(petal.hpc.build_options#lookup) returns them.
    type: dict
    default: {}
requirements:
  - archspec >= 0.2.6 on the controller
seealso:
  - plugin: petal.hpc.seed
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Show what would be built
  ansible.builtin.debug:
    msg: "{{ item.name }} for {{ item.target }}"
  loop: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml') | petal.hpc.seed_variants }}"

- name: Show what would be built for Ubuntu
  ansible.builtin.debug:
    var: lookup('petal.hpc.seed', 'bioinformatics.yaml') | petal.hpc.seed_variants(os='ubuntu2404')
"""

RETURN = r"""
_value:
  description: The variants, the head node's architecture first.
  type: list
  elements: dict
  contains:
    os:
      description: Operating system, as ParallelCluster names it.
      type: str
      sample: alinux2023
    arch:
      description: V(x86_64) or V(arm64).
      type: str
      sample: x86_64
    target:
      description: CPU that all code is compiled for, an archspec name.
      type: str
      sample: x86_64_v3
    specs:
      description: The packages in canonical form, sorted, each once.
      type: list
      elements: str
      sample: ["hdf5@1.14+mpi", "samtools@1.17"]
    spack_version:
      description: Tag, branch or commit of Spack.
      type: str
      sample: v1.2.2
    recipes_version:
      description: Tag or commit of the recipes.
      type: str
      sample: v2026.06.0
    compiler:
      description: Compiler as a canonical spec. None for the operating system's own.
      type: str
      sample: gcc@12.5.0
    mount_path:
      description: Where the software volume is mounted.
      type: str
      sample: /shared
    externals:
      description: Packages taken from the image, name to version.
      type: dict
      sample: {}
    image_id:
      description: The image that the externals are taken from. None without externals.
      type: str
      sample: ami-0123456789abcdef0
    modules:
      description: How modules are laid out, C(tree) and C(defaults).
      type: dict
      sample: {"tree": flat, "defaults": {}}
    options:
      description: The options of the role spack_bootstrap that decide what is built and are not as by default, in canonical form.
      type: dict
      sample: {}
    build_instance_type:
      description: The instance type to build on unless another is asked for. It can run the target.
      type: str
      sample: c6a.4xlarge
    fingerprint:
      description: The name of the build's content.
      type: str
      sample: sha256:f91302d3cc945425dc3ed4ceffdac00212a43919f4a0e743aa9bee403a189f55
    short:
      description: The fingerprint's first twelve hexadecimal digits.
      type: str
      sample: f91302d3cc94
    name:
      description: What volume, snapshot and registry entry are called.
      type: str
      sample: genomics-alinux2023-x86_64-f91302d3cc94
"""

import dataclasses

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.seed.variant import seed_variants as variants_of


def seed_variants(
    seed, *, os=None, mount_path="/shared", spack_version=None, recipes_version=None, externals=None, image_id=None, options=None
):
    if not isinstance(seed, dict) or "compute" not in seed:
        raise AnsibleFilterError("seed_variants wants a seed as lookup('petal.hpc.seed', path) returns it.")
    try:
        variants = variants_of(
            plain(seed),
            os=os,
            mount_path=mount_path,
            spack_version=spack_version,
            recipes_version=recipes_version,
            externals=externals,
            image_id=image_id,
            options=plain(options or {}),
        )
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from None
    return [dataclasses.asdict(variant) for variant in variants]


class FilterModule:
    def filters(self):
        return {"seed_variants": seed_variants}
