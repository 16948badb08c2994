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
  - A second run finds the snapshot by its fingerprint, or its name and generation, and takes no other one.
  - O(snapshots) takes a list and works on all of it at once in one process, with few requests and one wait for all.
  - A snapshot in state C(error) does not count; it is reported as a warning and another snapshot is taken.
  - Deletes only snapshots that carry the tag C(CreatedBy=petal.hpc) and that no image and no version of a launch template needs, nor a
    lock, fast restore, the tag C(petal:protected) or another account that may use it holds back.
author: petal.hpc contributors (@petal-hpc)
options:
  snapshots:
    description:
      - Snapshots to bring to their states, all at once. Each item takes the options of the module;
        what is given beside O(snapshots) is the default of every item.
      - A failure does not stop the others; the task fails at the end and returns what became of each. A snapshot may be named once.
    type: list
    elements: dict
    suboptions: &snapshot_options
      state:
        description:
          - C(present) takes the snapshot unless there is one already.
          - C(absent) deletes it; a snapshot that does not exist is a success.
          - V(present) when left out.
        type: str
        choices: [present, absent]
      snapshot_id:
        description:
          - An existing snapshot, to wait for, to tag or to delete.
          - Left out, the snapshot is told from others by O(fingerprint), else by O(name) and O(generation).
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
      generation:
        description:
          - Counts the snapshots of one O(name), kept in the tag C(petal:generation). Another number asks for another snapshot.
          - Left out, the snapshot of that name without a number is meant.
        type: int
      description:
        description: Text that AWS shows beside the snapshot, at most 255 characters. Left out, it is empty. It cannot be changed later.
        type: str
      fingerprint:
        description:
          - The fingerprint of the build on the volume, C(sha256:) and 64 hexadecimal digits,
            as P(petal.hpc.seed_variants#filter) returns it.
          - An own snapshot that is pending or completed and carries it, in C(petal:fingerprint) or the older C(pctl:fingerprint), is used.
          - Left out, the snapshot carries no fingerprint and O(name) tells it from others.
        type: str
      same_volume:
        description:
          - Whether an own snapshot with O(fingerprint) is used only if it was taken of O(volume_id). For a run that has proven what is on
            that volume - of another one, only tags say what it holds.
          - Left out, a snapshot of any volume is used.
        type: bool
      tags:
        description:
          - Further tags. On a snapshot that exists already, those that are missing or differ are set; none is ever removed.
          - Left out, only the collection's own tags are set.
        type: dict
        aliases: [resource_tags]
      copy_volume_tags:
        description:
          - Take over the volume's tags that begin with C(petal:), except those that hold for the volume alone
            (lease, progress, stage, generation, protected, owner).
          - O(tags) win over them. V(false) when left out.
        type: bool
      consistency:
        description:
          - What is known about the data, recorded as the tag C(petal:consistency).
          - C(clean) when the file system was unmounted or frozen; C(crash) when it was in use, as after a power cut.
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
      unshare_from:
        description:
          - Accounts that may use the snapshot no longer. Volumes and copies that they have made stay theirs.
          - Left out, nobody is removed.
        type: list
        elements: str
      public:
        description:
          - V(true) lets everybody use the snapshot, and needs O(confirm_public); V(false) ends that.
          - An encrypted snapshot cannot be public.
          - Left out, it stays as it is; a new snapshot is never public.
        type: bool
      confirm_public:
        description: Says that everybody on AWS may read what is on the snapshot. V(false) when left out.
        type: bool
      grant_key:
        description:
          - Whether the accounts of O(share_with) get a grant for the key of an encrypted snapshot as well, and those of O(unshare_from)
            lose it. There is one grant for each snapshot and account, so that other snapshots under the key are not touched.
          - V(false) when left out; then the key's owner allows its use in the key policy.
        type: bool
      lock:
        description:
          - A lock keeps everybody from deleting the snapshot before its end. Left out, nothing is locked or unlocked.
        type: dict
        suboptions:
          mode:
            description:
              - V(governance) can be taken back by those who may. V(compliance) can be taken back by nobody, and needs
                O(snapshots[].lock.confirm). V(none) unlocks.
            type: str
            choices: [none, governance, compliance]
            required: true
          days:
            description: How long, from the moment of locking; needed to lock. A second run with the same number changes nothing.
            type: int
          cool_off_hours:
            description: How long a compliance lock can still be taken back, at most 72. Not at all when left out.
            type: int
          confirm:
            description: Says that a lock that nobody can take back is meant. V(false) when left out.
            type: bool
      storage_tier:
        description:
          - V(archive) moves the snapshot to the archive, which costs a quarter, is paid for at least 90 days and takes the full size.
            An archived snapshot cannot be used, shared, copied or restored fast.
          - V(standard) restores it from there, which takes up to 72 hours and is not waited for.
          - Left out, it stays where it is.
        type: str
        choices: [standard, archive]
      temporary_restore_days:
        description:
          - With O(storage_tier=standard), for how many days an archived snapshot is restored. For good when left out.
        type: int
      fast_restore_zones:
        description:
          - All zones in which volumes of the snapshot are fast from their first second; an empty list turns that off.
          - It costs as long as it is on. RV(snapshot.fast_restore) says how much, and how many volumes profit from it.
          - EC2 needs an hour for each TiB until it holds; that is not waited for. Left out, it stays as it is.
        type: list
        elements: str
      copy_to:
        description:
          - Regions to copy the snapshot to, all at once.
          - A region that holds a copy already, or a snapshot with the same fingerprint, is left alone.
          - Copies get the snapshot's tags and description, and C(petal:copied-from).
          - A region that fails does not stop the others; the task fails at the end and returns what became of each.
          - Needs O(wait=true), as EC2 copies complete snapshots only. Left out, no copy is made.
        type: list
        elements: dict
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
          share:
            description:
              - Whether the accounts that may use the snapshot may use the copy, and its key if O(snapshots[].grant_key) is said.
              - Otherwise nobody may; EC2 copies no permission. A public snapshot's copy is never public.
            type: bool
            default: false
      force:
        description:
          - With O(state=absent), overrides exactly these refusals - the snapshot is the last copy behind an entry of O(registries),
            was not made by this collection (no tag C(CreatedBy=petal.hpc)), or other accounts may use it and it has no tag
            C(petal:retired).
          - It never overrides protection, an image, a launch template, a lock or fast restore. V(false) when left out.
        type: bool
  <<: *snapshot_options
  instance_id:
    description:
      - An instance whose volumes get snapshots at one point in time, all with the same O(name), by which a second run finds them.
      - Goes with O(name), O(generation), O(description), O(tags), O(copy_volume_tags) and O(consistency) only.
    type: str
    aliases: [instance]
  exclude_boot_volume:
    description: With O(instance_id), whether to leave out the volume that the instance boots from.
    type: bool
    default: false
  exclude_volume_ids:
    description: With O(instance_id), data volumes to leave out.
    type: list
    elements: str
    default: []
  registries:
    description:
      - Paths of snapshot registries, on the host where the task runs.
      - With O(state=absent), a snapshot that one of them recommends is refused if no other registered snapshot
        with its fingerprint exists, here or in another region. Left out, no registry protects anything.
    type: list
    elements: str
    default: []
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
    description: By snapshot_id, else by fingerprint, else by name and generation among the account's own snapshots.
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

- name: Let an account use an encrypted snapshot with its key, and a copy of both in another region
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    share_with: ["111122223333"]
    grant_key: true
    copy_to:
      - region: us-west-2
        kms_key_id: alias/software
        share: true

- name: Let two accounts use a snapshot, and another one no longer
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    share_with: ["111122223333", "444455556666"]
    unshare_from: ["777788889999"]

- name: Take another snapshot of the same name, beside the first one
  petal.hpc.ebs_snapshot:
    region: us-east-1
    volume_id: vol-0123456789abcdef0
    name: imagenet-2026-11
    generation: 2

- name: Take snapshots of an instance's data volumes, all at the same point in time
  petal.hpc.ebs_snapshot:
    region: us-east-1
    instance_id: i-0123456789abcdef0
    name: database-before-upgrade
    exclude_boot_volume: true
    consistency: crash

- name: Take snapshots of three volumes, all at once
  petal.hpc.ebs_snapshot:
    region: us-east-1
    tags:
      Project: vision
    snapshots:
      - {name: checkpoints-1, volume_id: vol-0123456789abcdef1}
      - {name: checkpoints-2, volume_id: vol-0123456789abcdef2}
      - {name: checkpoints-3, volume_id: vol-0123456789abcdef3, share_with: ["111122223333"]}

- name: Keep a snapshot from being deleted for 30 days
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    lock:
      mode: governance
      days: 30

- name: Move a snapshot to the archive
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    storage_tier: archive

- name: Make volumes of a snapshot fast from their first second in one zone
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    fast_restore_zones: [us-east-1a]

- name: Delete a snapshot, unless a registry entry would lose its last copy
  petal.hpc.ebs_snapshot:
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    state: absent
    registries: [/srv/petal-snapshots]
"""

RETURN = r"""
snapshot:
  description:
    - The snapshot as AWS shows it after waiting; in check mode as it would be.
    - For O(state=absent) the snapshot that was deleted.
  returned: without O(snapshots) and O(instance_id); null when there was nothing to delete
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
    key_granted_to:
      description: The accounts that have a grant for the key, for this snapshot.
      returned: when O(grant_key) is given and the snapshot is encrypted
      type: list
      elements: str
      sample: ["111122223333"]
    lock:
      description: The lock, or null.
      returned: when O(lock) is given
      type: dict
      sample: {state: governance, days: 30, expires: "2026-12-22T23:50:00+00:00"}
    tiering:
      description: The last move between tiers, such as C(archival-in-progress).
      returned: when O(storage_tier) is given
      type: str
      sample: archival-in-progress
    restored_until:
      description: When a temporary restore from the archive ends, or null.
      returned: when O(storage_tier) is given
      type: str
      sample: "2026-12-22T23:50:00+00:00"
    fast_restore:
      description: Where volumes are fast from their first second, and what that means.
      returned: when O(fast_restore_zones) is given
      type: dict
      contains:
        zones:
          description: EC2's state by zone, C(enabling), C(optimizing) or C(enabled).
          type: dict
          sample: {us-east-1a: enabling}
        credits:
          description: How many volumes can be made at once in one zone and be fast; others are made and are slow at first.
          type: int
          sample: 5
        credits_per_hour:
          description: How many more each hour, in one zone.
          type: float
          sample: 5.12
        optimizing_minutes:
          description: How long EC2 takes until it holds.
          type: int
          sample: 12
        usd_per_hour:
          description: What it costs for all zones together, at the price in us-east-1.
          type: float
          sample: 0.75
        usd_per_month:
          description: The same for a month of 730 hours.
          type: float
          sample: 547.5
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
snapshots:
  description: The snapshots of the instance's volumes, with the fields of RV(snapshot).
  returned: with O(instance_id)
  type: list
  elements: dict
results:
  description: One result for each item, in the order of O(snapshots).
  returned: with O(snapshots)
  type: list
  elements: dict
  contains:
    item:
      description: The snapshot's id, name or fingerprint as asked for.
      type: str
      sample: checkpoints-1
    changed:
      description: Whether this snapshot was or would be changed.
      type: bool
      sample: true
    failed:
      description: Whether this snapshot failed.
      type: bool
      sample: false
    msg:
      description: Why it failed.
      returned: on failure
      type: str
      sample: Volume vol-0123456789abcdef1 is in us-west-2, not in us-east-1.
    snapshot:
      description: As RV(snapshot).
      type: dict
    copies:
      description: As RV(copies).
      returned: when the item has copy_to
      type: list
      elements: dict
failed_items:
  description: The items that failed.
  returned: when one of O(snapshots) failed
  type: list
  elements: str
  sample: [checkpoints-1]
"""

import functools
import secrets

from ..module_utils._aws.fleet import options_of, summary, warnings_of
from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshot_changes import SnapshotChanges
from ..module_utils._aws.snapshot_copies import copy_all
from ..module_utils._aws.snapshot_groups import converge_group
from ..module_utils._aws.snapshot_items import item_from, plan_all, result_of
from ..module_utils._aws.snapshots import gateway_of
from ..module_utils._aws.uses import read_uses_of_one
from ..module_utils._core.ebs.snapshot_group import group_request_from
from ..module_utils._core.errors import ExplainedError
from ..module_utils._registry.registered_snapshots import read_registered

SNAPSHOT_OPTIONS = {
    "state": {"choices": ["present", "absent"]},
    "snapshot_id": {},
    "volume_id": {"aliases": ["volume"]},
    "name": {},
    "generation": {"type": "int"},
    "description": {},
    "fingerprint": {},
    "same_volume": {"type": "bool"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "copy_volume_tags": {"type": "bool"},
    "consistency": {"choices": ["clean", "crash"]},
    "share_with": {"type": "list", "elements": "str"},
    "unshare_from": {"type": "list", "elements": "str"},
    "public": {"type": "bool"},
    "confirm_public": {"type": "bool"},
    "grant_key": {"type": "bool", "no_log": False},
    "lock": {
        "type": "dict",
        "options": {
            "mode": {"choices": ["none", "governance", "compliance"], "required": True},
            "days": {"type": "int"},
            "cool_off_hours": {"type": "int"},
            "confirm": {"type": "bool"},
        },
    },
    "storage_tier": {"choices": ["standard", "archive"]},
    "temporary_restore_days": {"type": "int"},
    "fast_restore_zones": {"type": "list", "elements": "str"},
    "copy_to": {
        "type": "list",
        "elements": "dict",
        "options": {"region": {"required": True}, "kms_key_id": {"no_log": False}, "share": {"type": "bool", "default": False}},
    },
    "force": {"type": "bool"},
}
ARGUMENT_SPEC = {
    **SNAPSHOT_OPTIONS,
    "snapshots": {"type": "list", "elements": "dict", "options": SNAPSHOT_OPTIONS},
    "instance_id": {"aliases": ["instance"]},
    "exclude_boot_volume": {"type": "bool", "default": False},
    "exclude_volume_ids": {"type": "list", "elements": "str", "default": []},
    "registries": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
}


def run_group(params, gateway, check_mode, token):
    """Take snapshots of an instance's volumes at one point in time; token: random text that tells this group from every other."""
    request = group_request_from(params, SNAPSHOT_OPTIONS)
    return converge_group(request, gateway, token, params["wait_timeout"] if params["wait"] else None, check_mode)


def run(params, gateway, check_mode, gateway_in=None, registered=()):
    """Bring one snapshot, or each of params["snapshots"], to its state.

    gateway: a SnapshotGateway or its fake. gateway_in: returns the one for another region, needed for copies only.
    registered: what params["registries"] name, as pairs of registry and RegisteredSnapshot.
    Returns the module's result; "failed" is in it when one of the snapshots of a list failed.
    Raises ExplainedError when the only one failed, or nothing could be done.
    """
    items = [item_from(options) for options in options_of(params, SNAPSHOT_OPTIONS, "snapshots")]
    plan_all(items, gateway, params["wait"], lambda found: read_uses_of_one(found, gateway, gateway_in, registered))
    if not check_mode:
        SnapshotChanges(gateway, params["wait"], params["wait_timeout"]).carry_out(items)
    regions = {target["region"] for item in items if item.stays for target in item.options["copy_to"] or ()}
    copy_all(items, gateway, {region: gateway_in(region) for region in regions}, params["wait_timeout"], check_mode)
    results = [result_of(item, check_mode) for item in items]
    if params["snapshots"] is not None:
        return {"diff": [], **summary(items, results, "snapshot"), "warnings": warnings_of(items)}
    result, error = {**results[0], "warnings": warnings_of(items)}, items[0].error
    if error is not None:
        raise ExplainedError(error.what, resource=error.resource, next_step=error.next_step, **{**result, **error.details})
    return result


def run_for(module):
    gateway = gateway_of(module)
    if module.params["instance_id"]:
        return run_group(module.params, gateway, module.check_mode, secrets.token_hex(8))
    elsewhere = functools.cache(lambda region: gateway_of(module, region=region))
    return run(module.params, gateway, module.check_mode, elsewhere, read_registered(module.params["registries"]))


def main():
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
