# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.launch_refusal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: launch_refusal
short_description: Why there is no build host, and what to do
version_added: 0.1.0
description:
  - Reads the error code out of what M(amazon.aws.ec2_instance) says of a launch that EC2 refuses, and names the variable that would help.
positional: _input
options:
  _input:
    description: The result of the task that failed.
    type: dict
    required: true
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Say why there is no host
  ansible.builtin.fail:
    msg: "{{ ansible_failed_result | petal.hpc.launch_refusal }}"
"""

RETURN = r"""
_value:
  description: A few sentences.
  type: str
  sample: >-
    EC2 refuses the build host: there is no such key pair in this region (RunInstances answered InvalidKeyPair.NotFound: The key pair 'x'
    does not exist). Correct build_host_key_name, or import the key here.
"""

from ..module_utils._core.build.launch import launch_refusal


class FilterModule:
    def filters(self):
        return {"launch_refusal": launch_refusal}
