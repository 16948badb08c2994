# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.host_key_arguments."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_key_arguments
short_description: Let ssh accept the key of a new instance once, and hold the instance to it
version_added: 0.1.0
description:
  - Returns arguments for C(ansible_ssh_common_args). The key of an instance is kept under its id, in a list of the run's own, and not in
    the user's C(~/.ssh/known_hosts). Another key of the same instance is refused.
  - A host that does not answer for two minutes is given up, in place of being waited for without end.
  - Set C(ansible_ssh_host_key_checking=true) beside it. Where it is false, ansible-core lets ssh accept every key.
  - The list lies in the run's own folder for temporary files. That lives as long as the run and can be written wherever Ansible runs.
positional: _input, given
options:
  _input:
    description: The id of the instance.
    type: str
    required: true
  given:
    description: Arguments that go before these; where both set an option, they win.
    type: str
    default: ""
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Let a host join the inventory
  ansible.builtin.add_host:
    name: builder
    ansible_host: 10.0.0.7
    ansible_ssh_host_key_checking: true
    ansible_ssh_common_args: "{{ 'i-0123456789abcdef0' | petal.hpc.host_key_arguments('-o ProxyJump=bastion.example.com') }}"
"""

RETURN = r"""
_value:
  description: The arguments.
  type: str
  sample: >-
    -o ProxyJump=bastion.example.com -o StrictHostKeyChecking=accept-new
    -o 'UserKnownHostsFile="/home/me/.ansible/tmp/ansible-local-1/petal-known-hosts"'
    -o HostKeyAlias=i-0123456789abcdef0 -o CheckHostIP=no -o ServerAliveInterval=15 -o ServerAliveCountMax=8
"""

from ansible import constants

from ..module_utils._core.build.ssh import host_key_arguments as arguments


def host_key_arguments(instance_id, given=""):
    # Not the lookup `config`: that makes a new folder each time it is asked.
    return arguments(instance_id, constants.DEFAULT_LOCAL_TMP, given)


class FilterModule:
    def filters(self):
        return {"host_key_arguments": host_key_arguments}
