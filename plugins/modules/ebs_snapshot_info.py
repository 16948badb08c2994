#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ebs_snapshot_info
version_added: 0.1.0
short_description: List EBS snapshots
description:
  - Lists snapshots, oldest first. Without options, all that this account owns in the region.
  - Options that are given must all match. A snapshot that does not exist is left out and is no error.
author: petal.hpc contributors (@petal-hpc)
options:
  snapshot_ids:
    description: Only these snapshots. Left out, all.
    type: list
    elements: str
    default: []
  fingerprint:
    description:
      - Only snapshots with this fingerprint, with or without C(sha256:), in C(petal:fingerprint) or the older C(pctl:fingerprint).
      - Left out, any or none.
    type: str
  volume_id:
    description: Only snapshots of this volume, which need not exist any more. Left out, of any volume.
    type: str
    aliases: [volume]
  name:
    description: Only snapshots with this C(Name) tag; C(*) stands for any text. Left out, any or none.
    type: str
  tags:
    description: Only snapshots that carry all these tags. Left out, any.
    type: dict
    default: {}
  filters:
    description:
      - Further filters of the EC2 action C(DescribeSnapshots), each with a value or a list of values.
      - Left out, none.
    type: dict
    default: {}
  managed_only:
    description: Whether to list only snapshots that this collection has made, those with the tag C(CreatedBy=petal.hpc).
    type: bool
    default: false
  owners:
    description:
      - Whose snapshots to list, as account ids or C(self).
      - Snapshots of others are seen only where they are shared or public, and never with their tags.
    type: list
    elements: str
    default: [self]
  shared:
    description:
      - V(by_me) lists own snapshots that other accounts may use, with RV(snapshots[].shared_with); one more request for each own snapshot.
      - V(with_me) lists snapshots of others that name this account; public ones are not among them, and their tags are never seen.
      - Left out, it does not matter.
    type: str
    choices: [by_me, with_me]
  details:
    description:
      - Whether to return with whom each own snapshot is shared, which takes one more request for each, its lock,
        and where it is restored fast.
    type: bool
    default: false
  changed_since:
    description:
      - An earlier snapshot of the same volume, or the one that this volume was made from. Returns RV(snapshots[].changed_gib) of each
        completed snapshot that is listed, one request for every 5 GiB of changes.
      - Needs the permission C(ebs:ListChangedBlocks) for both. Two that have no volume in common are an error.
    type: str
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Reads only.
  idempotent:
    support: full
    description: Reads only.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: petal.hpc.ebs_snapshot
  - module: petal.hpc.snapshot_registry_info
"""

EXAMPLES = r"""
- name: List the snapshots that this collection has made
  petal.hpc.ebs_snapshot_info:
    region: us-east-1
    managed_only: true

- name: Find the snapshots of a build
  petal.hpc.ebs_snapshot_info:
    region: us-east-1
    fingerprint: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b

- name: List the snapshots of this account that others may use
  petal.hpc.ebs_snapshot_info:
    region: us-east-1
    shared: by_me

- name: List the snapshots of others that this account may use
  petal.hpc.ebs_snapshot_info:
    region: us-east-1
    shared: with_me

- name: Show with whom the snapshots of a volume are shared
  petal.hpc.ebs_snapshot_info:
    region: us-east-1
    volume_id: vol-0123456789abcdef0
    details: true

- name: Say how much a snapshot stores beside the one that its volume was made from
  petal.hpc.ebs_snapshot_info:
    region: us-east-1
    snapshot_ids: [snap-0123456789abcdef0]
    changed_since: snap-0fedcba9876543210
"""

RETURN = r"""
snapshots:
  description: The snapshots that match, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    snapshot_id:
      description: The snapshot's id.
      type: str
      sample: snap-0123456789abcdef0
    name:
      description: The C(Name) tag.
      type: str
      sample: bioinformatics-alinux2023-x86_64-0f3a5c77d1e2
    state:
      description: C(pending), C(completed), C(error), C(recoverable) or C(recovering).
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
    full_size_gib:
      description:
        - All blocks that the snapshot restores, also those that earlier snapshots store, in GiB.
        - Null where EC2 does not say.
      type: float
      sample: 14.25
    changed_gib:
      description: The blocks that differ from those of O(changed_since), in GiB; of a snapshot that is not completed, null.
      returned: with O(changed_since)
      type: float
      sample: 0.75
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
      description: The fingerprint from its tags, always with C(sha256:).
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
      description: All tags; empty for a snapshot of another account.
      type: dict
      sample: {"CreatedBy": "petal.hpc"}
    lock:
      description: The lock that keeps it from being deleted, or null.
      returned: with O(details=true)
      type: dict
      sample: {state: governance, days: 30, expires: "2026-12-22T23:50:00+00:00"}
    fast_restore_zones:
      description: EC2's state of fast restore by zone.
      returned: with O(details=true)
      type: dict
      sample: {us-east-1a: enabled}
    shared_with:
      description: The accounts that may use it; C(all) stands for everybody. Null for a snapshot of another account.
      returned: with O(details=true) or O(shared=by_me)
      type: list
      elements: str
      sample: ["210987654321"]
"""

import dataclasses
import itertools

from ..module_utils._aws.fleet import at_once
from ..module_utils._aws.requests import filter_values
from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshots import SnapshotGateway, SnapshotQuery
from ..module_utils._core import tags as tag_keys
from ..module_utils._core.ebs.snapshot import canonical_fingerprint

ARGUMENT_SPEC = {
    "snapshot_ids": {"type": "list", "elements": "str", "default": []},
    "fingerprint": {},
    "volume_id": {"aliases": ["volume"]},
    "name": {},
    "tags": {"type": "dict", "default": {}},
    "filters": {"type": "dict", "default": {}},
    "managed_only": {"type": "bool", "default": False},
    "owners": {"type": "list", "elements": "str", "default": ["self"]},
    "shared": {"choices": ["by_me", "with_me"]},
    "details": {"type": "bool", "default": False},
    "changed_since": {},
}
# One request for each snapshot, most of it waiting; more would only run into EC2's request limit.
REQUESTS_AT_ONCE = 8
SNAPSHOTS_AT_ONCE = 1000


def run(params, gateway):
    """Return the snapshots that the options describe; `gateway` is a SnapshotGateway or its fake."""
    query = query_from(params)
    if params["fingerprint"]:
        found = gateway.find_by_fingerprint(canonical_fingerprint(params["fingerprint"]), query)
    else:
        found = gateway.list_snapshots(query)
    own_account = gateway.own_account() if params["shared"] or params["details"] else None
    if params["shared"] == "with_me":
        found = (snapshot for snapshot in found if snapshot.owner_id != own_account)
    # Some at a time, so that a short list of a huge account needs little memory.
    results = [result for some in portions(found) for result in described(some, params, gateway, own_account)]
    if params["details"] and results:
        add_features(results, gateway)
    if params["changed_since"]:
        add_changes(results, gateway, params["changed_since"])
    return {"changed": False, "snapshots": sorted(results, key=lambda result: (result["start_time"] or "", result["snapshot_id"]))}


def portions(snapshots):
    """Yield the snapshots in lists, none of them much longer than a page of EC2's."""
    snapshots = iter(snapshots)
    while some := list(itertools.islice(snapshots, SNAPSHOTS_AT_ONCE)):
        yield some


def described(snapshots, params, gateway, own_account):
    """Return the results of those snapshots that are shared as asked."""
    results = [snapshot.to_result() for snapshot in snapshots]
    if params["details"] or params["shared"] == "by_me":
        add_sharing(results, gateway, own_account)
    return [result for result in results if result["shared_with"]] if params["shared"] == "by_me" else results


def query_from(params):
    """Return the SnapshotQuery that the options describe."""
    shared_with_me = params["shared"] == "with_me"
    return SnapshotQuery(
        owners=tuple(owner for owner in params["owners"] if not (shared_with_me and owner == "self")),
        restorable_by=("self",) if shared_with_me else (),
        snapshot_ids=tuple(params["snapshot_ids"]),
        volume_id=params["volume_id"],
        name=params["name"],
        tags=tag_keys.texts(params["tags"]),
        filters=filter_values(params["filters"]),
        managed_only=params["managed_only"],
    )


def add_sharing(results, gateway, own_account):
    """Write into each result who may use the snapshot; only its owner may ask, so the others get None."""

    def shared_with(result):
        return gateway.shared_with(result["snapshot_id"]) if result["owner_id"] == own_account else None

    for result, accounts in zip(results, at_once(shared_with, results, REQUESTS_AT_ONCE), strict=True):
        result["shared_with"] = accounts


def add_features(results, gateway):
    """Write the lock and the zones of fast restore into each result: one request for each, whatever the number of snapshots."""
    locks, zones = gateway.features.locks_of(None), gateway.features.fast_restores(None)
    for result in results:
        lock = locks.get(result["snapshot_id"])
        result["lock"] = dataclasses.asdict(lock) if lock else None
        result["fast_restore_zones"] = zones.get(result["snapshot_id"], {})


def add_changes(results, gateway, since):
    """Write into each result how much it stores that the earlier snapshot does not."""

    def changed(result):
        if result["snapshot_id"] == since:
            return 0.0
        return gateway.changed_gib(result["snapshot_id"], since) if result["state"] == "completed" else None

    for result, gib in zip(results, at_once(changed, results, REQUESTS_AT_ONCE), strict=True):
        result["changed_gib"] = gib


def run_for(module):
    return run(module.params, SnapshotGateway(module.client("ec2"), sts=lambda: module.client("sts"), ebs=lambda: module.client("ebs")))


def main():
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
