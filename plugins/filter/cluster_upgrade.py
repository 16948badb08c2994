# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter petal.hpc.cluster_upgrade."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_upgrade
short_description: A ParallelCluster configuration with new software
version_added: 0.1.0
description:
  - Adds a second software volume beside the first and lets new shells use it, or takes one away that is no longer used.
  - Makes only changes that ParallelCluster can carry out on a cluster that runs; whether it does now depends on the nodes that run.
positional: _input
options:
  _input:
    description: The configuration that the cluster runs with, parsed.
    type: dict
    required: true
  volume:
    description: >-
      The new software volume - C(mount_path), and C(snapshot_id) with C(snapshot_size_gib) or C(volume_id); further C(size_gib),
      C(volume_type), C(iops), C(throughput), C(encrypted), C(kms_key_id), C(deletion_policy).
    type: dict
  fingerprint:
    description: The fingerprint of the new software. Needed with O(volume).
    type: str
  remove:
    description: The mount path of a software volume to take away, instead of adding one.
    type: str
  strategy:
    description: What becomes of running jobs - V(DRAIN) lets them end, V(TERMINATE) ends them, V(COMPUTE_FLEET_STOP) wants no node to run.
    type: str
    choices: [DRAIN, TERMINATE, COMPUTE_FLEET_STOP]
    default: DRAIN
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Add a volume with new software to a configuration
  ansible.builtin.set_fact:
    new_config: "{{ lookup('ansible.builtin.file', 'genomics.cluster.yaml') | from_yaml | petal.hpc.cluster_upgrade(volume=volume,
      fingerprint='sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef') }}"
  vars:
    volume:
      mount_path: /sw/genomics-01234567
      snapshot_id: snap-0123456789abcdef0
      snapshot_size_gib: 200
"""

RETURN = r"""
_value:
  description: The new configuration.
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.cluster.storage import SoftwareVolume
from ..module_utils._core.cluster.upgrade import add_software, remove_software
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain


def cluster_upgrade(config, volume=None, fingerprint=None, remove=None, strategy="DRAIN"):
    if bool(volume and fingerprint) == bool(remove):
        raise AnsibleFilterError("cluster_upgrade takes either volume and fingerprint, or remove.")
    try:
        if remove:
            return remove_software(plain(config), str(remove), str(strategy))
        return add_software(plain(config), SoftwareVolume(**plain(volume)), str(fingerprint), str(strategy))
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"cluster_upgrade": cluster_upgrade}
