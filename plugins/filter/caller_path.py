# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: caller_path
short_description: A path of the controller as the caller of Ansible means it
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Returns an absolute path. A relative one counts from the directory in which Ansible was started, and C(~) is expanded.
  - A module that runs on the controller would take it from the folder of the playbook, which may be that of an installed collection.
positional: _input
options:
  _input:
    description: The path. Links in it stay links.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Write a report where the caller wants it
  ansible.builtin.copy:
    content: "{{ report }}"
    dest: "{{ report_path | petal.hpc.caller_path }}"
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The absolute path.
  type: str
  sample: /home/ada/genomics/report.txt
"""

from ..plugin_utils.controller_files import from_caller


class FilterModule:
    def filters(self):
        return {"caller_path": from_caller}
