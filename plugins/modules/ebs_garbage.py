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
    of a launch template needs it, another snapshot was built on it or is being copied from it, other accounts may use it, it is locked,
    protected, enabled for fast restore, incomplete or young; and whenever what needs it stays.
  - A volume stays when it is attached, leased by a build, protected or young.
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
      - A registry that is empty or cannot be read completely is an error.
    type: list
    elements: str
    required: true
  min_age_days:
    description:
      - Younger ones stay, whatever refers to them. What a registry has retired stays as long after that, as those who use it in
        other accounts are not seen.
    type: int
    default: 30
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
  description: The others that were looked at, with the fields of RV(garbage) and the reasons why they stay.
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
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.garbage import REQUESTS_AT_ONCE, GarbageGateway
from ..module_utils._aws.registered_snapshots import read_registered
from ..module_utils._aws.registry_store import Access
from ..module_utils._aws.volumes import CLIENT_CONFIG
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.garbage import SNAPSHOT, VOLUME, collectables, decide_garbage, software_graph

ARGUMENT_SPEC = {
    "regions": {"type": "list", "elements": "str"},
    "registries": {"type": "list", "elements": "str", "required": True},
    "min_age_days": {"type": "int", "default": 30},
    "delete": {"type": "bool", "default": False},
}


def run(params, gateways, registered, check_mode, now):
    """Find what nothing needs, and delete it when asked to.

    gateways: a GarbageGateway, or its fake, by region. registered: pairs of registry and RegisteredSnapshot. now: with time zone.
    Raises ExplainedError with the whole result when something could not be deleted.
    """
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        facts = list(pool.map(lambda gateway: gateway.read(), gateways.values()))
    verdicts = decide(facts, registered, params["min_age_days"], now)
    # Who may use a snapshot takes a request for each: asked of those that would go.
    facts = [with_sharing(one, gateways[one.region], verdicts) for one in facts]
    verdicts = decide(facts, registered, params["min_age_days"], now)
    described = collectables(facts)
    garbage = [{**described[verdict.key], "reasons": list(verdict.reasons)} for verdict in verdicts if not verdict.keep]
    kept = [{**described[verdict.key], "reasons": list(verdict.reasons)} for verdict in verdicts if verdict.keep]
    failures = delete_all(garbage, gateways) if params["delete"] and not check_mode else {}
    for one in garbage:
        one["deleted"] = params["delete"] and place(one) not in failures
    gone = {place(one) for one in garbage if one["deleted"]}
    every = sorted(place(one) for one in garbage + kept)
    result = {
        "changed": bool(gone),
        "garbage": garbage,
        "kept": kept,
        "diff": {"before": {"resources": every}, "after": {"resources": [one for one in every if one not in gone]}},
    }
    if failures:
        failed = [{"id": one["id"], "region": one["region"], "msg": str(failures[place(one)])} for one in garbage if place(one) in failures]
        raise ExplainedError(
            f"{len(failed)} of {len(garbage)} could not be deleted: " + " ".join(one["msg"] for one in failed),
            next_step="Run the task again when the cause is gone.",
            failed_items=failed,
            **result,
        )
    return result


def decide(facts, registered, min_age_days, now):
    things, needs = software_graph(facts, registered, min_age_days, now)
    return decide_garbage(things, needs, min_age_days)


def with_sharing(facts, gateway, verdicts):
    """Return a region's facts with who may use the snapshots that would be deleted."""
    described = collectables([facts])
    going = [described[verdict.key] for verdict in verdicts if not verdict.keep and verdict.key in described]
    shared_with = gateway.shared_with(one["id"] for one in going if one["kind"] == SNAPSHOT)
    return dataclasses.replace(facts, shared_with=shared_with)


def delete_all(garbage, gateways):
    """Delete volumes, then snapshots, several at once; return the errors by id. One failure does not stop the others."""

    def delete(one):
        try:
            gateways[one["region"]].delete(one["kind"], one["id"])
        except ExplainedError as error:
            return error
        return None

    failures = {}
    for kind in (VOLUME, SNAPSHOT):
        portion = [one for one in garbage if one["kind"] == kind]
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            errors = zip(portion, pool.map(delete, portion), strict=True)
            failures.update({place(one): error for one, error in errors if error})
    return failures


def place(one):
    return f"{one['region']}/{one['id']}"


def main():
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["min_age_days"] < 0 or not module.params["registries"]:
        module.fail_json(msg="Name at least one registry, and min_age_days of 0 or more: what no registry names is garbage.")
    try:
        registered = read_registered(module.params["registries"], Access(s3=lambda: module.client("s3")))
        regions = dict.fromkeys(module.params["regions"] or [module.region])
        gateways = {region: GarbageGateway(module.client("ec2", region=region, config=CLIENT_CONFIG)) for region in regions}
        result = run(module.params, gateways, registered, module.check_mode, datetime.datetime.now(datetime.UTC))
    except ExplainedError as error:
        module.fail_json(**error.to_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
