#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snapshot_registry_info
version_added: 0.1.0
short_description: Find the snapshot of a build, or list what registries hold
description:
  - With O(fingerprint), looks for a snapshot that a cluster can mount, first among this account's own snapshots by their tags,
    then in each registry in the order given. The first source with a snapshot that fits decides.
  - A registry only claims. The snapshot's owner, state and size are those that AWS shows, and the owner must be trusted.
  - Among several that fit, the smallest that is large enough is taken, of these the newest, of these the one with the smallest id.
  - Without O(fingerprint), lists the entries of the registries and asks AWS nothing.
  - A registry that cannot be read is reported as a warning and in RV(unread), and the next one is asked.
  - When AWS refuses to show this account's snapshots, the module fails. Nobody knows then whether there is one, and a caller that took
    that for no would pay for a second build.
author: petal.hpc contributors (@petal-hpc)
options:
  fingerprint:
    description: The fingerprint to look for, with or without C(sha256:). Left out, the entries are listed.
    type: str
  os:
    description: The operating system that the software must be for, under any name that ParallelCluster users give it. Left out, any.
    type: str
  architecture:
    description: The architecture that the software must be for. Left out, any.
    type: str
    choices: [x86_64, arm64]
  target:
    description: The CPU target that the software must be built for. Left out, any.
    type: str
  configuration:
    description: The configuration that an entry must name, such as C(debug). Left out, any.
    type: str
  size_gib:
    description:
      - The least size of the snapshot's volume in GiB, to choose between variants. Left out, any.
      - A restored volume may always be made larger than its snapshot.
    type: int
  packages:
    description:
      - The Spack specs that are wanted. When nothing fits, the nearest entry of the registries is named, with the packages that it
        lacks, has in addition, or has in another version. Left out, no nearest entry is named.
    type: list
    elements: str
    default: []
  sources:
    description:
      - The sources to ask, instead of O(use_tags) and O(registries). Left out, those two.
      - They are asked in the order of their priorities, equal ones in the order given; the first that has a snapshot that fits decides.
    type: list
    elements: dict
    suboptions:
      type:
        description:
          - C(local) is this account's own snapshots, by their tags. The others are registries, and say whose.
          - C(official) and C(community) ones are asked only where O(sources[].enabled) says so.
        type: str
        choices: [local, organization, official, community]
        required: true
      registry:
        description: Where the registry lies, as in O(registries). Required, except for C(local).
        type: str
      account:
        description: The account whose snapshots may be used when this source names them. Left out, none beside O(trusted_accounts).
        type: str
      trusted_accounts:
        description: Further such accounts.
        type: list
        elements: str
        default: []
      priority:
        description: Sources with a smaller number are asked first.
        type: int
        default: 0
      enabled:
        description: Whether the source is asked. Left out, C(local) and C(organization) are, C(official) and C(community) are not.
        type: bool
      allowed_signers:
        description: Whose signatures count for this source. Left out, O(allowed_signers).
        type: path
      require_signature:
        description: Whether this source needs a signature that counts, even when O(require_signature) is false.
        type: bool
        default: false
      require_proof:
        description: Whether this source needs a proof, even when O(require_proof) is false.
        type: bool
        default: false
  use_tags:
    description: Whether to look among this account's own snapshots first. Not used with O(sources).
    type: bool
    default: true
  registries:
    description:
      - Registries to look in, in this order. A directory on the host where the task runs, C(s3://bucket/prefix), C(https://…),
        C(github:owner/repository) or C(git+https://…); F(docs/registry.md) lists the places.
      - A file is read as the description of an account that publishes snapshots.
    type: list
    elements: str
    default: []
  trusted_accounts:
    description: Accounts whose snapshots may be used beside this account's own, whichever source names them. Left out, none.
    type: list
    elements: str
    default: []
  allowed_signers:
    description:
      - The path of a list of those whose signatures count, as ssh-keygen describes it; the namespace is C(registry@petal.hpc).
      - Left out, signatures are not looked at.
    type: path
  require_signature:
    description:
      - Whether only snapshots are used whose entry has a signature that counts.
      - What only tags say of a snapshot is never signed. A registry that is asked needs O(allowed_signers) then.
    type: bool
    default: false
  require_proof:
    description: Whether only snapshots are used whose software was proven to load and run, as their entry or their tag C(petal:proof) says.
    type: bool
    default: false
  require_encryption:
    description: Whether only snapshots are used that AWS says are encrypted.
    type: bool
    default: false
  cache_dir:
    description:
      - Where copies of registries on web servers and in git are kept. A copy is used again while the server says that it is current,
        and when the server cannot be reached; a warning tells how old it is then.
      - Left out, a folder of this user under the folder for temporary files.
    type: path
  update_cache:
    description: Whether to fetch what there is a copy of again, even when the server would say that it is current.
    type: bool
    default: false
  name:
    description: Only the entry of that name, when listing. Left out, all.
    type: str
  sbom:
    description: The hash of a bill of materials of the entry O(name), as one of its snapshots says it. Left out, none is read.
    type: str
  search:
    description: Only entries that contain this text in their name, description, tags or packages, when listing. Left out, all.
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
  - module: petal.hpc.snapshot_registry
  - plugin: petal.hpc.select_snapshot
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Find the snapshot of a variant
  petal.hpc.snapshot_registry_info:
    region: us-east-1
    fingerprint: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    os: al2023
    architecture: x86_64
    registries: [/srv/petal-snapshots]
    trusted_accounts: ["999888777666"]
  register: software

- name: Ask the organization first, then what the project publishes, and use signed and proven software only
  petal.hpc.snapshot_registry_info:
    region: us-east-1
    fingerprint: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    sources:
      - type: organization
        registry: s3://example-software/registry
        account: "123456789012"
        priority: 1
      - type: official
        registry: github:petal-hpc/petal-snapshots
        account: "999888777666"
        enabled: true
        priority: 2
    allowed_signers: /etc/petal/allowed_signers
    require_signature: true
    require_proof: true
  register: software

- name: Say why nothing fits
  ansible.builtin.debug:
    msg: "{{ [software.msg] + software.trace }}"
  when: not software.found

- name: List the entries about genomics
  petal.hpc.snapshot_registry_info:
    registries: [/srv/petal-snapshots]
    search: genomics
"""

RETURN = r"""
found:
  description: Whether a snapshot fits.
  returned: with O(fingerprint)
  type: bool
  sample: true
snapshot:
  description: The snapshot to mount; null when none fits.
  returned: with O(fingerprint)
  type: dict
  contains:
    snapshot_id:
      description: Its id.
      type: str
      sample: snap-0123456789abcdef0
    source:
      description: Where it was found.
      type: str
      sample: tags in us-east-1
    region:
      description: The region it is in.
      type: str
      sample: us-east-1
    fingerprint:
      description: Its fingerprint.
      type: str
      sample: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    name:
      description: The name of the snapshot, or of the registry entry.
      type: str
      sample: bioinformatics-v1
    state:
      description: Its state in AWS; C(missing) when this account sees no such snapshot.
      type: str
      sample: completed
    owner_id:
      description: The account that owns it, from AWS.
      type: str
      sample: "123456789012"
    size_gib:
      description: The size of its volume in GiB, from AWS.
      type: int
      sample: 500
    encrypted:
      description: Whether it is encrypted, from AWS.
      type: bool
      sample: true
    os:
      description: The operating system that the software is for.
      type: str
      sample: alinux2023
    architecture:
      description: The architecture that the software is for.
      type: str
      sample: x86_64
    target:
      description: The CPU target that the software is built for.
      type: str
      sample: x86_64_v3
    configuration:
      description: The configuration that the entry names.
      type: str
      sample: debug
    description:
      description: One line about it.
      type: str
      sample: Full stack
    created:
      description: When it was begun, or registered.
      type: str
      sample: "2026-11-22T23:50:00+00:00"
    deprecated:
      description: Since when it is no longer recommended; the module warns of it.
      type: str
      sample: "2026-12-24"
    retired:
      description: Since when it is out of use. Such a snapshot is never chosen.
      type: str
      sample: "2027-03-01"
    superseded_by:
      description: What takes its place.
      type: str
      sample: bioinformatics-v2
    spack:
      description: The version of Spack that built the software.
      type: str
      sample: v1.2.2
    lock:
      description: The hash of what was really built.
      type: str
      sample: sha256:7d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b0f3a5c7
    proof:
      description: C(passed) when the software was proven to load and run.
      type: str
      sample: passed
    specs:
      description: The packages that users asked for, as far as the source says.
      type: list
      elements: str
      sample: [bwa@0.7, samtools@1.17]
    roots:
      description: The packages that were built for that, as far as the source says.
      type: list
      elements: str
      sample: [bwa@0.7.17, samtools@1.17]
    mount_path:
      description: Where it has to be mounted, as far as the source says.
      type: str
      sample: /shared
    recipes:
      description: The version of the recipes.
      type: str
      sample: v2026.06.0
    compiler:
      description: The compiler that was built for it; null for that of the operating system.
      type: str
      sample: gcc@12.5.0
    externals:
      description: What is used of the nodes' image, name to version. RV(snapshot.image) is that image.
      type: dict
      sample: {}
    image:
      description: The image that RV(snapshot.externals) are of.
      type: str
      sample: ami-0123456789abcdef0
    modules:
      description: How modules are laid out, where that is not as by default.
      type: dict
      sample: {}
    build_options:
      description: The options of the role spack_bootstrap that decide what is built, where they are not as by default.
      type: dict
      sample: {}
    package_count:
      description: The number of packages with all that they need.
      type: int
      sample: 89
    seconds:
      description: How long the build took, in seconds.
      type: float
      sample: 1260.5
    spack_lock:
      description: The hash of C(spack.lock) on the volume.
      type: str
      sample: sha256:1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b0f3a5c77d
    manifest:
      description: The root of the hashes of all files on the volume.
      type: str
      sample: sha256:b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b0f3a5c77d1e24
    sbom:
      description: The hash of the bill of materials on the volume.
      type: str
      sample: sha256:c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b0f3a5c77d1e24b6a9
    parent:
      description: The fingerprint of the software that the build started from; null for one that started from nothing.
      type: str
    parent_snapshot:
      description: The snapshot that the build started from.
      type: str
    generation:
      description: How many builds lie between it and one that started from nothing.
      type: int
    signed_by:
      description: Whose signatures on the entry count.
      type: list
      elements: str
      sample: [builds@example.com]
    verified:
      description: Whether a maintainer of the registry has checked the entry.
      type: bool
      sample: false
candidates:
  description: Every snapshot that came up, with the fields of RV(snapshot), also those that did not fit.
  returned: with O(fingerprint)
  type: list
  elements: dict
trace:
  description: A sentence for each source that was asked and for each snapshot that fell out, in order.
  returned: with O(fingerprint)
  type: list
  elements: str
  sample: ["tags in us-east-1: no snapshot carries the fingerprint."]
unread:
  description: A sentence for each registry, or entry with the fingerprint, that could not be read. It may name a snapshot that fits.
  returned: with O(fingerprint)
  type: list
  elements: str
  sample: ["registry https://example.com/petal is left out: There is no registry at https://example.com/petal. Check the address."]
nearest:
  description: What comes nearest; null when no entry has a package in common with O(packages).
  returned: when nothing fits
  type: dict
  contains:
    name:
      description: The entry.
      type: str
      sample: bioinformatics-v1
    source:
      description: Where it was found.
      type: str
      sample: registry /srv/petal-snapshots
    fingerprint:
      description: Its fingerprint.
      type: str
      sample: sha256:0f3a5c77d1e24b6a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b
    missing:
      description: Wanted packages that it lacks.
      type: list
      elements: str
      sample: [bwa@0.7.17]
    additional:
      description: Packages of it that are not wanted.
      type: list
      elements: str
      sample: [gatk@4.3.0]
    changed:
      description: Packages that it has in another version, each with C(name), C(wanted) and C(there).
      type: list
      elements: dict
      sample: [{"name": "samtools", "wanted": "1.17", "there": "1.16"}]
    platform:
      description: In what it is for another platform, each with C(field), C(wanted) and C(there).
      type: list
      elements: dict
      sample: [{"field": "os", "wanted": "alinux2023", "there": "ubuntu2404"}]
msg:
  description: What is missing, which variants there are, and what comes nearest.
  returned: when nothing fits
  type: str
  sample: "no snapshot found for region=us-east-1, os=al2023. There is: alinux2023, x86_64, 500 GiB in eu-west-1."
entries:
  description: The entries, in the order of the registries and their names, with the fields that M(petal.hpc.snapshot_registry) returns.
  returned: without O(fingerprint)
  type: list
  elements: dict
sbom_content:
  description: The bill of materials that O(sbom) names, encoded in base64; null where no registry that was read has it.
  returned: with O(sbom)
  type: str
  sample: eyJzcGR4VmVyc2lvbiI6ICJTUERYLTIuMyJ9
"""

import base64
import contextlib
import dataclasses

from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshots import SnapshotGateway
from ..module_utils._core.ebs.snapshot import bare, canonical_fingerprint
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.registry.entries import check_name
from ..module_utils._core.registry.index import has_term
from ..module_utils._core.registry.near_miss import nearest
from ..module_utils._core.registry.selection import (
    Wanted,
    candidate_from_aws,
    candidate_from_registry,
    confirmed,
    not_found_text,
    select_snapshot,
)
from ..module_utils._core.registry.sources import LOCAL, TYPES, account_ids, sources_from
from ..module_utils._registry.open import open_registry
from ..module_utils._registry.signing import Verifier
from ..module_utils._registry.store import Access

SOURCE_SPEC = {
    "type": {"choices": list(TYPES), "required": True},
    "registry": {},
    "account": {},
    "trusted_accounts": {"type": "list", "elements": "str", "default": []},
    "priority": {"type": "int", "default": 0},
    "enabled": {"type": "bool"},
    "allowed_signers": {"type": "path"},
    "require_signature": {"type": "bool", "default": False},
    "require_proof": {"type": "bool", "default": False},
}
ARGUMENT_SPEC = {
    "fingerprint": {},
    "os": {},
    "architecture": {"choices": ["x86_64", "arm64"]},
    "target": {},
    "configuration": {},
    "size_gib": {"type": "int"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "sources": {"type": "list", "elements": "dict", "options": SOURCE_SPEC},
    "use_tags": {"type": "bool", "default": True},
    "registries": {"type": "list", "elements": "str", "default": []},
    "trusted_accounts": {"type": "list", "elements": "str", "default": []},
    "allowed_signers": {"type": "path"},
    "require_signature": {"type": "bool", "default": False},
    "require_proof": {"type": "bool", "default": False},
    "require_encryption": {"type": "bool", "default": False},
    "cache_dir": {"type": "path"},
    "update_cache": {"type": "bool", "default": False},
    "name": {},
    "sbom": {},
    "search": {},
}


def run(params, gateway, region, access=None):
    """Find one snapshot, or list entries; `gateway` is a SnapshotGateway or its fake, needed only to find."""
    sources = sources_from(params)
    return Search(params, gateway, region, access).find(sources) if params["fingerprint"] else list_entries(params, sources, access)


class Search:
    """The way through the sources to a snapshot that fits; keeps what each of them said.

    asked: every candidate that came up. indexes: of the registries that were read, by the titles of their sources.
    unread: a sentence for each registry that was not.
    """

    def __init__(self, params, gateway, region, access):
        self._gateway, self._access, self._params = gateway, access, params
        self._wanted = wanted_from(params, region)
        self.asked, self.trace, self.warnings, self.unread, self.indexes = [], [], [], [], {}

    def find(self, sources):
        """Ask each source in turn until one has a snapshot that fits. Raises ExplainedError when AWS does not answer."""
        for source in sources:
            title = source.title(self._wanted.region)
            if not source.enabled:
                self.trace.append(f"{title} is not asked: it is not enabled.")
                continue
            try:
                claimed = () if source.type == LOCAL else self._claimed(source, title)
            except ExplainedError as error:
                self.unread.append(f"{title} is left out: {error}")
                self.warnings.append(self.unread[-1])
                self.trace.append(self.unread[-1])
                continue
            with not_taken_for_missing(self._wanted):
                chosen = self._ask(source, title, claimed)
            if chosen:
                return self._result(chosen)
        return self._result(None)

    def _ask(self, source, title, claimed):
        candidates = self._own(title) if source.type == LOCAL else self._confirmed(claimed)
        selection = select_snapshot(candidates, self._wanted_of(source) if candidates else self._wanted)
        self.asked += selection.candidates
        self.trace += [f"{title}: {count(candidates)}.", *selection.trace]
        self.warnings += selection.warnings
        return selection.chosen

    def _own(self, title):
        wanted = self._wanted
        return [candidate_from_aws(one, wanted.region, title) for one in self._gateway.find_by_fingerprint(wanted.fingerprint)]

    def _claimed(self, source, title):
        """Return what a registry says of the fingerprint."""
        registry = opened(source, self._access)
        wanted = self._wanted
        try:
            self.indexes[title] = index = registry.read_index()
            names = list(dict.fromkeys(line.name for line in index.find(wanted.fingerprint)))
            entries = list(registry.read_entries(names))
            if lost := sorted(set(names) - {entry.name for entry in entries}):
                self.unread.append(f"{title} has the fingerprint under {', '.join(lost)}, which cannot be read.")
            return [
                candidate_from_registry(snapshot, entry, title)
                for entry in entries
                for snapshot in entry.snapshots
                if snapshot.fingerprint and bare(snapshot.fingerprint) == bare(wanted.fingerprint)
            ]
        finally:
            self.warnings += registry.notes

    def _confirmed(self, claimed):
        """Return claims as AWS shows the snapshots, where they are in the wanted region."""
        wanted = self._wanted
        real = self._gateway.find_visible(one.snapshot_id for one in claimed if one.region == wanted.region)
        return [confirmed(one, real.get(one.snapshot_id)) if one.region == wanted.region else one for one in claimed]

    def _wanted_of(self, source):
        """Return what is wanted of a source: what is wanted of all, from whom this one is trusted to name snapshots."""
        return dataclasses.replace(
            self._wanted,
            trusted_accounts=(*self._wanted.trusted_accounts, *source.trusted_accounts, self._gateway.own_account()),
            require_signature=source.require_signature,
            require_proof=source.require_proof,
        )

    def _result(self, chosen):
        found = dataclasses.replace(select_snapshot((), self._wanted), chosen=chosen, candidates=tuple(self.asked), trace=tuple(self.trace))
        missing = {} if chosen else self._missing()
        told = {"warnings": list(dict.fromkeys(self.warnings)), "unread": self.unread}
        return {"changed": False, **told, **missing, **found.to_result()}

    def _missing(self):
        lines = [(title, line) for title, index in self.indexes.items() for line in index.lines]
        platform = {field: getattr(self._wanted, field) for field in ("os", "architecture", "target")}
        near = nearest(lines, self._params["packages"], platform) if self._params["packages"] else None
        text = not_found_text(self._wanted, self.asked)
        return {"msg": f"{text} {near}" if near else text, "nearest": near.to_result() if near else None}


@contextlib.contextmanager
def not_taken_for_missing(wanted):
    """Say of what AWS refuses that it leaves the question open."""
    try:
        yield
    except ExplainedError as error:
        raise ExplainedError(
            f"Nobody knows whether there is a snapshot of {wanted.fingerprint} in {wanted.region}. {error.what}",
            next_step=error.next_step,
            **{"resource": error.resource, **error.details},
        ) from error


def opened(source, access):
    """Return the registry of a source, which knows whose signatures count."""
    registry = open_registry(source.registry, access)
    registry.verifier = Verifier(source.allowed_signers) if source.allowed_signers else None
    return registry


def wanted_from(params, region):
    """Return what the options ask of every source."""
    same = ("os", "architecture", "target", "configuration", "size_gib", "require_encryption")
    return Wanted(
        fingerprint=canonical_fingerprint(params["fingerprint"]),
        region=region,
        trusted_accounts=account_ids(params["trusted_accounts"]),
        **{field: params[field] for field in same},
    )


def count(candidates):
    if not candidates:
        return "no snapshot carries the fingerprint"
    return "one snapshot carries the fingerprint" if len(candidates) == 1 else f"{len(candidates)} snapshots carry the fingerprint"


def list_entries(params, sources, access):
    """Return the entries of the registries that match name and search, as the index alone says which ones to open."""
    entries, warnings, sbom = [], [], None
    for source in sources:
        if source.type == LOCAL or not source.enabled:
            continue
        title = source.title(None)
        try:
            registry = opened(source, access)
            names = registry.read_index().names_that_may_contain(params["search"])
            wanted = [name for name in names if params["name"] in (None, name)]
            entries += [
                {**entry.to_result(), "source": title}
                for entry in registry.read_entries(wanted)
                if params["search"] is None or has_term(entry, params["search"])
            ]
            warnings += registry.notes
            if params["sbom"] and sbom is None:
                sbom = registry.read_sbom(params["name"], params["sbom"])
        except ExplainedError as error:
            warnings.append(f"{title} is left out: {error}")
    content = {"sbom_content": base64.b64encode(sbom.encode()).decode() if sbom else None} if params["sbom"] else {}
    return {"changed": False, "entries": entries, "warnings": warnings, **content}


def run_for(module):
    access = Access(s3=lambda: module.client("s3"), cache_dir=module.params["cache_dir"], refresh=module.params["update_cache"])
    if module.params["name"]:
        check_name(module.params["name"])
    gateway = None
    if module.params["fingerprint"]:
        gateway = SnapshotGateway(module.client("ec2"), sts=lambda: module.client("sts"))
    return run(module.params, gateway, gateway.region if gateway else None, access)


def main():
    run_module(run_for, ARGUMENT_SPEC, mutually_exclusive=[("sources", "registries")], required_by={"sbom": "name"})


if __name__ == "__main__":
    main()
