#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin petal.hpc.build_bundle."""

from __future__ import annotations

DOCUMENTATION = r"""
module: build_bundle
short_description: Send a build's playbook and all that it needs to the build host
description:
  - Packs this collection with those it depends on, the variables of this run, and the files they name, and unpacks them on the host,
    so that the host can go on with no controller.
  - Of the variables, those that P(petal.hpc.spack_bootstrap#role), P(petal.hpc.shared_volume#role), P(petal.hpc.shared_snapshot#role)
    and the playbook C(build_seed) know are taken, as the user has set them. Keys and addresses for reaching the host stay behind.
options:
  dest:
    description: The directory on the host. It is readable for its owner only.
    type: path
    required: true
  variables:
    description: Further variables; they win over those of this run. All are in C(variables.json).
    type: dict
    default: {}
  environment:
    description: What the file C(environment) says, in the form of systemd's C(EnvironmentFile).
    type: dict
    default: {}
  files:
    description: Further files of the controller, by their name in the directory.
    type: dict
    default: {}
attributes:
  action:
    support: full
    description: Packs on the controller.
  check_mode:
    support: none
    description: It has no check mode.
  diff_mode:
    support: none
    description: There is nothing to compare.
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Give the host what it needs
  petal.hpc.build_bundle:
    dest: /opt/petal
    variables:
      build_id: a1b2c3d4e5f6
    files:
      seed.yaml: /home/ada/seeds/genomics.yaml
"""

RETURN = r"""
dest:
  description: The directory on the host.
  returned: always
  type: str
  sample: /opt/petal
variables:
  description: The names of the variables that the host has.
  returned: always
  type: list
  elements: str
"""
