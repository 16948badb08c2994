#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ebs_snapshot
version_added: 0.1.0
short_description: Take and delete snapshots of EBS volumes
description:
  - Takes a snapshot of a volume, with all its tags from its first moment, and waits until it is complete.
  - A second run finds the snapshot by its fingerprint or its name and takes no other one.
  - A snapshot in state C(error) does not count; it is reported as a warning and another snapshot is taken.
  - Deletes only snapshots that carry the tag C(CreatedBy=petal.hpc) and that no image needs.
author: petal.hpc contributors (@petal-hpc)
options:
  state:
    description:
      - C(present) takes the snapshot unless there is one already.
      - C(absent) deletes it; a snapshot that does not exist is a success.
    type: str
    choices: [present, absent]
    default: present
  snapshot_id:
    description:
      - An existing snapshot, to wait for, to tag or to delete.
      - Left out, the snapshot is told from others by O(fingerprint), else by O(name).
    type: str
  volume_id:
    description:
      - The volume to take a snapshot of.
      - May be left out when the snapshot exists already.
    type: str
    aliases: [volume]
  name:
    description:
      - The snapshot's C(Name) tag.
      - Without O(fingerprint) and O(snapshot_id) it also tells the snapshot from others, among those that this account owns.
      - Left out, the snapshot gets no C(Name).
    type: str
  description:
    description: Text that AWS shows beside the snapshot, at most 255 characters. Left out, it is empty. It cannot be changed later.
    type: str
  fingerprint:
    description:
      - The fingerprint of the build on the volume, C(sha256:) and 64 hexadecimal digits, as P(petal.hpc.seed_variants#filter) returns it.
      - An own snapshot that is pending or completed and carries it, in C(petal:fingerprint) or the older C(pctl:fingerprint), is used.
      - Left out, the snapshot carries no fingerprint and O(name) tells it from others.
    type: str
  tags:
    description:
      - Further tags. On a snapshot that exists already, those that are missing or differ are set; none is ever removed.
      - Left out, only the collection's own tags are set.
    type: dict
    default: {}
    aliases: [resource_tags]
  copy_volume_tags:
    description:
      - Take over the volume's tags that begin with C(petal:), except those that hold for the volume alone
        (lease, progress, stage, generation, protected, owner).
      - O(tags) win over them.
    type: bool
    default: false
  consistency:
    description:
      - What is known about the data, recorded as the tag C(petal:consistency).
      - C(clean) when the file system was unmounted or frozen; C(crash) when it was in use, so that the snapshot is as after a power cut.
      - Left out, it is C(clean) for a volume that is not attached, else C(crash) with a warning.
    type: str
    choices: [clean, crash]
  share_with:
    description:
      - Accounts that may use the snapshot from now on, as twelve digits in quotes. Accounts that may use it already keep that right.
      - A snapshot under the default key C(aws/ebs) cannot be shared; that is said before the snapshot is taken.
      - Left out, nobody is added.
    type: list
    elements: str
    default: []
  unshare_from:
    description:
      - Accounts that may use the snapshot no longer. Volumes and copies that they have made stay theirs.
      - Left out, nobody is removed.
    type: list
    elements: str
    default: []
  public:
    description:
      - V(true) lets everybody use the snapshot, and needs O(confirm_public); V(false) ends that. An encrypted snapshot cannot be public.
      - Left out, it stays as it is; a new snapshot is never public.
    type: bool
  confirm_public:
    description: Says that everybody on AWS may read what is on the snapshot.
    type: bool
    default: false
  copy_to:
    description:
      - Regions to copy the snapshot to, all at once.
      - A region that holds a copy already, or a snapshot with the same fingerprint, is left alone.
      - Copies get the snapshot's tags and description, and C(petal:copied-from). Who may use them is not copied; share each in its region.
      - A region that fails does not stop the others; the task fails at the end and returns what became of each.
      - Needs O(wait=true), as EC2 copies complete snapshots only. Left out, no copy is made.
    type: list
    elements: dict
    default: []
    suboptions:
      region:
        description: The region to copy to.
        type: str
        required: true
      kms_key_id:
        description:
          - The key of that region to encrypt the copy with.
          - Left out, the copy of an encrypted snapshot gets the region's default key, and that of another is not encrypted.
        type: str
  wait:
    description: Whether to wait until the snapshot is complete; a volume can be restored from it only then.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. The snapshot goes on in AWS when the time is over; run the task again to wait for it.
      - The first snapshot of a large volume may take more than an hour.
    type: int
    default: 3600
attributes:
  check_mode:
    support: full
    description: Reads from AWS, changes nothing, and returns what the run would do.
  diff_mode:
    support: full
    description: The snapshot before and after.
  idempotent:
    support: full
    description: By snapshot_id, else by fingerprint, else by name among the account's own snapshots.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: petal.hpc.ebs_snapshot_info
  - module: petal.hpc.ebs_volume
  - module: petal.hpc.snapshot_registry
"""

EXAMPLES = r"""
- name: Take a snapshot of a software volume that has been unmounted
  petal.hpc.ebs_snapshot:
    region: us-east-1
    volume_id: vol-0123456789abcdef0
    name: bioinformatics-alinux2023-x86_64-0f3a5c77d1e2
    fingerprint: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    description: Bioinformatics, built with Spack
    copy_volume_tags: true
    consistency: clean
  register: software

- name: Take a snapshot of a data volume once, and do not wait for it
  petal.hpc.ebs_snapshot:
    region: us-east-1
    volume_id: vol-0123456789abcdef0
    name: imagenet-2026-11
    tags:
      Project: vision
    wait: false

- name: Wait for a snapshot that another task has begun
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    wait_timeout: 7200

- name: Copy a snapshot to two regions
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    copy_to:
      - region: us-west-2
      - region: eu-west-1
        kms_key_id: alias/software
    wait_timeout: 7200

- name: Let two accounts use a snapshot, and another one no longer
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    share_with: ["111122223333", "444455556666"]
    unshare_from: ["777788889999"]

- name: Delete a snapshot
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    state: absent
"""

RETURN = r"""
snapshot:
  description:
    - The snapshot as AWS shows it after waiting; in check mode as it would be.
    - For O(state=absent) the snapshot that was deleted.
  returned: unless there was nothing to delete
  type: dict
  contains:
    snapshot_id:
      description: The snapshot's id; null in check mode for a snapshot that does not exist yet.
      type: str
      sample: snap-0123456789abcdef0
    name:
      description: The C(Name) tag.
      type: str
      sample: bioinformatics-alinux2023-x86_64-0f3a5c77d1e2
    state:
      description: C(pending), C(completed) or C(error).
      type: str
      sample: completed
    state_message:
      description: Why the snapshot failed, when it did.
      type: str
      sample: Given key ID is not accessible
    progress:
      description: How much of it is done, in percent.
      type: str
      sample: 100%
    volume_id:
      description: The volume it was taken of.
      type: str
      sample: vol-0123456789abcdef0
    volume_size_gib:
      description: The size of that volume in GiB; a restored volume is at least as large.
      type: int
      sample: 200
    encrypted:
      description: Whether the snapshot is encrypted.
      type: bool
      sample: true
    kms_key_id:
      description: The key it is encrypted with.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
    owner_id:
      description: The account that owns it.
      type: str
      sample: "123456789012"
    start_time:
      description: When it was begun, in UTC.
      type: str
      sample: "2026-11-22T23:50:00+00:00"
    description:
      description: The text given at creation.
      type: str
      sample: Bioinformatics, built with Spack
    fingerprint:
      description: The fingerprint from its tags.
      type: str
      sample: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    consistency:
      description: C(clean) or C(crash), from its tags.
      type: str
      sample: clean
    storage_tier:
      description: C(standard) or C(archive).
      type: str
      sample: standard
    tags:
      description: All tags.
      type: dict
      sample: {"CreatedBy": "petal.hpc"}
    shared_with:
      description: The accounts that may use it; C(all) stands for everybody.
      returned: when O(share_with), O(unshare_from) or O(public) is given
      type: list
      elements: str
      sample: ["111122223333"]
copies:
  description: What became of each copy, in the order of O(copy_to).
  returned: when O(copy_to) is given
  type: list
  elements: dict
  contains:
    region:
      description: The region of the copy.
      type: str
      sample: us-west-2
    changed:
      description: Whether a copy was made.
      type: bool
      sample: true
    failed:
      description: Whether it failed; then RV(copies[].msg) says why.
      type: bool
      sample: false
    msg:
      description: Why it failed.
      returned: on failure
      type: str
      sample: "snap-0123456789abcdef1 is not completed after 3600 s; last seen: pending, 60%."
    snapshot:
      description: The copy, with the fields of RV(snapshot).
      returned: on success
      type: dict
"""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.snapshots import SnapshotGateway
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plan import Plan
from ..module_utils._core.sharing import SharingRequest, check_accounts, plan_sharing
from ..module_utils._core.snapshot import (
    Snapshot,
    SnapshotRequest,
    canonical_fingerprint,
    keep_one,
    plan_absent,
    plan_copy,
    plan_snapshot,
)

ARGUMENT_SPEC = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "snapshot_id": {},
    "volume_id": {"aliases": ["volume"]},
    "name": {},
    "description": {},
    "fingerprint": {},
    "tags": {"type": "dict", "default": {}, "aliases": ["resource_tags"]},
    "copy_volume_tags": {"type": "bool", "default": False},
    "consistency": {"choices": ["clean", "crash"]},
    "share_with": {"type": "list", "elements": "str", "default": []},
    "unshare_from": {"type": "list", "elements": "str", "default": []},
    "public": {"type": "bool"},
    "confirm_public": {"type": "bool", "default": False},
    "copy_to": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"region": {"required": True}, "kms_key_id": {"no_log": False}},
    },
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
}


def run(params, gateway, check_mode, gateway_in=None):
    """Bring one snapshot to the requested state.

    gateway: a SnapshotGateway or its fake. gateway_in: returns the one for another region, needed for copies only.
    """
    request = request_from(params)
    if params["state"] == "absent":
        return remove(request, gateway, check_mode)
    found = gateway.find_alike(request)
    nothing_usable = not any(snapshot.usable for snapshot in found)
    volume = gateway.get_volume(request.volume_id) if request.volume_id and nothing_usable else None
    plan = plan_snapshot(request, found, volume)
    check_copies(params, gateway.region)
    # Decided before anything is made: what can never be shared must not be built first.
    sharing = decide_sharing(params, plan, gateway)
    snapshot, warnings = plan.after, [*plan.warnings, *sharing.warnings]
    if not check_mode:
        kept, doubles = settle(apply(plan, request, gateway), plan, request, gateway, params)
        apply_sharing(sharing, kept, gateway)
        snapshot, warnings = kept.to_result(), warnings + doubles
    result = {
        "changed": plan.changed or sharing.changed,
        "snapshot": {**snapshot, **(sharing.after or {})},
        "diff": {side: {**plan.diff()[side], **sharing.diff()[side]} for side in ("before", "after")},
        "warnings": warnings,
    }
    return with_copies(result, params, gateway.region, gateway_in, check_mode) if params["copy_to"] else result


def request_from(params):
    """Return the SnapshotRequest that the options describe."""
    request = SnapshotRequest(**{field.name: params[field.name] for field in dataclasses.fields(SnapshotRequest)})
    tags = {str(key): str(value) for key, value in request.tags.items()}
    fingerprint = canonical_fingerprint(request.fingerprint) if request.fingerprint else None
    return dataclasses.replace(request, tags=tags, fingerprint=fingerprint)


def decide_sharing(params, plan, gateway):
    """Return the Plan for who may use the snapshot; an empty one when nothing is said about it."""
    request = SharingRequest(
        tuple(params["share_with"]), tuple(params["unshare_from"]), public=params["public"], confirm_public=params["confirm_public"]
    )
    if not request.asks_for_something:
        return Plan()
    snapshot = Snapshot.from_result(plan.after)
    return plan_sharing(check_accounts(request), snapshot, gateway.sharing_facts(snapshot, request))


def apply_sharing(sharing, snapshot, gateway):
    """Change who may use the snapshot, as planned."""
    if sharing.changed:
        before, after = set(sharing.before["shared_with"]), set(sharing.after["shared_with"])
        gateway.change_sharing(snapshot.snapshot_id, gained=after - before, lost=before - after)


def apply(plan, request, gateway):
    """Carry out a plan; return the snapshot that was made or found."""
    if plan.actions == ("create",):
        after = plan.after
        return gateway.create_snapshot(after["volume_id"], after["description"], after["tags"], lambda: gateway.find_alike(request))
    snapshot_id = plan.after["snapshot_id"]
    if plan.actions == ("tag",):
        gateway.tag_snapshot(snapshot_id, request.tags)
    return gateway.get_snapshot(snapshot_id)


def settle(snapshot, plan, request, gateway, params):
    """Wait if asked to; return the snapshot that counts as it is then, and warnings about others like it."""

    def waited(one):
        return gateway.wait_until_completed(one.snapshot_id, params["wait_timeout"]) if params["wait"] else one

    snapshot = waited(snapshot)
    if plan.actions != ("create",):
        return snapshot, []
    # Another run may have made one in the same moment. Looked up last, so that all runs see all of them and agree on the oldest.
    kept, doubles = keep_one({one.snapshot_id: one for one in [snapshot, *gateway.find_alike(request)]}.values())
    return (snapshot if kept.snapshot_id == snapshot.snapshot_id else waited(kept)), doubles


def check_copies(params, region):
    """Refuse copies that cannot be made, before anything is."""
    if not params["copy_to"]:
        return
    if not params["wait"]:
        raise ExplainedError("EC2 copies complete snapshots only.", next_step="Say wait: true, or copy in a later task.")
    regions = [target["region"] for target in params["copy_to"]]
    if region in regions or len(regions) != len(set(regions)):
        raise ExplainedError(
            f"copy_to names {', '.join(regions)}; the snapshot is in {region}.", next_step="Name each other region once.", resource=region
        )


def with_copies(result, params, region, gateway_in, check_mode):
    """Return the result with what became of each copy; raises ExplainedError when one of them failed."""
    source = Snapshot.from_result(result["snapshot"])
    gateways = [gateway_in(target["region"]) for target in params["copy_to"]]

    def converge(target, there):
        try:
            return copy_one(source, region, target, there, params["wait_timeout"], check_mode)
        except ExplainedError as error:
            return {"region": target["region"], "changed": False, "failed": True, **error.to_result()}

    with ThreadPoolExecutor(len(gateways)) as pool:
        copies = list(pool.map(converge, params["copy_to"], gateways))
    result["warnings"] += [warning for copy in copies for warning in copy.pop("warnings", [])]
    result = {**result, "changed": result["changed"] or any(copy["changed"] for copy in copies), "copies": copies}
    failed = [copy for copy in copies if copy["failed"]]
    if failed:
        raise ExplainedError(
            f"{len(failed)} of {len(copies)} copies failed: " + " ".join(f"{copy['region']}: {copy['msg']}" for copy in failed),
            next_step="Run the task again when the cause is gone; copies that exist are not made again.",
            **result,
        )
    return result


def copy_one(source, source_region, target, there, time_limit, check_mode):
    """Bring one region to a complete copy of the source."""
    found = there.find_copies(source, source_region) if source.snapshot_id else []
    plan = plan_copy(source, source_region, target["kms_key_id"], found)
    copy = Snapshot.from_result(plan.after)
    if not check_mode:
        if plan.changed:
            copy = there.copy_snapshot(source_region, copy, lambda: there.find_copies(source, source_region))
        copy = there.wait_until_completed(copy.snapshot_id, time_limit)
    return {
        "region": target["region"],
        "changed": plan.changed,
        "failed": False,
        "snapshot": copy.to_result(),
        "warnings": list(plan.warnings),
    }


def remove(request, gateway, check_mode):
    """Delete the snapshot that the request names, if there is one."""
    found = gateway.find_alike(request)
    plan = plan_absent(request, found, {snapshot.snapshot_id: gateway.images_made_from(snapshot.snapshot_id) for snapshot in found})
    if plan.changed and not check_mode:
        gateway.delete_snapshot(plan.before["snapshot_id"])
    return {"changed": plan.changed, "snapshot": plan.before, "diff": plan.diff()}


def gateway_for(module, **connection):
    """Return the SnapshotGateway that the module's connection options describe; connection: what is to differ, such as region."""
    once = {**(module.params.get("aws_config") or {}), "retries": {"total_max_attempts": 1}}
    return SnapshotGateway(
        module.client("ec2", **connection),
        ec2_without_retries=lambda: module.client("ec2", **{**connection, "aws_config": once}),
        ec2_in=lambda region: module.client("ec2", region=region),
        kms=lambda: module.client("kms", **connection),
    )


def main():
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC, required_one_of=[("snapshot_id", "fingerprint", "name")], supports_check_mode=True
    )
    try:
        result = run(module.params, gateway_for(module), module.check_mode, lambda region: gateway_for(module, region=region))
    except ExplainedError as error:
        module.fail_json(**error.to_result())
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
