# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.software_mount."""

from __future__ import annotations

DOCUMENTATION = r"""
name: software_mount
short_description: A software snapshot for machines that are no ParallelCluster
version_added: 0.1.0
description:
  - Writes what a launch template, a node group of AWS PCS or a single host needs to mount the software of a snapshot, read-only.
  - Asks AWS nothing.
positional: _input, consumer
options:
  _input:
    description: A snapshot, as C(snapshot) of M(petal.hpc.snapshot_registry_info), or a volume with C(volume_id).
    type: dict
    required: true
  consumer:
    description:
      - V(block_device) is one of the C(BlockDeviceMappings) of EC2.
      - V(launch_template) is the C(LaunchTemplateData) of an EC2 launch template, with a script that mounts the volume as C(UserData), not
        yet in base64.
      - V(pcs_launch_template) is the same for a node group of AWS PCS, which takes multipart user data only.
      - V(fstab) is the line of C(/etc/fstab) for a host that has the volume attached; needs C(volume_id).
    type: str
    choices: [block_device, launch_template, pcs_launch_template, fstab]
    required: true
  mount_path:
    description: Where it is mounted. Software is built for one path.
    type: str
    default: /shared
  options:
    description: Further C(volume_type) (V(gp3)), C(file_system) (V(ext4)), C(label) (V(petal-sw)) and C(kms_key_id).
    type: dict
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Find the software
  petal.hpc.snapshot_registry_info:
    fingerprint: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    region: us-east-1
  register: found

- name: Write the launch template of instances that have it
  ansible.builtin.copy:
    content: "{{ {'LaunchTemplateName': 'with-software', 'LaunchTemplateData': template | combine(user_data)} | to_nice_json }}"
    dest: launch-template.json  # aws ec2 create-launch-template --cli-input-json file://launch-template.json
    mode: "0644"
  vars:
    template: "{{ found.snapshot | petal.hpc.software_mount('launch_template') }}"
    user_data:
      UserData: "{{ template.UserData | b64encode }}"
"""

RETURN = r"""
_value:
  description: A dictionary, or for V(fstab) a line of text.
  type: raw
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.consumers import Software, render_for
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain


def software_mount(source, consumer, mount_path="/shared", options=None):
    source = plain(source)
    known = {name: source[name] for name in ("snapshot_id", "volume_id", "size_gib") if source.get(name)}
    try:
        return render_for(str(consumer), Software(**{**known, "mount_path": str(mount_path), **plain(options or {})}))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    except TypeError as error:
        raise AnsibleFilterError(f"software_mount: {error}") from error


class FilterModule:
    def filters(self):
        return {"software_mount": software_mount}
