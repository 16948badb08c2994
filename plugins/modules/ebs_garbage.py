#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ebs_garbage
version_added: 0.1.0
short_description: Find and delete software snapshots and build volumes that nothing needs
description:
  - Looks at the snapshots and volumes that builds have made in some regions, and at everything that refers to them.
  - A snapshot stays when a registry names it or its fingerprint, a volume, a cluster's among them, was made from it, an image or a version
    of a launch template needs it, another snapshot was built on its software or is being copied from it, other accounts may use it, it is
    locked, protected, enabled for fast restore, incomplete or young; and whenever what needs it stays.
  - A volume stays when it is attached, leased by a build, protected or young.
  - A registry alone retires nothing. The tag C(petal:retired) of the snapshot has to say so too, for O(min_age_days);
    the playbook C(retire_snapshot) writes both.
  - Each snapshot and volume is looked at again right before it is deleted, and stays when something needs it by then.
  - Never looks at what does not carry C(CreatedBy=petal.hpc) and C(petal:fingerprint), and volumes C(petal:build-id). Data has
    none of them; M(petal.hpc.ebs_snapshot_retention) is for them.
  - Deletes nothing unless O(delete=true). "F(docs/garbage.md) describes the rules."
options:
  regions:
    description:
      - The regions to look at, all at once, so that a copy that is being made keeps its source.
      - Left out, the region of the connection.
    type: list
    elements: str
  registries:
    description:
      - Where the registries lie that name snapshots in use, as M(petal.hpc.snapshot_registry) takes them. All of them; what none of them
        names is garbage.
      - A registry that is empty, cannot be read completely, or whose index and entry files disagree is an error.
      - The entry files of a web server cannot be listed. Its registry keeps what it names, but there must be another one whose files can be
        listed, such as the directory, the S3 prefix or the git repository that it is published from.
    type: list
    elements: str
    required: true
  min_age_days:
    description:
      - Younger ones stay, whatever refers to them. What is retired stays as long after that, as those who use it in other accounts are not
        seen.
    type: int
    default: 30
  max_delete:
    description:
      - How many snapshots and volumes one run may delete. When there are more, nothing is deleted, and the message says the number.
      - Left out, a quarter of all that were looked at, and 20 of a few.
    type: int
  delete:
    description: Whether to delete what is found. Otherwise it is only listed.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Lists what would be deleted and deletes nothing, with O(delete=true) too.
  diff_mode:
    support: full
    description: What there is before and after.
  idempotent:
    support: full
    description: A second run finds nothing more.
author: petal.hpc contributors (@petal-hpc)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: petal.hpc.ebs_snapshot_retention
  - module: petal.hpc.snapshot_registry
"""

EXAMPLES = r"""
- name: List what nothing needs
  petal.hpc.ebs_garbage:
    regions: [us-east-1, eu-west-1]
    registries: [/srv/petal-snapshots]
  register: found

- name: Say why
  ansible.builtin.debug:
    msg: "{{ item.id }} ({{ item.region }}): {{ item.reasons | join(', ') }}"
  loop: "{{ found.garbage }}"

- name: Delete it
  petal.hpc.ebs_garbage:
    regions: [us-east-1, eu-west-1]
    registries: [/srv/petal-snapshots]
    delete: true
"""

RETURN = r"""
garbage:
  description: What nothing needs.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: What it is, C(snapshot) or C(volume).
      type: str
      sample: snapshot
    region:
      description: Where it is.
      type: str
      sample: us-east-1
    id:
      description: Its id.
      type: str
      sample: snap-0123456789abcdef0
    name:
      description: Its C(Name) tag.
      type: str
      sample: bioinformatics-alinux2023-x86_64-0f3a5c77d1e2
    size_gib:
      description: The size of the volume in GiB.
      type: int
      sample: 500
    fingerprint:
      description: What was built on it.
      type: str
      sample: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    reasons:
      description: Why it goes.
      type: list
      elements: str
      sample: ["62 days old, and nothing needs it"]
    deleted:
      description: Whether it has been deleted, or would be in check mode.
      type: bool
      sample: false
kept:
  description:
    - The others that were looked at, with the fields of RV(garbage) and the reasons why they stay.
    - What turned out to be needed right before it was deleted comes last.
  returned: always
  type: list
  elements: dict
failed_items:
  description: What could not be deleted, each with C(id), C(region) and C(msg).
  returned: when something could not be deleted
  type: list
  elements: dict
"""

import dataclasses
import datetime

from ..module_utils._aws.fleet import at_once
from ..module_utils._aws.garbage import GarbageGateway
from ..module_utils._aws.requests import CLIENT_CONFIG
from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshot_making import made_once
from ..module_utils._aws.uses import REQUESTS_AT_ONCE
from ..module_utils._core.build.garbage import (
    SNAPSHOT,
    collectables,
    decide_garbage,
    in_waves,
    key_of,
    look_again,
    refuse_too_many,
    software_graph,
)
from ..module_utils._core.errors import ExplainedError
from ..module_utils._registry.registered_snapshots import Registries
from ..module_utils._registry.store import Access

ARGUMENT_SPEC = {
    "regions": {"type": "list", "elements": "str"},
    "registries": {"type": "list", "elements": "str", "required": True},
    "min_age_days": {"type": "int", "default": 30},
    "max_delete": {"type": "int"},
    "delete": {"type": "bool", "default": False},
}


def run(params, gateways, registered, check_mode, now, registered_now=None):
    """Find what nothing needs, and delete it when asked to.

    gateways: a GarbageGateway, or its fake, by region. registered: pairs of registry and RegisteredSnapshot; registered_now: returns them
    as they are right before a deletion. now: with time zone.
    Raises ExplainedError with the whole result when something could not be deleted, or when it is too much.
    """
    facts = at_once(lambda gateway: gateway.read(), gateways.values(), REQUESTS_AT_ONCE)
    verdicts, _needs = decide(facts, registered, params["min_age_days"], now)
    # Who may use a snapshot takes a request for each: asked of those that would go.
    facts = [with_sharing(one, gateways[one.region], verdicts) for one in facts]
    verdicts, needs = decide(facts, registered, params["min_age_days"], now)
    described = collectables(facts)
    garbage = [{**described[verdict.key], "reasons": list(verdict.reasons)} for verdict in verdicts if not verdict.keep]
    kept = [{**described[verdict.key], "reasons": list(verdict.reasons)} for verdict in verdicts if verdict.keep]
    if not params["delete"]:
        return result(garbage, kept, gone=())
    try:
        refuse_too_many(len(garbage), len(garbage) + len(kept), params["max_delete"])
    except ExplainedError as error:
        raise ExplainedError(error.what, next_step=error.next_step, **result(garbage, kept, gone=())) from error
    if check_mode:
        return result(garbage, kept, gone=[place(one) for one in garbage])
    deletion = Deletion(gateways, registered_now or (lambda: registered), params["min_age_days"], now)
    deletion.carry_out(garbage, needs)
    failures = deletion.failures
    for one in [one for one in garbage if place(one) in deletion.needed]:
        garbage.remove(one)
        kept.append({**one, "reasons": list(deletion.needed[place(one)])})
    outcome = result(garbage, kept, gone=[place(one) for one in garbage if place(one) not in failures])
    if failures:
        failed = [{"id": one["id"], "region": one["region"], "msg": str(failures[place(one)])} for one in garbage if place(one) in failures]
        raise ExplainedError(
            f"{len(failed)} of {len(garbage)} could not be deleted: " + " ".join(one["msg"] for one in failed),
            next_step="Run the task again when the cause is gone.",
            failed_items=failed,
            **outcome,
        )
    return outcome


def result(garbage, kept, gone):
    """Return the module's result. gone: the places of what has been deleted, or would be."""
    every = sorted(place(one) for one in garbage + kept)
    return {
        "changed": bool(gone),
        "garbage": [{**one, "deleted": place(one) in gone} for one in garbage],
        "kept": kept,
        "diff": {"before": {"resources": every}, "after": {"resources": [one for one in every if one not in gone]}},
    }


def decide(facts, registered, min_age_days, now):
    things, needs = software_graph(facts, registered, min_age_days, now)
    return decide_garbage(things, needs, min_age_days), needs


def with_sharing(facts, gateway, verdicts):
    """Return a region's facts with who may use the snapshots that would be deleted."""
    described = collectables([facts])
    going = [described[verdict.key] for verdict in verdicts if not verdict.keep and verdict.key in described]
    shared_with = gateway.shared_with(one["id"] for one in going if one["kind"] == SNAPSHOT)
    return dataclasses.replace(facts, shared_with=shared_with)


class Deletion:
    """The end of what nothing needs, each looked at again right before.

    needed: why some stay after all; failures: the errors of others; both by place.
    """

    def __init__(self, gateways, registered_now, min_age_days, now):
        self.gateways, self.registered_now, self.min_age_days, self.now = gateways, registered_now, min_age_days, now
        self.needed, self.failures, self.going = {}, {}, set()

    def carry_out(self, garbage, needs):
        """Delete several at once, nothing before what needs it: that may turn out to stay. One failure does not stop the others."""
        by_key = {key_of(one["kind"], one["region"], one["id"]): one for one in garbage}
        self.going = set(by_key)
        for wave in in_waves(by_key, needs):
            at_once(lambda key: self._delete(key, by_key[key]), wave, REQUESTS_AT_ONCE)

    def _delete(self, key, one):
        try:
            facts = self.gateways[one["region"]].read_again(one["kind"], one["id"])
            if facts is None:
                # Somebody else has deleted it meanwhile.
                return
            reasons = self._reasons(key, one, facts)
            if not reasons:
                self.gateways[one["region"]].delete(one["kind"], one["id"])
                return
            self.needed[place(one)] = reasons
        except ExplainedError as error:
            self.failures[place(one)] = error
        # It is there still, and so is what it needs.
        self.going.discard(key)

    def _reasons(self, key, one, facts):
        """Return why it stays after all; facts: what there is about it at this moment."""
        others = [gateway for region, gateway in self.gateways.items() if region != one["region"] and one["kind"] == SNAPSHOT]
        copies = [gateway.copies_in_progress(one["region"], one["id"]) for gateway in others]
        things, needs = software_graph([facts, *copies], self.registered_now(), self.min_age_days, self.now)
        return look_again(key, things, needs, self.going, self.min_age_days)


def place(one):
    return f"{one['region']}/{one['id']}"


def run_for(module):
    if module.params["min_age_days"] < 0 or not module.params["registries"]:
        raise ExplainedError("Name at least one registry, and min_age_days of 0 or more: what no registry names is garbage.")
    registries = Registries(module.params["registries"], Access(s3=made_once(lambda: module.client("s3"))))
    registered = registries.read()
    warn_of_unlisted(module, registries.unlisted)
    regions = dict.fromkeys(module.params["regions"] or [module.region])
    gateways = {region: GarbageGateway(module.client("ec2", region=region, config=CLIENT_CONFIG)) for region in regions}
    return run(module.params, gateways, registered, module.check_mode, datetime.datetime.now(datetime.UTC), registries.read)


def main():
    run_module(run_for, ARGUMENT_SPEC)


def warn_of_unlisted(module, unlisted):
    """Say of which registries only the index is known; refuse when there is no other one."""
    for path in sorted(unlisted):
        module.warn(f"The entry files of the registry {path} cannot be listed: an entry that its index does not name keeps nothing.")
    if set(module.params["registries"]) <= unlisted:
        raise ExplainedError(
            f"Nothing shows what the registry {', '.join(sorted(unlisted))} holds but its index, which may have lost entries.",
            next_step="Name the directory, the S3 prefix or the git repository that it is published from as well.",
        )


if __name__ == "__main__":
    main()
