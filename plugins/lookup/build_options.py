# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: build_options
short_description: The variables of spack_bootstrap that decide what is built
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Reads the variables of the role P(petal.hpc.spack_bootstrap#role) that decide the content of a build, as they are set for the host of
    the task, in canonical form. Those that are as by default are left out.
  - They are part of the fingerprint; docs/fingerprint.md in the collection lists them.
  - A repository of recipes on the controller is named by a hash of its files.
options:
  mount_path:
    description: Where the software volume is mounted.
    type: str
    default: /shared
seealso:
  - plugin: petal.hpc.seed_variants
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Name what would be built
  ansible.builtin.debug:
    msg: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml') | petal.hpc.seed_variants(options=lookup('petal.hpc.build_options')) }}"
"""

RETURN = r"""
_raw:
  description: The options by their name without C(spack_bootstrap_); empty where all are as by default.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.software.fingerprint import DECIDING_OPTIONS, deciding_options
from ..module_utils._git.repository_files import content_hash
from ..plugin_utils.controller_files import from_caller

PREFIX = "spack_bootstrap_"


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        given = {name: variables[PREFIX + name] for name in DECIDING_OPTIONS if PREFIX + name in (variables or {})}
        options = plain(self._templar.template(given) if given else {})
        try:
            repos = [
                {**repo, "content": content_hash(from_caller(repo["path"]))} if repo.get("path") else repo
                for repo in options.get("extra_repos") or []
            ]
            return [deciding_options({**options, "extra_repos": repos}, self.get_option("mount_path"))]
        except ExplainedError as error:
            raise AnsibleError(str(error)) from error
