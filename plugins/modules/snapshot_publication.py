#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snapshot_publication
version_added: 0.1.0
short_description: Bring the software of a registry entry to regions and accounts
description:
  - Copies the snapshots of an entry to further regions, each with a key of that region, tags them, lets accounts use them, and registers
    each of them as it completes.
  - Each variant in each region is a job of its own. One that fails does not stop the others; the task fails at the end and says what
    became of each. Run it again to go on - what is done is found and not done again.
  - Shares only what the role C(publish_gate) has passed; its report lies in the entry. "F(docs/sharing.md) describes the way."
options:
  registry:
    description: The registry that holds the entry and gets the copies, as M(petal.hpc.snapshot_registry) takes it.
    type: str
    required: true
  source_registry:
    description: The registry to read the entry from, for example another account's. Left out, O(registry).
    type: str
  name:
    description: The entry.
    type: str
    required: true
  fingerprint:
    description: The only variant that is meant. Left out, all of them.
    type: str
  regions:
    description:
      - The regions to bring the entry to. Those where it is already need not be named.
      - Left out, no copy is made.
    type: list
    elements: str
    default: []
  kms_key_ids:
    description:
      - For each region the key of that region to encrypt the copy with.
      - In a region that is not named, the copy of an encrypted snapshot gets the default key, which cannot be shared; that of another one
        is not encrypted.
    type: dict
    default: {}
  share_with:
    description: Accounts that may use the entry's snapshots in all its regions from now on. Left out, nobody is added.
    type: list
    elements: str
    default: []
  unshare_from:
    description: Accounts that may use them no longer. What they have copied stays theirs. Left out, nobody is removed.
    type: list
    elements: str
    default: []
  public:
    description: V(true) lets everybody use them, and needs O(confirm_public); V(false) ends that. Left out, it stays as it is.
    type: bool
  confirm_public:
    description: Says that everybody on AWS may read what is on the snapshots.
    type: bool
    default: false
  grant_key:
    description: Whether accounts get a grant for the keys of encrypted snapshots as well, or lose it.
    type: bool
    default: false
  require_report:
    description: Whether to share only what the publish gate has passed. Copies that nobody else may use need no report.
    type: bool
    default: true
  trusted_accounts:
    description: Other accounts whose snapshots may be copied. Left out, none but the own one.
    type: list
    elements: str
    default: []
  at_once:
    description: How many jobs run at the same time. AWS limits the copies that are made into one region at once.
    type: int
    default: 5
  wait_timeout:
    description: How long to wait for each copy, in seconds. Copies go on in AWS when the time is over.
    type: int
    default: 7200
  signing_key:
    description: The path of the SSH key to sign the entry with. Left out, the entry is not signed.
    type: path
  signer:
    description: Whose key it is. Required with O(signing_key).
    type: str
  cache_dir:
    description: Where copies of remote registries are kept. Left out, a folder of this user for temporary files.
    type: path
attributes:
  check_mode:
    support: full
    description: Reads from AWS and the registry, changes nothing, and returns what the run would do.
  diff_mode:
    support: none
    description: RV(results) says what changes.
  idempotent:
    support: full
    description: Copies are found by their source or fingerprint.
author: petal.hpc contributors (@petal-hpc)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: petal.hpc.ebs_snapshot
  - module: petal.hpc.snapshot_registry
"""

EXAMPLES = r"""
- name: Bring an entry to three regions and two accounts
  petal.hpc.snapshot_publication:
    region: us-east-1
    registry: s3://our-software/registry
    name: bioinformatics-v1
    regions: [us-west-2, eu-west-1]
    kms_key_ids:
      us-west-2: alias/software
      eu-west-1: alias/software
    share_with: ["111122223333", "444455556666"]
    grant_key: true
  register: published

- name: Keep a copy of a partner's software in the own account
  petal.hpc.snapshot_publication:
    region: eu-west-1
    source_registry: https://software.example.com/registry
    registry: /srv/petal-snapshots
    name: bioinformatics-v1
    regions: [eu-west-1]
    trusted_accounts: ["123456789012"]
"""

RETURN = r"""
results:
  description: What became of each variant in each region.
  returned: always
  type: list
  elements: dict
  contains:
    region:
      description: The region.
      type: str
      sample: eu-west-1
    fingerprint:
      description: The variant.
      type: str
      sample: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    snapshot_id:
      description: The snapshot there; null in check mode for one that does not exist yet, and for a job that has failed.
      type: str
      sample: snap-0123456789abcdef0
    shared_with:
      description: Who may use it, as far as this task has looked.
      type: list
      elements: str
      sample: ["111122223333"]
    changed:
      description: Whether something was copied, shared or registered.
      type: bool
    failed:
      description: Whether the job has failed.
      type: bool
    msg:
      description: Why it has failed.
      returned: for a job that has failed
      type: str
failed_items:
  description: The labels of the jobs that have failed.
  returned: when one has failed
  type: list
  elements: str
entry:
  description: The entry as it is afterwards, as M(petal.hpc.snapshot_registry) returns it.
  returned: always
  type: dict
"""

import datetime
import functools
import threading

from ..module_utils._aws.fleet import at_once
from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshot_copies import apply_sharing, copy_one
from ..module_utils._aws.snapshots import gateway_of
from ..module_utils._core.ebs.sharing import EVERYBODY, SharingRequest, check_accounts
from ..module_utils._core.ebs.snapshot import canonical_fingerprint
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.registry.entries import Registration
from ..module_utils._core.registry.publication import as_registered, as_source, check_owners, check_reports, plan_jobs, register_copy
from ..module_utils._registry.open import open_registry, open_store
from ..module_utils._registry.signing import Signer
from ..module_utils._registry.store import Access

ARGUMENT_SPEC = {
    "registry": {"required": True},
    "source_registry": {},
    "name": {"required": True},
    "fingerprint": {},
    "regions": {"type": "list", "elements": "str", "default": []},
    "kms_key_ids": {"type": "dict", "default": {}, "no_log": False},
    "share_with": {"type": "list", "elements": "str", "default": []},
    "unshare_from": {"type": "list", "elements": "str", "default": []},
    "public": {"type": "bool"},
    "confirm_public": {"type": "bool", "default": False},
    "grant_key": {"type": "bool", "default": False, "no_log": False},
    "require_report": {"type": "bool", "default": True},
    "trusted_accounts": {"type": "list", "elements": "str", "default": []},
    "at_once": {"type": "int", "default": 5},
    "wait_timeout": {"type": "int", "default": 7200},
    "signing_key": {"type": "path", "no_log": False},
    "signer": {},
    "cache_dir": {"type": "path"},
}
SHARING = ("share_with", "unshare_from", "public", "confirm_public", "grant_key")


class Publication:
    """One run. gateway_in: returns the SnapshotGateway of a region. source, target: stores to read the entry from and to write it to."""

    def __init__(self, params, home, gateway_in, source, target, today, check_mode):
        self.params, self.home, self.gateway_in, self.today, self.check_mode = params, home, gateway_in, today, check_mode
        self.source, self.target = source, target
        self.request = check_accounts(
            SharingRequest(tuple(params["share_with"]), tuple(params["unshare_from"]), params["public"], params["confirm_public"])
        )
        self._writing = threading.Lock()

    def run(self):
        """Carry out every job; raises ExplainedError with the whole result when one has failed."""
        entry = self.read_entry()
        found = self.look_at(entry)
        regions = {region: self.params["kms_key_ids"].get(region) for region in self.params["regions"]}
        fingerprint = canonical_fingerprint(self.params["fingerprint"]) if self.params["fingerprint"] else None
        own = self.gateway_in(self.home).own_account()
        jobs = plan_jobs(entry, found, regions, own, home=self.home, fingerprint=fingerprint, only_regions=self.source is not self.target)
        check_owners(jobs, found, own, [account.zfill(12) for account in self.params["trusted_accounts"]])
        if self.request.gained and self.params["require_report"]:
            check_reports(entry, jobs, public=EVERYBODY in self.request.gained)
        results = at_once(lambda job: self.carry_out(job, entry, found[job.source.key], own), jobs, max(1, self.params["at_once"]))
        return self.result(entry, jobs, results)

    def read_entry(self):
        entry = self.source.read_entry(self.params["name"])
        if entry is None:
            raise ExplainedError(
                f"There is no entry {self.params['name']} in {self.source.place}.",
                resource=self.params["name"],
                next_step="Check the name; petal.hpc.snapshot_registry_info lists all entries.",
            )
        return entry

    def look_at(self, entry):
        """Return the registered snapshots that this account sees, by region and id."""
        found = {}
        for region in sorted({one.region for one in entry.snapshots}):
            ids = [one.snapshot_id for one in entry.snapshots if one.region == region]
            found |= {(region, snapshot_id): real for snapshot_id, real in self.gateway_in(region).find_visible(ids).items()}
        return found

    def carry_out(self, job, entry, real, own):
        """Bring one variant to one region: copied, shared, registered. A failure becomes a part of the result."""
        known = {"region": job.region, "fingerprint": job.source.fingerprint, "label": job.label}
        try:
            copy, result = self.copied(job, real, own)
            if self.request.asks_for_something:
                options = {name: self.params[name] for name in SHARING}
                result = {**result, **apply_sharing(options, copy, result, self.gateway_in(job.region), self.check_mode)}
            registered = not self.check_mode and self.registered(entry, job, copy)
        except ExplainedError as error:
            return {**known, "snapshot_id": None, "shared_with": [], "changed": False, "failed": True, "warnings": [], **error.to_result()}
        snapshot = result["snapshot"]
        return {
            **known,
            "snapshot_id": copy.snapshot_id,
            "shared_with": snapshot.get("shared_with", []),
            "changed": result["changed"] or registered,
            "failed": False,
            "warnings": result["warnings"],
        }

    def copied(self, job, real, own):
        """Return the complete snapshot of a job's region, and what became of it."""
        there = self.gateway_in(job.region)
        if job.source.region == job.region and real.owner_id == own:
            real = real if self.check_mode else there.wait_until_completed(real.snapshot_id, self.params["wait_timeout"])
            return real, {"changed": False, "snapshot": real.to_result(), "warnings": []}
        target = {"region": job.region, "kms_key_id": job.kms_key_id}
        source = as_source(job.source, real)
        return copy_one(source, job.source.region, target, there, self.params["wait_timeout"], self.check_mode)

    def registered(self, entry, job, copy):
        """Register a snapshot that is complete and shared; return whether the registry has changed."""
        said = Registration(
            entry.name,
            as_registered(job.source, job.region, copy),
            description=entry.description,
            packages=entry.packages or None,
            tags=entry.tags or None,
            public=self.params["public"],
            report=entry.reports.get(str(job.source.manifest)),
        )
        # A store is for one thread.
        with self._writing:
            return self.target.update(entry.name, lambda found: register_copy(found, said, self.today)).changed

    def result(self, entry, jobs, results):
        warnings = [warning for one in results for warning in one.pop("warnings")]
        now = entry if self.check_mode else self.target.read_entry(entry.name) or entry
        outcome = {"changed": any(one["changed"] for one in results), "results": results, "entry": now.to_result(), "warnings": warnings}
        failed = [one for one in results if one["failed"]]
        if failed:
            raise ExplainedError(
                f"{len(failed)} of {len(jobs)} failed: " + " ".join(f"{one['label']}: {one['msg']}" for one in failed),
                next_step="Run the task again when the cause is gone; what is done is not done again.",
                failed_items=[one["label"] for one in failed],
                **outcome,
            )
        return outcome


def publication_for(module):
    """Return the Publication that the module's options describe."""
    params = module.params
    if not module.region:
        module.fail_json(msg="The region to copy from is not known. Set region, or AWS_REGION in the environment.")
    access = Access(s3=lambda: module.client("s3"), cache_dir=params["cache_dir"])
    target = open_store(params["registry"], access)
    source = open_registry(params["source_registry"], access) if params["source_registry"] else target
    if params["signing_key"] and source is target:
        target.signer = Signer(params["signer"], params["signing_key"])
    elif params["signing_key"]:
        module.warn(
            f"{params['name']} is not signed: only {params['source_registry']} says what it holds. Check the entry (playbook "
            "registry_review), then sign it with petal.hpc.snapshot_registry and state=verified."
        )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    gateway_in = functools.cache(lambda region: gateway_of(module, region=region))
    for region in {module.region, *params["regions"]}:
        # Made before any thread asks: boto3 makes clients for one thread at a time.
        gateway_in(region)
    return Publication(params, module.region, gateway_in, source, target, today, module.check_mode)


def main():
    run_module(lambda module: publication_for(module).run(), ARGUMENT_SPEC, required_by={"signing_key": "signer"})


if __name__ == "__main__":
    main()
