# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_recipe_files
short_description: The files of a recipe repository on the controller, ready to be written elsewhere
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Reads a directory of Spack recipes on the controller and returns its files for M(petal.hpc.text_files).
positional: _input, destination
options:
  _input:
    description: A directory on the controller that holds C(repo.yaml).
    type: path
    required: true
  destination:
    description: The directory that the files are meant for.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Copy our own recipes
  petal.hpc.text_files:
    files: "{{ '/srv/recipes/spack_repo/site' | petal.hpc.spack_recipe_files('/shared/.petal/repos/site/spack_repo/site') }}"
"""

RETURN = r"""
_value:
  description: Files with C(path) and C(content), sorted by path.
  type: list
  elements: dict
"""

import os

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._git.repository_files import repository_files
from ..plugin_utils.controller_files import from_caller


def spack_recipe_files(directory, destination):
    try:
        found = repository_files(from_caller(directory))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    return [{"path": os.path.join(destination, name), "content": text} for name, text in found.items()]


class FilterModule:
    def filters(self):
        return {"spack_recipe_files": spack_recipe_files}
