#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring one EBS volume, or many at once, to the requested state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_volume
short_description: Create, attach, modify, detach and delete EBS volumes, one or many at once
version_added: 0.1.0
description:
  - Brings an EBS volume to the requested state. Options that are left out never change an existing volume.
  - A volume is known by O(volume_id), or by O(name) together with O(owner) and O(availability_zone); never by its name alone.
    Two runs at the same time that ask for the same volume make one volume.
  - What would endanger data is refused, with the next step - a second attachment, deleting what is attached, protected or not ours.
  - Entries of a snapshot registry point to snapshots, never to volumes; M(petal.hpc.ebs_snapshot) guards their last copies.
  - O(volumes) takes a list and works on all of it at once in one process. One failure does not stop the others.
options:
  volumes:
    description:
      - Volumes to bring to their states, all at once. Each item takes the options of the module;
        what is given beside O(volumes) is the default of every item.
      - A volume may be named once in the list, unless it is attached to several instances with O(volumes[].attach_mode=shared_readonly).
    type: list
    elements: dict
    suboptions: &volume_options
      state:
        description:
          - V(present) - the volume exists with the given properties. V(attached) - it is attached to O(instance_id) as well,
            created first if it is missing and O(size) or O(snapshot_id) is given.
          - V(detached) - it is attached to no instance (or, with O(instance_id), not to that one).
            V(absent) - it does not exist.
          - V(present) when left out.
        type: str
        choices: [present, attached, detached, absent]
      volume_id:
        description: The id of an existing volume. Either it or O(name) is needed.
        type: str
      name:
        description:
          - The volume's tag C(Name), set in the create call. With O(volume_id), the new name of that volume.
        type: str
      owner:
        description:
          - Whose volume it is, kept in the tag C(petal:owner). Volumes of different owners may have the same name.
          - When left out, only a volume without owner is meant, or with O(volume_id) that one, whosever it is.
          - A volume that O(volume_id) names and that has another owner is refused, in every state.
        type: str
      project:
        description: A project to which reports attribute the volume, kept in the tag C(petal:project).
        type: str
      availability_zone:
        description:
          - The zone of the volume. When left out, a new volume is created in the zone of O(instance_id),
            and an existing one is found by name in any zone of the region.
        type: str
        aliases: [zone]
      instance_id:
        description: The instance to attach to or to detach from. Needed for O(state=attached).
        type: str
        aliases: [instance]
      device:
        description:
          - The device name given to EC2, V(/dev/sdf) when left out; V(auto) takes the first free one of V(/dev/sdf) to V(/dev/sdp).
            A name that is in use is an error.
          - On the instance the volume appears under another name; use RV(volume.device_path).
        type: str
      size:
        description:
          - GiB, or a quantity such as V(500Gi) or V(1Ti). Needed to create a volume without O(snapshot_id).
          - A larger size than an existing volume's grows it. A smaller one is refused.
        type: str
      volume_type:
        description: The type. V(gp3) for a new volume when left out. Another type than an existing volume's changes it in place.
        type: str
        choices: [gp3, gp2, io2, io1, st1, sc1, standard]
      iops:
        description: Provisioned IOPS, for gp3 (3000 when left out), io1 and io2 (needed).
        type: int
      throughput:
        description: MiB/s, for gp3 only; 125 when left out.
        type: int
      encrypted:
        description: Whether the volume is encrypted. V(true) for a new volume when left out. It cannot be changed afterwards.
        type: bool
      kms_key_id:
        description:
          - Id, ARN or alias of the KMS key. EC2 takes the account's default key when it is left out.
          - A volume under the account's default key cannot be shared by snapshot.
        type: str
      snapshot_id:
        description: The snapshot from which a new volume is made. An existing volume made from another one is an error.
        type: str
      initialization_rate:
        description:
          - MiB/s, 100 to 300, at which EC2 loads the snapshot onto a new volume, for a charge.
            When left out, blocks are loaded when they are first read, which is slow.
        type: int
        aliases: [volume_initialization_rate]
      multi_attach:
        description:
          - Whether several instances may attach the volume (io1 and io2). V(false) for a new volume when left out.
        type: bool
      attach_mode:
        description:
          - V(exclusive) - refused while another instance holds the volume.
            V(shared_readonly) - for a volume with O(multi_attach); every instance must mount it read-only.
          - V(exclusive) when left out.
        type: str
        choices: [exclusive, shared_readonly]
      allow_concurrent_writes:
        description:
          - Whether a volume with O(multi_attach) may be attached where it can be written. V(false) when left out.
          - Two writers destroy ext4 and xfs; only a cluster file system survives them.
        type: bool
      delete_on_termination:
        description:
          - Whether EC2 deletes the volume with the instance. V(false) for a new attachment when left out. Verified after attaching.
        type: bool
      tags:
        description:
          - Tags to set; in the create call for a new volume. Tags that are left out stay as they are.
          - Numbers and booleans become text as Python writes them, V(4711) and V(True).
        type: dict
      purge_tags:
        description:
          - Whether tags that are not in O(tags) are removed. V(false) when left out.
          - C(Name), C(CreatedBy), and what begins with C(petal:), C(pctl:) or C(aws:) always stays.
        type: bool
      protected:
        description:
          - Whether the volume is protected from deletion by this module, kept in the tag C(petal:protected).
            O(force) does not override it.
        type: bool
      min_age:
        description: Minutes. O(state=absent) refuses a younger volume. 0 when left out.
        type: int
      final_snapshot:
        description:
          - With O(state=absent), whether to take a last snapshot, after detaching, and to wait for it before the volume is deleted.
            It carries the volume's own tags but no fingerprint, is named after it with C(-final),
            and is returned as RV(final_snapshot_id).
          - V(false) when left out. The snapshot may take longer than O(wait_timeout); the next run goes on waiting for it.
        type: bool
      force:
        description:
          - With O(state=absent), overrides exactly these refusals - the volume is attached (it is taken away from its instances first),
            was not made by this collection (no tag C(CreatedBy=petal.hpc)), or is younger than O(min_age).
          - With O(state=detached), EC2 takes the volume away although the instance has not released it. Data not yet written is lost.
          - V(false) when left out.
        type: bool
  <<: *volume_options
  wait:
    description: Whether to wait until the volume is available, attached, modified, detached or gone.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for each of these before the task fails. What was begun goes on in AWS.
    type: int
    default: 300
seealso:
  - module: petal.hpc.ebs_volume_info
  - module: petal.hpc.ebs_snapshot
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - petal.hpc.ebs
"""

EXAMPLES = r"""
- name: Have a 100 GiB volume
  petal.hpc.ebs_volume:
    name: scratch
    size: 100
    availability_zone: us-east-1a

- name: Restore a snapshot onto a larger volume, and attach it
  petal.hpc.ebs_volume:
    state: attached
    name: "software-{{ inventory_hostname }}"
    snapshot_id: snap-0123456789abcdef0
    size: 200Gi
    instance_id: i-0123456789abcdef0
    device: auto
  register: software

- name: Show how to mount it
  ansible.builtin.debug:
    var: software.next_steps

- name: Grow and speed up a volume that is in use
  petal.hpc.ebs_volume:
    name: scratch
    availability_zone: us-east-1a
    size: 1Ti
    iops: 6000
    throughput: 500

- name: Detach what was unmounted
  petal.hpc.ebs_volume:
    state: detached
    volume_id: vol-0123456789abcdef0

- name: Delete a volume with all its data, attached or not
  petal.hpc.ebs_volume:
    state: absent
    name: scratch
    availability_zone: us-east-1a
    force: true

- name: Delete a volume and keep a last snapshot of it
  petal.hpc.ebs_volume:
    state: absent
    volume_id: vol-0123456789abcdef0
    final_snapshot: true
    wait_timeout: 3600

- name: Give each of three instances its own volume, all at once
  petal.hpc.ebs_volume:
    state: attached
    size: 50
    tags:
      Purpose: checkpoints
    volumes:
      - {name: checkpoint-1, instance_id: i-0123456789abcdef1}
      - {name: checkpoint-2, instance_id: i-0123456789abcdef2}
      - {name: checkpoint-3, instance_id: i-0123456789abcdef3, size: 200}

- name: Share a data set with several instances that mount it read-only
  petal.hpc.ebs_volume:
    state: attached
    volume_id: vol-0123456789abcdef0
    instance_id: i-0123456789abcdef0
    attach_mode: shared_readonly
"""

RETURN = r"""
volume:
  description: The volume as it is after the task, or would be; null when it does not exist. With O(volumes), part of each result.
  returned: without O(volumes)
  type: dict
  contains:
    volume_id:
      description: Its id; null in check mode if it would be created.
      type: str
      sample: vol-0123456789abcdef0
    name:
      description: Its tag C(Name).
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
    iops:
      description: IOPS; null for types that have none.
      type: int
      sample: 3000
    throughput:
      description: MiB/s, for gp3.
      type: int
      sample: 125
    availability_zone:
      description: Zone.
      type: str
      sample: us-east-1a
    encrypted:
      description: Whether it is encrypted.
      type: bool
      sample: true
    kms_key_id:
      description: ARN of its KMS key.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/0123abcd-0123-0123-0123-0123456789ab
    snapshot_id:
      description: The snapshot it was made from, or null.
      type: str
      sample: snap-0123456789abcdef0
    create_time:
      description: When it was created, ISO 8601 in UTC.
      type: str
      sample: "2026-11-22T12:00:00+00:00"
    multi_attach:
      description: Whether several instances may attach it.
      type: bool
      sample: false
    initialization_rate:
      description: MiB/s at which its snapshot is loaded, or null.
      type: int
      sample: 200
    protected:
      description: Whether it is protected from deletion, from the tag C(petal:protected).
      type: bool
      sample: false
    attachments:
      description: The instances that hold it.
      type: list
      elements: dict
      sample: [{instance_id: i-0123456789abcdef0, device: /dev/sdf, state: attached, delete_on_termination: false}]
    tags:
      description: All tags.
      type: dict
      sample: {Name: scratch, CreatedBy: petal.hpc}
    device_path:
      description: The path of the volume on a Nitro instance, which stays the same over reboots.
      type: str
      sample: /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
final_snapshot_id:
  description: The last snapshot of the deleted volume.
  returned: with O(final_snapshot), when a volume was deleted
  type: str
  sample: snap-0123456789abcdef0
exclusive:
  description: Whether one instance holds the volume and no other can.
  returned: with O(state=attached), without O(volumes)
  type: bool
  sample: true
next_steps:
  description: Commands and reminders for the instance.
  returned: with O(state=attached), without O(volumes)
  type: list
  elements: str
  sample: ["sudo mount /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0 /mnt/data"]
results:
  description: One result for each item, in the order of O(volumes).
  returned: with O(volumes)
  type: list
  elements: dict
  contains:
    item:
      description: The volume's id or name as asked for.
      type: str
      sample: scratch
    changed:
      description: Whether this volume was or would be changed.
      type: bool
      sample: true
    failed:
      description: Whether this volume failed.
      type: bool
      sample: false
    msg:
      description: Why it failed. Further keys, such as RV(attached_to), are those of a single volume's failure.
      type: str
      sample: Volume scratch does not exist, and no zone is given to create it in.
    volume:
      description: As RV(volume).
      type: dict
failed_items:
  description: The items that failed.
  returned: when one of O(volumes) failed
  type: list
  elements: str
  sample: [scratch]
attached_to:
  description: The instance that holds the volume, or V(unknown).
  returned: when a volume is refused because it is attached
  type: str
  sample: i-0123456789abcdef0
reason:
  description: Why a second attachment is refused.
  returned: when a volume is refused because it is attached to another instance
  type: str
  sample: One file system written by two instances is destroyed, so a volume is attached to one instance at a time.
resolution:
  description: What can be done about it.
  returned: when a volume is refused because it is attached to another instance
  type: list
  elements: str
  sample: [Use a different volume for i-0123456789abcdef0.]
doc:
  description: The page that explains it.
  returned: when a volume is refused because it is attached to another instance
  type: str
  sample: https://github.com/petal-hpc/petal.hpc/blob/main/docs/volume_safety.md
"""

import gc

# Loading botocore and its model of EC2 makes a few hundred thousand objects that all stay: looking for garbage among them finds none.
gc.set_threshold(1_000_000)

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..module_utils._aws.fleet import failure_of, options_of, summary, warnings_of
from ..module_utils._aws.requests import CLIENT_CONFIG
from ..module_utils._aws.run import AnsibleAWSModule, run_module
from ..module_utils._aws.volume_changes import Changes
from ..module_utils._aws.volume_items import item_from, plan_all, result_of
from ..module_utils._aws.volumes import VolumeGateway
from ..module_utils._core.facts.volume_limits import LIMITS

if TYPE_CHECKING:
    from ..module_utils._aws.snapshot_making import SnapshotMaker

VOLUME_OPTIONS = {
    "state": {"type": "str", "choices": ["present", "attached", "detached", "absent"]},
    "volume_id": {"type": "str"},
    "name": {"type": "str"},
    "owner": {"type": "str"},
    "project": {"type": "str"},
    "availability_zone": {"type": "str", "aliases": ["zone"]},
    "instance_id": {"type": "str", "aliases": ["instance"]},
    "device": {"type": "str"},
    "size": {"type": "str"},
    "volume_type": {"type": "str", "choices": list(LIMITS)},
    "iops": {"type": "int"},
    "throughput": {"type": "int"},
    "encrypted": {"type": "bool"},
    "kms_key_id": {"type": "str"},
    "snapshot_id": {"type": "str"},
    "initialization_rate": {"type": "int", "aliases": ["volume_initialization_rate"]},
    "multi_attach": {"type": "bool"},
    "attach_mode": {"type": "str", "choices": ["exclusive", "shared_readonly"]},
    "allow_concurrent_writes": {"type": "bool"},
    "delete_on_termination": {"type": "bool"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool"},
    "protected": {"type": "bool"},
    "min_age": {"type": "int"},
    "final_snapshot": {"type": "bool"},
    "force": {"type": "bool"},
}
ARGUMENT_SPEC = {
    **VOLUME_OPTIONS,
    "volumes": {"type": "list", "elements": "dict", "options": VOLUME_OPTIONS},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def run(
    params: dict[str, Any],
    gateway: VolumeGateway,
    check_mode: bool,
    now: datetime.datetime,
    snapshots: Callable[[], SnapshotMaker] | None = None,
    with_diff: bool = True,
) -> dict[str, Any]:
    """Bring one volume, or each of params["volumes"], to its state; the gateways may be fakes.

    snapshots: makes the gateway that final_snapshot needs. with_diff: tell what each volume was and is.
    Returns the module's result; "failed" is in it when one of the volumes failed. Raises ExplainedError when nothing can be done.
    """
    items = [item_from(options) for options in options_of(params, VOLUME_OPTIONS, "volumes")]
    plan_all(items, gateway, now)
    if not check_mode:
        Changes(gateway, snapshots, params["wait"], params["wait_timeout"]).carry_out([item for item in items if item.error is None])
    results = [result_of(item, check_mode, with_diff) for item in items]
    whole = {**results[0], **failure_of(items[0])} if params["volumes"] is None else summary(items, results, "volume")
    return {**whole, "warnings": warnings_of(items)}


def run_for(module: AnsibleAWSModule) -> dict[str, Any]:
    ec2 = module.client("ec2", config=CLIENT_CONFIG)

    def snapshots() -> SnapshotMaker:
        from ..module_utils._aws.snapshot_making import SnapshotMaker, sending_once

        return SnapshotMaker(ec2, ec2_without_retries=sending_once(module))

    # A diff holds every volume twice; for long lists it is most of what travels to the controller.
    with_diff = module.check_mode or module._diff
    now = datetime.datetime.now(datetime.UTC)
    return run(module.params, VolumeGateway(ec2), module.check_mode, now, snapshots, with_diff)


def main() -> None:
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
