# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: seed
short_description: Read a seed, check it as a whole, fill in its defaults
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Reads a seed, the YAML file that names software and the cluster it is for, on the controller.
  - Every problem of the file is reported at once, each with its path, its line, the wrong value and the right ones.
  - Nothing of AWS is asked, so a seed can be checked without credentials.
options:
  _terms:
    description:
      - Paths of seeds.
      - A relative path is looked for where Ansible looks for files (beside the playbook or role, and in C(files) there),
        then in the current directory. C(~) is expanded.
    required: true
    type: list
    elements: str
requirements:
  - jsonschema >= 4.20 on the controller
notes:
  - docs/seed.md in the collection describes every key. C(schemas/seed.schema.json) makes editors complete and check seeds.
seealso:
  - plugin: petal.hpc.seed_variants
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check a seed and show what it means with its defaults
  ansible.builtin.debug:
    var: lookup('petal.hpc.seed', 'bioinformatics.yaml')

- name: Compute what has to be built for it
  ansible.builtin.set_fact:
    variants: "{{ lookup('petal.hpc.seed', seed) | petal.hpc.seed_variants }}"
  vars:
    seed: ~/seeds/bioinformatics.yaml
"""

RETURN = r"""
_raw:
  description: One seed a path, with every key present and its default filled in.
  type: list
  elements: dict
  sample:
    - cluster: {name: minimal-cluster, region: us-east-1, os: alinux2023, custom_ami: null}
      compute:
        head_node: t3.medium
        head_node_root_volume_gib: null
        queues:
          - name: compute
            instance_types: [c5.xlarge]
            min_count: 0
            max_count: 10
            capacity_type: ONDEMAND
            allocation_strategy: null
            efa: null
            placement_group: null
            disable_smt: false
            custom_ami: null
        login_nodes: null
      software: {spack_packages: [], spack_version: null, recipes_version: null, compiler: null, target: null, smoke: {}}
      users: []
      groups: []
      data: {s3_mounts: []}
"""

import pathlib

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.positioned_yaml import MAX_BYTES
from ..module_utils._core.seed.read import read_seed
from ..plugin_utils.controller_files import seed_schema


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        schema = seed_schema()
        return [self._read(str(term), schema, variables or {}) for term in terms]

    def _read(self, term, schema, variables):
        path = self._find(term, variables)
        try:
            found = read_seed(_text(path), schema, source=str(path))
        except ExplainedError as error:
            raise AnsibleError(str(error)) from None
        for warning in found.warnings:
            Display().warning(f"{path}: {warning}")
        return found.seed

    def _find(self, term, variables):
        """Return the seed's path; a playbook of a collection has a folder of its own, hence the current directory too."""
        path = pathlib.Path(term).expanduser()
        beside_playbook = None if path.is_absolute() else self.find_file_in_search_path(variables, "files", str(path), ignore_missing=True)
        for candidate in (beside_playbook, path.absolute()):
            if candidate and pathlib.Path(candidate).is_file():
                return pathlib.Path(candidate)
        raise AnsibleError(f"There is no seed {term}, neither beside the playbook nor at {path.absolute()}. Give the path of a YAML file.")


def _text(path):
    try:
        with path.open("rb") as file:
            # One byte more than allowed, for the reader to see that it is too large.
            return file.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExplainedError(f"{path} cannot be read: {error}.", next_step="A seed is a YAML file in UTF-8.") from error
