#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List EBS volumes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_volume_info
short_description: List EBS volumes by id, name, owner, project, state, tag or filter
version_added: 0.1.0
description:
  - Returns the volumes of the region that meet every condition given; all of them when none is given.
  - Deleted volumes are left out. Nothing is changed.
options:
  volume_ids:
    description: Return these volumes. One that does not exist is left out.
    type: list
    elements: str
  name:
    description: Return volumes with exactly this tag C(Name).
    type: str
  owner:
    description: Return volumes of this owner (tag C(petal:owner)).
    type: str
  project:
    description: Return volumes of this project (tag C(petal:project)).
    type: str
  state:
    description: Return volumes in this state.
    type: str
    choices: [creating, available, in-use, error]
  availability_zone:
    description: Return volumes in this zone.
    type: str
    aliases: [zone]
  instance_id:
    description: Return volumes that are attached to this instance.
    type: str
    aliases: [instance]
  tags:
    description: Return volumes that carry all these tags with these values.
    type: dict
  filters:
    description:
      - Filters of EC2's DescribeVolumes, by name, each with a value or a list of values of which one must fit.
        V(true) and V("true") are the same.
      - See U(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html).
    type: dict
  managed_only:
    description: Whether to return only volumes that this collection made (tag C(CreatedBy=petal.hpc)).
    type: bool
    default: false
  details:
    description:
      - Whether to return everything that is known of each volume. Without it, only what a short list needs,
        half a kilobyte of memory for each volume.
    type: bool
    default: true
seealso:
  - module: petal.hpc.ebs_volume
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - petal.hpc.ebs.info
"""

EXAMPLES = r"""
- name: List what this collection made
  petal.hpc.ebs_volume_info:
    managed_only: true
  register: ours

- name: Find a volume by name
  petal.hpc.ebs_volume_info:
    name: test-volume

- name: Make sure that no other instance holds the volume before a container writes to it
  petal.hpc.ebs_volume_info:
    volume_ids: [vol-0123456789abcdef0]
  register: data
  failed_when: data.volumes[0].attachments | length > 1

- name: List unencrypted volumes that nobody uses
  petal.hpc.ebs_volume_info:
    state: available
    filters:
      encrypted: false
"""

RETURN = r"""
volumes:
  description: The volumes, sorted by name and id.
  returned: always
  type: list
  elements: dict
  contains:
    volume_id:
      description: Its id.
      type: str
      sample: vol-0123456789abcdef0
    name:
      description: Its tag C(Name), or null.
      type: str
      sample: scratch
    owner:
      description: Whose it is, from the tag C(petal:owner).
      type: str
      sample: ada
    project:
      description: Its project, from the tag C(petal:project).
      type: str
      sample: genomics
    state:
      description: EC2's state of the volume.
      type: str
      sample: in-use
    size_gib:
      description: Size in GiB.
      type: int
      sample: 100
    volume_type:
      description: Type.
      type: str
      sample: gp3
    availability_zone:
      description: Zone.
      type: str
      sample: us-east-1a
    attachments:
      description: The instances that hold it.
      type: list
      elements: dict
      sample: [{instance_id: i-0123456789abcdef0, device: /dev/sdf, state: attached, delete_on_termination: false}]
    iops:
      description: IOPS; null for types that have none.
      type: int
      returned: with O(details)
      sample: 3000
    throughput:
      description: MiB/s, for gp3.
      type: int
      returned: with O(details)
      sample: 125
    encrypted:
      description: Whether it is encrypted.
      type: bool
      returned: with O(details)
      sample: true
    kms_key_id:
      description: ARN of its KMS key.
      type: str
      returned: with O(details)
      sample: arn:aws:kms:us-east-1:123456789012:key/0123abcd-0123-0123-0123-0123456789ab
    snapshot_id:
      description: The snapshot it was made from, or null.
      type: str
      returned: with O(details)
      sample: snap-0123456789abcdef0
    create_time:
      description: When it was created, ISO 8601 in UTC.
      type: str
      returned: with O(details)
      sample: "2026-11-22T12:00:00+00:00"
    multi_attach:
      description: Whether several instances may attach it.
      type: bool
      returned: with O(details)
      sample: false
    initialization_rate:
      description: MiB/s at which its snapshot is loaded, or null.
      type: int
      returned: with O(details)
      sample: 200
    protected:
      description: Whether it is protected from deletion, from the tag C(petal:protected).
      type: bool
      returned: with O(details)
      sample: false
    tags:
      description: All tags.
      type: dict
      returned: with O(details)
      sample: {Name: scratch, CreatedBy: petal.hpc}
    device_path:
      description: The path of the volume on a Nitro instance.
      type: str
      returned: with O(details)
      sample: /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
    exclusive:
      description: Whether at most one instance holds it.
      type: bool
      returned: with O(details)
      sample: true
    monthly_cost_usd:
      description: USD a month, at the dated prices of us-east-1 that P(petal.hpc.monthly_cost#filter) explains and takes others for.
      type: float
      returned: with O(details)
      sample: 8.0
"""

from typing import Any

from ..module_utils._aws.requests import CLIENT_CONFIG
from ..module_utils._aws.run import AnsibleAWSModule, run_module
from ..module_utils._aws.volumes import VolumeGateway
from ..module_utils._core.cost.resource_cost import resource_cost
from ..module_utils._core.ebs.volume import VolumeQuery
from ..module_utils._core.facts.prices import prices_with

SHORT = ("volume_id", "name", "owner", "project", "state", "size_gib", "volume_type", "availability_zone", "attachments")
ARGUMENT_SPEC = {
    "volume_ids": {"type": "list", "elements": "str"},
    "name": {"type": "str"},
    "owner": {"type": "str"},
    "project": {"type": "str"},
    "state": {"type": "str", "choices": ["creating", "available", "in-use", "error"]},
    "availability_zone": {"type": "str", "aliases": ["zone"]},
    "instance_id": {"type": "str", "aliases": ["instance"]},
    "tags": {"type": "dict"},
    "filters": {"type": "dict"},
    "managed_only": {"type": "bool", "default": False},
    "details": {"type": "bool", "default": True},
}


def run(params: dict[str, Any], gateway: VolumeGateway) -> dict[str, Any]:
    """List the volumes that meet the conditions; `gateway` is a VolumeGateway or its fake."""
    query = VolumeQuery(**{name: params[name] for name in ARGUMENT_SPEC if name != "details"})
    # One volume at a time, so that a short list of a huge account needs little memory.
    volumes = [_described(volume.to_result(), params["details"]) for volume in gateway.list_volumes(query)]
    return {"volumes": sorted(volumes, key=lambda volume: (volume["name"] or "", volume["volume_id"]))}


def _described(result: dict[str, Any], details: bool) -> dict[str, Any]:
    if not details:
        return {name: result[name] for name in SHORT}
    cost = resource_cost(result, prices_with(None))
    return {**result, "exclusive": len(result["attachments"]) <= 1, "monthly_cost_usd": round(cost.usd, 2)}


def run_for(module: AnsibleAWSModule) -> dict[str, Any]:
    return {"changed": False, **run(module.params, VolumeGateway(module.client("ec2", config=CLIENT_CONFIG)))}


def main() -> None:
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
