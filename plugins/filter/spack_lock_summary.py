# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: spack_lock_summary
short_description: What a spack.lock says was built
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns the fingerprint of a lock file, how many packages it holds, and the versions of those that were asked for.
options:
  _input:
    description: The content of C(spack.lock), parsed.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what was built
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'spack.lock') | from_json | petal.hpc.spack_lock_summary).roots }}"
"""

RETURN = r"""
_value:
  description: The keys C(fingerprint), C(package_count) (externals are not counted) and C(roots), a list of C(name) and C(version).
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.software.lock import lock_summary


def spack_lock_summary(lock):
    try:
        return lock_summary(plain(lock))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"spack_lock_summary": spack_lock_summary}
