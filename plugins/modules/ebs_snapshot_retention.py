#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ebs_snapshot_retention
version_added: 0.1.0
short_description: Delete EBS snapshots that are no longer needed
description:
  - Keeps some snapshots of each volume by rules, keeps whatever something refers to, and deletes the others.
  - Looks only at snapshots that carry the tag C(CreatedBy=petal.hpc) and are meant by O(name), O(tags) and O(volume_id).
  - What always stays - the snapshot of an image, enabled or disabled, or of any version of a launch template; one that is locked, enabled
    for fast restore, not complete, protected by the tag C(petal:protected), or the source of a volume in creation; one that others may
    use, unless its tag C(petal:retired) gives a date that has come; one that O(registries) name, by id or by fingerprint; and the newest
    complete one of each group.
  - Each snapshot is looked at again right before it is deleted, and stays when something refers to it by then.
  - A snapshot in state C(error) holds nothing and is deleted.
  - Each snapshot is returned with the reasons why it stays or goes. Run it in check mode first.
options:
  name:
    description: Only snapshots with this C(Name) tag; C(*) stands for any text. One of O(name), O(tags) and O(volume_id) is needed.
    type: str
  tags:
    description: Only snapshots that carry all these tags.
    type: dict
  volume_id:
    description: Only snapshots of this volume, which need not exist any more.
    type: str
    aliases: [volume]
  group_by:
    description:
      - Which snapshots are versions of one another; the rules hold for each group on its own.
      - V(nothing) takes all of them for one group.
    type: str
    choices: [volume, name, nothing]
    default: volume
  keep_last:
    description: How many of the newest snapshots stay, whatever their age. The newest one stays without it too.
    type: int
  keep_daily:
    description: From how many days, among those with snapshots, the newest one stays. Days are those of UTC.
    type: int
  keep_weekly:
    description: From how many weeks, Monday to Sunday, the newest one stays.
    type: int
  keep_monthly:
    description: From how many months the newest one stays.
    type: int
  max_age:
    description:
      - Days. Older snapshots stay only by O(keep_last), or because something refers to them.
      - Without O(keep_daily), O(keep_weekly) and O(keep_monthly), all younger ones stay.
    type: int
  registries:
    description:
      - Paths of snapshot registries, on the host where the task runs. What they name stays.
      - A registry that is empty, cannot be read completely, or whose index and entry files disagree is an error. Left out, no registry
        protects anything.
    type: list
    elements: str
    default: []
seealso:
  - module: petal.hpc.ebs_snapshot
  - module: petal.hpc.ebs_snapshot_info
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - petal.hpc.ebs
"""

EXAMPLES = r"""
- name: Show what would be deleted
  petal.hpc.ebs_snapshot_retention:
    region: us-east-1
    tags:
      Purpose: checkpoints
    keep_daily: 7
    keep_weekly: 4
    keep_monthly: 6
    registries: [/srv/petal-snapshots]
  check_mode: true
  register: retention

- name: Say why
  ansible.builtin.debug:
    msg: "{{ item.snapshot_id }} {{ item.reasons | join(', ') }}"
  loop: "{{ retention.deleted }}"

- name: Keep three snapshots of a volume, and those of the last month
  petal.hpc.ebs_snapshot_retention:
    region: us-east-1
    volume_id: vol-0123456789abcdef0
    keep_last: 3
    max_age: 31
"""

RETURN = r"""
deleted:
  description: The snapshots that were deleted, or would be, newest first.
  returned: always
  type: list
  elements: dict
  contains:
    snapshot_id:
      description: The snapshot's id.
      type: str
      sample: snap-0123456789abcdef0
    name:
      description: Its C(Name) tag.
      type: str
      sample: checkpoints
    volume_id:
      description: The volume it was taken of.
      type: str
      sample: vol-0123456789abcdef0
    start_time:
      description: When it was begun, in UTC.
      type: str
      sample: "2026-10-01T23:50:00+00:00"
    size_gib:
      description: The size of the volume in GiB.
      type: int
      sample: 200
    reasons:
      description: Why it goes.
      type: list
      elements: str
      sample: ["52 days old, and no rule keeps it"]
kept:
  description: The snapshots that stay, newest first, with the fields of RV(deleted) and the reasons why they stay.
  returned: always
  type: list
  elements: dict
failed_items:
  description: The snapshots that could not be deleted, each with C(snapshot_id) and C(msg).
  returned: when one could not be deleted
  type: list
  elements: dict
"""

import dataclasses
import datetime

from ..module_utils._aws.errors import aws_code
from ..module_utils._aws.fleet import at_once
from ..module_utils._aws.requests import CLIENT_CONFIG
from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshots import SnapshotGateway, SnapshotQuery
from ..module_utils._aws.uses import REQUESTS_AT_ONCE, read_sharing, read_uses
from ..module_utils._core import tags as tag_keys
from ..module_utils._core.ebs.holds import Uses
from ..module_utils._core.ebs.retention import GROUPINGS, Rules, decide_retention, reasons_to_stay
from ..module_utils._core.errors import ExplainedError
from ..module_utils._registry.registered_snapshots import Registries

ARGUMENT_SPEC = {
    "name": {},
    "tags": {"type": "dict"},
    "volume_id": {"aliases": ["volume"]},
    "group_by": {"choices": list(GROUPINGS), "default": "volume"},
    "keep_last": {"type": "int"},
    "keep_daily": {"type": "int"},
    "keep_weekly": {"type": "int"},
    "keep_monthly": {"type": "int"},
    "max_age": {"type": "int"},
    "registries": {"type": "list", "elements": "str", "default": []},
}


def run(params, gateway, registered, check_mode, now, registered_now=None):
    """Delete what no rule keeps and nothing refers to.

    gateway: a SnapshotGateway or its fake. registered: pairs of registry and RegisteredSnapshot; registered_now: returns them as they
    are right before a deletion. now: with time zone.
    Raises ExplainedError with the whole result when a snapshot could not be deleted.
    """
    rules = rules_from(params)
    snapshots = list(gateway.list_snapshots(query_from(params)))
    references = references_to(snapshots, gateway, registered)
    verdicts = decide_retention(snapshots, rules, references, now)
    # Who may use a snapshot takes a request for each: asked of those that would go.
    shared_with = read_sharing(gateway, [verdict.snapshot.snapshot_id for verdict in verdicts if not verdict.keep])
    verdicts = decide_retention(snapshots, rules, dataclasses.replace(references, shared_with=shared_with), now)
    going = [verdict for verdict in verdicts if not verdict.keep]
    failures, referred = {}, {}
    if not check_mode:
        failures, referred = delete_all(going, gateway, registered_now or (lambda: registered), now)
    kept_after_all = [{**verdict.to_result(), "reasons": referred[id_of(verdict)]} for verdict in going if id_of(verdict) in referred]
    going = [verdict for verdict in going if id_of(verdict) not in referred]
    deleted = [verdict.to_result() for verdict in going if verdict.snapshot.snapshot_id not in failures]
    in_use = [
        {**verdict.to_result(), "reasons": [str(failures[verdict.snapshot.snapshot_id])]}
        for verdict in going
        if aws_code(failures.get(verdict.snapshot.snapshot_id)) == "InvalidSnapshot.InUse"
    ]
    kept = [verdict.to_result() for verdict in verdicts if verdict.keep] + kept_after_all + in_use
    result = {
        "changed": bool(deleted),
        "deleted": deleted,
        "kept": kept,
        "diff": {
            "before": {"snapshots": [snapshot.snapshot_id for snapshot in snapshots]},
            "after": {"snapshots": [snapshot.snapshot_id for snapshot in snapshots if snapshot.snapshot_id not in ids_of(deleted)]},
        },
    }
    failed = [
        {"snapshot_id": snapshot_id, "msg": str(error)} for snapshot_id, error in failures.items() if snapshot_id not in ids_of(in_use)
    ]
    if failed:
        raise ExplainedError(
            f"{len(failed)} of {len(going)} snapshots could not be deleted: " + " ".join(one["msg"] for one in failed),
            next_step="Run the task again when the cause is gone.",
            failed_items=failed,
            **result,
        )
    return result


def rules_from(params):
    """Return the Rules that the options describe."""
    counts = {name: params[name] for name in ("keep_last", "keep_daily", "keep_weekly", "keep_monthly")}
    return Rules(**counts, max_age_days=params["max_age"], group_by=params["group_by"])


def query_from(params):
    """Return the SnapshotQuery that the options describe; raises ExplainedError when they mean every snapshot."""
    if not (params["name"] or params["tags"] or params["volume_id"]):
        raise ExplainedError("Nothing says which snapshots are meant.", next_step="Give name, tags or volume_id.")
    return SnapshotQuery(
        volume_id=params["volume_id"],
        name=params["name"],
        tags=tag_keys.texts(params["tags"] or {}),
        managed_only=True,
    )


def references_to(snapshots, gateway, registered):
    """Return who needs which of the snapshots; who may use them is left out."""
    if not snapshots:
        return Uses()
    return dataclasses.replace(
        read_uses(gateway, [snapshot.snapshot_id for snapshot in snapshots]),
        being_restored=gateway.snapshots_being_restored(),
        registered={one.key[1]: [path] for path, one in registered if one.key[0] == gateway.region},
        fingerprints={snapshot.fingerprint: path for path, snapshot in registered if snapshot.fingerprint},
    )


def delete_all(going, gateway, registered_now, now):
    """Delete snapshots, several at once, each looked at again right before; one failure does not stop the others.

    Returns the errors, and the reasons of those that stay after all, both by id.
    """
    failures, referred = {}, {}

    def delete(verdict):
        snapshot_id = id_of(verdict)
        try:
            found = list(gateway.list_snapshots(SnapshotQuery(snapshot_ids=(snapshot_id,))))
            if not found:
                # Somebody else has deleted it meanwhile.
                return
            references = references_to(found, gateway, registered_now())
            references = dataclasses.replace(references, shared_with=read_sharing(gateway, [snapshot_id]))
            reasons = reasons_to_stay(found[0], references, now)
            if reasons:
                referred[snapshot_id] = reasons
            else:
                gateway.delete_snapshot(snapshot_id)
        except ExplainedError as error:
            failures[snapshot_id] = error

    at_once(delete, going, REQUESTS_AT_ONCE)
    return failures, referred


def id_of(verdict):
    return verdict.snapshot.snapshot_id


def ids_of(results):
    return {result["snapshot_id"] for result in results}


def run_for(module):
    gateway = SnapshotGateway(module.client("ec2", config=CLIENT_CONFIG))
    registries = Registries(module.params["registries"])
    return run(module.params, gateway, registries.read(), module.check_mode, datetime.datetime.now(datetime.UTC), registries.read)


def main():
    run_module(run_for, ARGUMENT_SPEC, required_one_of=[("name", "tags", "volume_id")])


if __name__ == "__main__":
    main()
