#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snapshot_registry
version_added: 0.1.0
short_description: Register and retire snapshots in a registry
description:
  - Writes a snapshot into a registry, JSON files that teams share as a folder, as a git repository or in S3.
  - "The files are C(index.json), C(snapshots/NAME.json) and C(seeds/NAME.yaml); F(docs/registry.md) describes them."
  - Registering the same thing twice changes nothing. One entry holds any number of snapshots, one for each region and variant.
  - Files are replaced at once and the index comes last, so a reader never sees half a registry.
  - The index is made from the entry files. Entries that it has forgotten are added to it by the next change; lines of it, or snapshots of
    an entry, that cannot be read are never written over.
  - Any number of runs may write at the same time. In a directory they wait for each other; elsewhere a run that finds that another one
    was faster reads again and repeats its change.
  - Nothing is read from or changed in AWS. What an entry says is checked when it is used, by M(petal.hpc.snapshot_registry_info).
author: petal.hpc contributors (@petal-hpc)
options:
  state:
    description:
      - C(present) registers a snapshot. One that was deprecated or retired is recommended again, unless O(recommend) is V(false).
      - C(deprecated) marks snapshots of the entry as no longer recommended. They are selected when nothing else fits, with a warning.
      - C(retired) marks them as out of use. They stay listed and are never selected.
      - Both name what O(superseded_by) says as the one to use instead.
      - C(verified) says that somebody other than the author has checked the entry. An entry that gets another snapshot, or whose
        snapshot is changed, is not verified any more.
      - C(absent) removes snapshots from the entry, and the entry with its seed when none is left. The snapshots in AWS stay.
      - C(repaired) makes the index anew from the entry files, whatever is left of it, and changes no entry. A file that cannot be read
        keeps its lines, and a name without a file goes; both are warnings.
    type: str
    choices: [present, deprecated, retired, verified, absent, repaired]
    default: present
  registry:
    description:
      - Where the registry lies. A directory on the host where the task runs, C(s3://bucket/prefix), or a git repository such as
        C(git+ssh://git@example.com/registry.git?branch=main), in which each change is a commit that is pushed.
      - On the controller, a relative path counts from the directory in which Ansible was started; so do O(signing_key) and O(cache_dir).
      - A directory or a prefix is created with the first entry; the bucket and the directory's parent must exist.
      - "F(docs/registry.md) lists the places."
    type: str
    required: true
  name:
    description: The entry, made of letters, digits, dots, dashes and underscores. Required but for O(state=repaired).
    type: str
  region:
    description:
      - The region that the snapshot is in. Left out, the region that AWS settings give.
      - Not used to retire or remove.
    type: str
    aliases: [aws_region]
  snapshot_id:
    description:
      - The snapshot. Required to register.
      - To retire or remove, only this snapshot of the entry; left out, all that O(fingerprint) names.
    type: str
  fingerprint:
    description:
      - The fingerprint of the software on the snapshot, C(sha256:) and 64 hexadecimal digits. Required to register.
      - To retire or remove, only snapshots with it; left out together with O(snapshot_id), all of the entry.
    type: str
  os:
    description: The operating system that the software is for, under any name that ParallelCluster users give it. Left out, unknown.
    type: str
  architecture:
    description: The architecture that the software is for. Left out, unknown.
    type: str
    choices: [x86_64, arm64]
  target:
    description: The CPU target that the software is built for, as archspec names it. Left out, unknown.
    type: str
  size_gib:
    description: The size of the snapshot's volume in GiB. Left out, unknown.
    type: int
  configuration:
    description: What else tells this variant from others, such as C(debug). Left out, nothing.
    type: str
  variant_description:
    description: One line about this snapshot. Left out, none.
    type: str
  spack:
    description: The version of Spack that built the software. Left out, unknown.
    type: str
  recipes:
    description: The version of the recipes. Left out, unknown.
    type: str
  compiler:
    description: The compiler that was built for the software, as a Spack spec. Left out, that of the operating system, or unknown.
    type: str
  mount_path:
    description: Where the software has to be mounted. Left out, unknown.
    type: str
  externals:
    description: What the software uses of the nodes' image rather than having it built, name to version. Left out, nothing or unknown.
    type: dict
  image:
    description: The image that O(externals) are of. Left out, none or unknown.
    type: str
  modules:
    description: How modules are laid out, as a seed has it. Left out, as by default.
    type: dict
  build_options:
    description: The options of the role spack_bootstrap that decide what is built, as P(petal.hpc.build_options#lookup) returns them.
      Left out, as by default.
    type: dict
  specs:
    description: The packages as users asked for them, in canonical form. Left out, unknown.
    type: list
    elements: str
  roots:
    description: The packages as they were built for that, each with its version. Left out, unknown.
    type: list
    elements: str
  package_count:
    description: The number of packages with all that they need. Left out, unknown.
    type: int
  seconds:
    description: How long the build took, in seconds. Left out, unknown.
    type: float
  lock:
    description: The fingerprint of what was really built, from the tag C(petal:lock). Left out, unknown.
    type: str
  spack_lock:
    description: The hash of C(spack.lock) on the volume. Left out, unknown.
    type: str
  manifest:
    description: The root of the hashes of all files on the volume. Left out, unknown.
    type: str
  sbom:
    description: The hash of the bill of materials on the volume. Left out, unknown.
    type: str
  sbom_content:
    description:
      - The bill of materials itself, encoded in base64 as M(ansible.builtin.slurp) returns it. It is stored beside the entry, and O(sbom)
        becomes its hash.
      - Left out, what is stored stays.
    type: str
  parent:
    description: The fingerprint of the software that the build started from. Left out, none or unknown.
    type: str
  parent_snapshot:
    description: The snapshot that the build started from. Left out, none or unknown.
    type: str
  generation:
    description: How many builds lie between this one and one that started from nothing. Left out, none or unknown.
    type: int
  proof:
    description: C(passed) when every package was loaded and run in a clean room, C(failed) when one was not. Left out, unknown.
    type: str
    choices: [passed, failed]
  aws_account:
    description: The account that owns the snapshot. A claim only; whoever uses the entry asks AWS. Left out, unknown.
    type: str
  description:
    description: One line about the entry. Left out, it stays as it is.
    type: str
  packages:
    description: The packages that users asked for. Left out, those of O(specs), else they stay as they are.
    type: list
    elements: str
  labels:
    description: Words to find the entry by. Left out, they stay as they are.
    type: list
    elements: str
  public:
    description: Whether everybody may use the snapshots. Left out, it stays as it is, at first false.
    type: bool
  seed:
    description: The text of the seed, stored beside the entry. Left out, it stays as it is.
    type: str
  report:
    description:
      - The report of the role C(publish_gate), kept with the entry under the fingerprint. Left out, what is there stays.
      - "F(docs/sharing.md) says what it is for."
    type: dict
  recommend:
    description:
      - Whether registering a snapshot that was deprecated or retired takes that back.
      - V(false) is for those who only add to what an entry says, such as a O(report).
    type: bool
    default: true
  superseded_by:
    description: The entry or snapshot to use in place of a deprecated or retired one. Left out, none is named.
    type: str
  signing_key:
    description:
      - The path of the SSH key to sign the entry with, as it is after the run. A private key without a passphrase, or a public key whose
        private half an SSH agent holds.
      - A signature is for the whole entry. So what this key has not signed before, and is not entered by this task, keeps the entry
        unsigned, with a warning; O(state=verified) signs it all, and is for those who have checked it.
      - Left out, the entry is not signed, and loses the signatures that it has when it changes.
    type: path
  signer:
    description: Whose key it is, as readers name it in their C(allowed_signers). Required with O(signing_key).
    type: str
  cache_dir:
    description: Where the clone of a git repository is kept. Left out, a folder of this user under the folder for temporary files.
    type: path
  lock_timeout:
    description: How long to wait for other writers, and to try again when they are faster, in seconds.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: Reads the registry, writes nothing, and returns what the run would do.
  diff_mode:
    support: full
    description: The entry before and after.
  idempotent:
    support: full
    description: A snapshot is told from others by its region and its id; dates change only with something else.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.boto3
seealso:
  - module: petal.hpc.snapshot_registry_info
  - module: petal.hpc.ebs_snapshot
"""

EXAMPLES = r"""
- name: Register a software snapshot
  petal.hpc.snapshot_registry:
    registry: /srv/petal-snapshots
    name: bioinformatics-v1
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    fingerprint: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    os: al2023
    architecture: x86_64
    target: x86_64_v3
    size_gib: 500
    description: Genomics and bioinformatics
    packages: [samtools@1.17, bwa@0.7.17]
    seed: "{{ lookup('ansible.builtin.file', 'bioinformatics.yaml') }}"

- name: Register a proven snapshot in S3 and sign the entry
  petal.hpc.snapshot_registry:
    registry: s3://example-software/registry
    name: bioinformatics-v1
    region: us-east-1
    snapshot_id: snap-0123456789abcdef0
    fingerprint: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    proof: passed
    signing_key: /etc/petal/registry_key
    signer: builds@example.com

- name: Say that an entry was checked, with a signature of the maintainers
  petal.hpc.snapshot_registry:
    state: verified
    registry: git+ssh://git@example.com/petal-snapshots.git?branch=main
    name: bioinformatics-v1
    signing_key: /etc/petal/maintainers_key
    signer: maintainers@example.com

- name: Recommend a snapshot no longer
  petal.hpc.snapshot_registry:
    state: retired
    registry: /srv/petal-snapshots
    name: bioinformatics-v1
    superseded_by: bioinformatics-v2

- name: Forget one snapshot
  petal.hpc.snapshot_registry:
    state: absent
    registry: /srv/petal-snapshots
    name: bioinformatics-v1
    snapshot_id: snap-0123456789abcdef0

- name: Make the index anew after it was lost or damaged
  petal.hpc.snapshot_registry:
    state: repaired
    registry: /srv/petal-snapshots
"""

RETURN = r"""
index:
  description: What has become of the index.
  returned: with O(state=repaired)
  type: dict
  contains:
    added:
      description: The entries that it names now and did not name before.
      type: list
      elements: str
      sample: [bioinformatics-v1]
    removed:
      description: The names that it had, and that no file has.
      type: list
      elements: str
      sample: []
entry:
  description: The entry after the run; null when it has been removed, and with O(state=repaired).
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: bioinformatics-v1
    description:
      description: One line about it.
      type: str
      sample: Genomics and bioinformatics
    packages:
      description: The packages that users asked for.
      type: list
      elements: str
      sample: [bwa@0.7.17, samtools@1.17]
    tags:
      description: Words to find it by, from O(labels).
      type: list
      elements: str
      sample: [genomics]
    public:
      description: Whether everybody may use its snapshots.
      type: bool
      sample: false
    verified:
      description: Whether somebody other than the author has checked it; this module never says so.
      type: bool
      sample: false
    seed_url:
      description: Where its seed lies in the registry.
      type: str
      sample: seeds/bioinformatics-v1.yaml
    created:
      description: The date of its first registration.
      type: str
      sample: "2026-11-22"
    updated:
      description: The date of its last change.
      type: str
      sample: "2026-11-22"
    regions:
      description: The regions that it has snapshots in.
      type: list
      elements: str
      sample: [us-east-1]
    signatures:
      description: Its signatures, each with C(signer) and C(signature).
      type: list
      elements: dict
    signed_by:
      description: Whose signatures were found to count; this module does not look, M(petal.hpc.snapshot_registry_info) does.
      type: list
      elements: str
      sample: []
    snapshots:
      description: Its snapshots, with the fields of O(region), O(snapshot_id), O(fingerprint) and those that describe a variant.
      type: list
      elements: dict
commit:
  description: The commit that holds the change; null when nothing changed, and where the registry is not in git.
  returned: always
  type: str
  sample: 9fceb02d0ae598e95dc970b74767f19372d61af8
files:
  description: The files that hold the entry, as paths or addresses.
  returned: always
  type: dict
  sample: {"index": "/srv/petal-snapshots/index.json", "entry": "/srv/petal-snapshots/snapshots/bioinformatics-v1.json"}
"""

import base64
import datetime

from ..module_utils._aws.run import run_module
from ..module_utils._core.ebs.snapshot import canonical_fingerprint
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.registry.entries import (
    Entry,
    RegisteredSnapshot,
    Registration,
    check_registration,
    deprecate,
    register,
    remove,
    retire,
    verify,
)
from ..module_utils._core.software.facts import FIELDS, software_from
from ..module_utils._registry.open import open_store
from ..module_utils._registry.signing import Signer
from ..module_utils._registry.store import INDEX_FILES, Access, digest_of

WITH_A_NAME = ("deprecated", "retired", "verified", "absent")
# The fields of what is built, by their kind, as options.
OPTION_TYPES = {
    "text": {},
    "int": {"type": "int"},
    "float": {"type": "float"},
    "list": {"type": "list", "elements": "str"},
    "dict": {"type": "dict"},
}
ARGUMENT_SPEC = {
    "state": {"choices": ["present", *WITH_A_NAME, "repaired"], "default": "present"},
    "registry": {"required": True},
    "name": {},
    "snapshot_id": {},
    **{field.name: OPTION_TYPES[field.kind] for field in FIELDS},
    "architecture": {"choices": ["x86_64", "arm64"]},
    "proof": {"choices": ["passed", "failed"]},
    "size_gib": {"type": "int"},
    "configuration": {},
    "variant_description": {},
    "sbom_content": {},
    "aws_account": {},
    "description": {},
    "packages": {"type": "list", "elements": "str"},
    "labels": {"type": "list", "elements": "str"},
    "public": {"type": "bool"},
    "seed": {},
    "report": {"type": "dict"},
    "recommend": {"type": "bool", "default": True},
    "superseded_by": {},
    "signing_key": {"type": "path"},
    "signer": {},
    "cache_dir": {"type": "path"},
    "lock_timeout": {"type": "int", "default": 60},
}


def run(params, store, region, today, check_mode):
    """Bring one entry to the requested state.

    store: from open_store. region: where a snapshot to register lies. today: the date of a change, as "2026-11-22".
    """
    if params["state"] == "repaired":
        return repair(store, params["lock_timeout"], check_mode)
    name, seed, sbom = params["name"], None, None
    if params["state"] == "present":
        seed, sbom = params["seed"], sbom_from(params)
        params = {**params, "sbom": digest_of(sbom) if sbom else params["sbom"]}
    outcome = store.update(
        name,
        lambda found: decide(params, found, region, today),
        seed,
        sbom=sbom,
        vouch=params["state"] == "verified",
        time_limit=params["lock_timeout"],
        save=not check_mode,
    )
    return result(store, name, outcome)


def repair(store, time_limit, check_mode):
    """Make the index of a registry anew from its entry files."""
    done = store.repair(time_limit=time_limit, save=not check_mode)
    return {
        "changed": done.changed,
        "index": {"added": list(done.added), "removed": list(done.removed)},
        "entry": None,
        "files": {"index": store.where(INDEX_FILES[0])},
        "diff": {"before": {"names": list(done.removed)}, "after": {"names": list(done.added)}},
        "warnings": store.notes,
        "commit": store.committed,
    }


def sbom_from(params):
    """Return the text of the bill of materials, None where there is none; raises ExplainedError for one that is not what `sbom` says."""
    if not params["sbom_content"]:
        return None
    try:
        text = base64.b64decode(params["sbom_content"], validate=True).decode()
    except ValueError as error:
        raise ExplainedError(
            f"sbom_content cannot be decoded: {error}.", resource=params["name"], next_step="Give it as ansible.builtin.slurp returns it."
        ) from error
    if params["sbom"] not in (None, digest_of(text)):
        raise ExplainedError(
            f"sbom is {params['sbom']}, but sbom_content has the hash {digest_of(text)}.",
            resource=params["name"],
            next_step="Read both from the same volume, or leave sbom out.",
        )
    return text


def decide(params, found, region, today):
    """Return the entry as it has to be, without snapshots when it has to go, or None when there is nothing to remove."""
    if params["state"] == "present":
        return register(found, registration_from(params, region), today)
    fingerprint = canonical_fingerprint(params["fingerprint"]) if params["fingerprint"] else None
    matching = RegisteredSnapshot(region="", snapshot_id=params["snapshot_id"] or "", fingerprint=fingerprint)
    if params["state"] == "absent":
        if found:
            return remove(found, matching, today)
        # Without a file there may still be its name in the index.
        return None if matching.snapshot_id or fingerprint else Entry(params["name"])
    if found is None:
        raise ExplainedError(
            f"There is no entry {params['name']} in {params['registry']} to mark as {params['state']}.",
            resource=params["name"],
            next_step="Check the name; petal.hpc.snapshot_registry_info lists all entries.",
        )
    if params["state"] == "verified":
        return verify(found, today)
    mark = deprecate if params["state"] == "deprecated" else retire
    return mark(found, matching, today, params["superseded_by"])


def registration_from(params, region):
    """Return the Registration that the options describe."""
    snapshot = RegisteredSnapshot(
        region=region,
        description=params["variant_description"],
        **software_from(params).facts,
        **{name: params[name] for name in ("snapshot_id", "size_gib", "configuration", "aws_account")},
    )
    packages = params["packages"] if params["packages"] is not None else params["specs"]
    return check_registration(
        Registration(
            name=params["name"],
            snapshot=snapshot,
            description=params["description"],
            packages=None if packages is None else tuple(packages),
            tags=None if params["labels"] is None else tuple(params["labels"]),
            public=params["public"],
            has_seed=params["seed"] is not None,
            report=params["report"],
            recommend=params["recommend"],
        )
    )


def result(store, name, outcome):
    kept = outcome.after if outcome.after and outcome.after.snapshots else None
    diff = {"before": outcome.before.to_result() if outcome.before else {}, "after": kept.to_result() if kept else {}}
    return {
        "changed": outcome.changed,
        "entry": kept.to_result() if kept else None,
        "files": store.files_of(name),
        "diff": diff,
        "warnings": store.notes,
        "commit": store.committed,
    }


def run_for(module):
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    if module.params["state"] == "present" and not module.region:
        module.fail_json(msg="The region of the snapshot is not known. Set region, or AWS_REGION in the environment.")
    access = Access(s3=lambda: module.client("s3"), cache_dir=module.params["cache_dir"])
    store = open_store(module.params["registry"], access)
    if module.params["signing_key"]:
        store.signer = Signer(module.params["signer"], module.params["signing_key"])
    return run(module.params, store, module.region, today, module.check_mode)


def main():
    run_module(
        run_for,
        ARGUMENT_SPEC,
        required_if=[("state", "present", ("name", "snapshot_id", "fingerprint")), *(("state", state, ("name",)) for state in WITH_A_NAME)],
        required_by={"signing_key": "signer"},
    )


if __name__ == "__main__":
    main()
