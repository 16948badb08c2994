# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_configuration
short_description: Spack's configuration on the software volume
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns the files of Spack's configuration scope on the volume. They settle everything, so nothing is read from a home directory.
positional: _input, target, host_compiler
options:
  _input:
    description: The paths of the volume, as P(petal.hpc.spack_layout#filter) returns them.
    type: dict
    required: true
  target:
    description: The CPU that every package has to be built for, an archspec name.
    type: str
    required: true
  host_compiler:
    description: The host's GCC, with C(version) and the paths of its programs as C(c), C(cxx) and C(fortran).
    type: dict
    required: true
  compiler:
    description: The compiler that P(petal.hpc.spack_environment#filter) builds first.
    type: str
  repos:
    description: Extra recipe repositories, as P(petal.hpc.spack_repos#filter) returns them. They come before Spack's own.
    type: list
    elements: dict
    default: []
  repos_override:
    description: Whether the extra repositories take the place of Spack's own recipes.
    type: bool
    default: false
  mirrors:
    description: Mirrors of finished packages and sources, with C(name), C(url) and what else Spack's mirrors.yaml knows.
    type: list
    elements: dict
    default: []
  signatures_count:
    description: Whether any signing key is trusted. Without one, a mirror whose packages have to be signed is refused.
    type: bool
    default: false
  image_software:
    description: Software to take from the image of ParallelCluster rather than build, name to version.
    type: dict
    default: {}
  externals:
    description: Further entries of packages.yaml for software of the operating system, by package name.
    type: dict
    default: {}
  modules:
    description:
      - How modules are laid out, with C(tree), V(flat) or V(hierarchy), and C(defaults), by package name the version that is loaded where
        none is named. What is left out is flat, and the newest.
    type: dict
    default: {}
  environment_modules:
    description: The version of Environment Modules that the host has. Left out, one that can hide modules.
    type: str
    default: ""
  build_stage:
    description: A directory on a fast local disk of the build host.
    type: str
    default: /var/tmp/petal-stage
  bootstrap_from_network:
    description: Whether Spack may download its solver.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Write one of the files
  ansible.builtin.copy:
    content: "{{ (paths | petal.hpc.spack_configuration('x86_64_v3', compiler))['packages.yaml'] | to_nice_yaml }}"
    dest: "{{ paths.configuration }}/packages.yaml"
    mode: "0644"
  vars:
    paths: "{{ '/shared' | petal.hpc.spack_layout }}"
    compiler: {version: 11.5.0, c: /usr/bin/gcc, cxx: /usr/bin/g++, fortran: /usr/bin/gfortran}
"""

RETURN = r"""
_value:
  description: The content of each file, by its name.
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.software.configuration import configuration


def spack_configuration(paths, target, host_compiler, **options):
    try:
        return configuration(plain(paths), plain(target), plain(host_compiler), **{name: plain(value) for name, value in options.items()})
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"spack_configuration": spack_configuration}
