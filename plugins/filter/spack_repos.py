# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_repos
short_description: Where extra recipe repositories lie on the build host
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Turns the repositories that a user names into the paths that Spack reads on the build host.
positional: _input, paths
options:
  _input:
    description:
      - Repositories, each with C(name) and either C(path), a directory on the controller that holds C(repo.yaml) and is copied to the
        volume, or C(host_path), a directory that the host already has.
    type: list
    elements: dict
    required: true
  paths:
    description: The paths of the volume, as P(petal.hpc.spack_layout#filter) returns them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show where our own recipes will lie
  ansible.builtin.debug:
    msg: "{{ [{'name': 'site', 'path': '/srv/recipes/spack_repo/site'}] | petal.hpc.spack_repos('/shared' | petal.hpc.spack_layout) }}"
"""

RETURN = r"""
_value:
  description: Repositories with C(name) and C(path), in the same order.
  type: list
  elements: dict
  sample: [{"name": "site", "path": "/shared/.petal/repos/site/spack_repo/site"}]
"""

from ..module_utils._core.plain import plain
from ..module_utils._core.software.layout import repo_paths


def spack_repos(repos, paths):
    return repo_paths(plain(list(repos)), plain(paths))


class FilterModule:
    def filters(self):
        return {"spack_repos": spack_repos}
