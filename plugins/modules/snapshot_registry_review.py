#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snapshot_registry_review
version_added: 0.1.0
short_description: Judge an entry that somebody submits to a registry
description:
  - Looks at one entry as a maintainer would before it is taken in, and says what was found, for people and for programs.
  - The form of the entry and its line in the index; each snapshot as AWS shows it, with its owner, its state, its size, and whether it
    is really public when the entry says so; the seed against the fingerprint; the proof; the report of the publish gate; the signature.
  - Nothing is changed. An entry that passes is marked with M(petal.hpc.snapshot_registry) and C(state=verified), by whoever decides to.
author: petal.hpc contributors (@petal-hpc)
options:
  registry:
    description: Where the registry lies, as in M(petal.hpc.snapshot_registry); for a pull request, its branch.
    type: str
    required: true
  name:
    description: The entry.
    type: str
    required: true
  seed_fingerprints:
    description:
      - The fingerprints that the entry's seed comes to, as P(petal.hpc.seed_variants#filter) returns them.
      - Left out, the seed counts as not checked.
    type: list
    elements: str
  allowed_signers:
    description: Whose signatures count, as in M(petal.hpc.snapshot_registry_info). Left out, no signature does.
    type: path
  cache_dir:
    description: Where copies of remote registries are kept. Left out, a folder of this user under the folder for temporary files.
    type: path
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
  - module: petal.hpc.snapshot_registry
  - module: petal.hpc.snapshot_registry_info
"""

EXAMPLES = r"""
- name: Judge what a contributor submits
  petal.hpc.snapshot_registry_review:
    registry: git+https://example.com/petal-snapshots.git?branch=submit-genomics
    name: genomics
    seed_fingerprints: "{{ variants | map(attribute='fingerprint') }}"
    allowed_signers: /etc/petal/allowed_signers
    region: us-east-1
  register: judged

- name: Show the verdict
  ansible.builtin.debug:
    msg: "{{ judged.text.splitlines() }}"
"""

RETURN = r"""
passed:
  description: Whether no check failed.
  returned: always
  type: bool
  sample: true
complete:
  description: Whether every check could be made.
  returned: always
  type: bool
  sample: true
findings:
  description: What came of each check.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: What was looked at.
      type: str
      sample: proof
    passed:
      description: Whether it is as it has to be; null when it could not be checked.
      type: bool
      sample: true
    detail:
      description: What was found.
      type: str
      sample: every package loads, and runs where the proof knows how to run it
text:
  description: The findings and what follows from them, for people.
  returned: always
  type: str
  sample: "ok  form: complete, and written as the registry writes it"
seed:
  description: The text of the entry's seed; null when the registry has none.
  returned: always
  type: str
  sample: "cluster: {name: genomics}"
entry:
  description: The entry, with the fields that M(petal.hpc.snapshot_registry) returns.
  returned: always
  type: dict
"""

from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshots import SnapshotGateway
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.registry.review import Evidence, review, verdict
from ..module_utils._registry.open import open_registry
from ..module_utils._registry.signing import Verifier
from ..module_utils._registry.store import Access

ARGUMENT_SPEC = {
    "registry": {"required": True},
    "name": {"required": True},
    "seed_fingerprints": {"type": "list", "elements": "str"},
    "allowed_signers": {"type": "path"},
    "cache_dir": {"type": "path"},
}


def run(params, store, gateway_in):
    """Judge one entry. store: from open_registry. gateway_in: returns the SnapshotGateway of a region, or its fake."""
    index, entry = store.read_index(), store.read_entry(params["name"])
    if entry is None:
        raise ExplainedError(
            f"There is no entry {params['name']} in {params['registry']}.",
            resource=params["name"],
            next_step="Check the name and the branch; petal.hpc.snapshot_registry_info lists all entries.",
        )
    real, public = what_aws_shows(entry, gateway_in)
    seed, fingerprints = store.read_seed(entry.name), params["seed_fingerprints"]
    evidence = Evidence(
        text=store.read_entry_text(entry.name),
        index=index,
        notes=tuple(store.notes),
        real=real,
        public=public,
        seed=seed is not None,
        seed_fingerprints=None if fingerprints is None else tuple(fingerprints),
    )
    return {"changed": False, "seed": seed, "entry": entry.to_result(), **verdict(entry, review(entry, evidence))}


def what_aws_shows(entry, gateway_in):
    """Return the snapshots of an entry as AWS shows them, by region and id, and which of them are public."""
    real, public = {}, set()
    for region in sorted({snapshot.region for snapshot in entry.snapshots}):
        ids = [snapshot.snapshot_id for snapshot in entry.snapshots if snapshot.region == region]
        gateway = gateway_in(region)
        real |= {(region, snapshot_id): found for snapshot_id, found in gateway.find_visible(ids).items()}
        public |= {(region, snapshot_id) for snapshot_id in gateway.find_public(ids)}
    return real, frozenset(public)


def run_for(module):
    access = Access(s3=lambda: module.client("s3"), cache_dir=module.params["cache_dir"])
    store = open_registry(module.params["registry"], access)
    store.verifier = Verifier(module.params["allowed_signers"]) if module.params["allowed_signers"] else None
    return run(module.params, store, lambda region: SnapshotGateway(module.client("ec2", region=region)))


def main():
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
