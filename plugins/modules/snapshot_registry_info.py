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
  - A source that cannot be read is reported as a warning, and the next one is asked.
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
  use_tags:
    description: Whether to look among this account's own snapshots first.
    type: bool
    default: true
  registries:
    description:
      - Registries to look in, in this order, as directories on the host where the task runs.
      - A file is read as the description of an account that publishes snapshots.
    type: list
    elements: str
    default: []
  trusted_accounts:
    description: Accounts whose snapshots may be used beside this account's own. Left out, none.
    type: list
    elements: str
    default: []
  name:
    description: Only the entry of that name, when listing. Left out, all.
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
msg:
  description: What is missing, and which variants there are.
  returned: when nothing fits
  type: str
  sample: "no snapshot found for region=us-east-1, os=al2023. There is: alinux2023, x86_64, 500 GiB in eu-west-1."
entries:
  description: The entries, in the order of the registries and their names, with the fields that M(petal.hpc.snapshot_registry) returns.
  returned: without O(fingerprint)
  type: list
  elements: dict
"""

import dataclasses

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.registry_store import open_registry
from ..module_utils._aws.snapshots import SnapshotGateway
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.registry import check_name
from ..module_utils._core.selection import (
    Wanted,
    candidate_from_aws,
    candidate_from_registry,
    confirmed,
    not_found_text,
    select_snapshot,
)
from ..module_utils._core.snapshot import canonical_fingerprint

ARGUMENT_SPEC = {
    "fingerprint": {},
    "os": {},
    "architecture": {"choices": ["x86_64", "arm64"]},
    "target": {},
    "configuration": {},
    "size_gib": {"type": "int"},
    "use_tags": {"type": "bool", "default": True},
    "registries": {"type": "list", "elements": "str", "default": []},
    "trusted_accounts": {"type": "list", "elements": "str", "default": []},
    "name": {},
    "search": {},
}


def run(params, gateway, region):
    """Find one snapshot, or list entries; `gateway` is a SnapshotGateway or its fake, needed only to find."""
    return find(params, gateway, region) if params["fingerprint"] else list_entries(params)


def find(params, gateway, region):
    """Ask each source in turn until one has a snapshot that fits."""
    wanted = wanted_from(params, region)
    asked, trace, warnings = [], [], []
    for source, ask in sources(params, gateway, wanted):
        try:
            candidates, notes = ask()
        except ExplainedError as error:
            warnings.append(f"{source} is left out: {error}")
            trace.append(warnings[-1])
            continue
        selection = select_snapshot(candidates, with_own_account(wanted, gateway) if candidates else wanted)
        asked += selection.candidates
        trace += [f"{source}: {count(candidates)}.", *selection.trace]
        warnings += notes
        warnings += selection.warnings
        if selection.chosen:
            found = dataclasses.replace(selection, candidates=tuple(asked), trace=tuple(trace))
            return {"changed": False, "warnings": warnings, **found.to_result()}
    nothing = dataclasses.replace(select_snapshot((), wanted), candidates=tuple(asked), trace=tuple(trace))
    return {"changed": False, "warnings": warnings, "msg": not_found_text(wanted, asked), **nothing.to_result()}


def sources(params, gateway, wanted):
    """Yield the name of each source and the function that asks it; the function returns candidates and notes."""
    if params["use_tags"]:
        name = f"tags in {wanted.region}"
        yield name, lambda: ([candidate_from_aws(one, wanted.region, name) for one in gateway.find_by_fingerprint(wanted.fingerprint)], [])
    for path in params["registries"]:
        yield f"registry {path}", lambda path=path: ask_registry(path, gateway, wanted)


def ask_registry(path, gateway, wanted):
    """Return what a registry knows of the fingerprint, confirmed by AWS where it is in the wanted region, and its notes."""
    registry = open_registry(path)
    names = [line.name for line in registry.read_index().find(wanted.fingerprint)]
    claimed = [
        candidate_from_registry(snapshot, entry.name, f"registry {path}")
        for entry in registry.read_entries(names)
        for snapshot in entry.snapshots
        if snapshot.fingerprint == wanted.fingerprint
    ]
    real = gateway.find_visible(one.snapshot_id for one in claimed if one.region == wanted.region)
    candidates = [confirmed(one, real.get(one.snapshot_id)) if one.region == wanted.region else one for one in claimed]
    return candidates, registry.notes


def with_own_account(wanted, gateway):
    return dataclasses.replace(wanted, trusted_accounts=(*wanted.trusted_accounts, gateway.own_account()))


def wanted_from(params, region):
    """Return what the options ask for; a number in trusted_accounts has lost its leading zeros."""
    same = ("os", "architecture", "target", "configuration", "size_gib")
    return Wanted(
        fingerprint=canonical_fingerprint(params["fingerprint"]),
        region=region,
        trusted_accounts=tuple(account.zfill(12) for account in params["trusted_accounts"]),
        **{field: params[field] for field in same},
    )


def count(candidates):
    if not candidates:
        return "no snapshot carries the fingerprint"
    return "one snapshot carries the fingerprint" if len(candidates) == 1 else f"{len(candidates)} snapshots carry the fingerprint"


def list_entries(params):
    """Return the entries of the registries that match name and search."""
    entries, warnings = [], []
    for path in params["registries"]:
        try:
            registry = open_registry(path)
            names = registry.read_index().names
            wanted = [name for name in names if params["name"] in (None, name)]
            entries += [
                {**entry.to_result(), "source": f"registry {path}"}
                for entry in registry.read_entries(wanted)
                if matches(entry, params["search"])
            ]
            warnings += registry.notes
        except ExplainedError as error:
            warnings.append(f"registry {path} is left out: {error}")
    return {"changed": False, "entries": entries, "warnings": warnings}


def matches(entry, term):
    text = " ".join([entry.name, entry.description or "", *entry.tags, *entry.packages])
    return term is None or term.lower() in text.lower()


def main():
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        if module.params["name"]:
            check_name(module.params["name"])
        gateway = None
        if module.params["fingerprint"]:
            gateway = SnapshotGateway(module.client("ec2"), sts=lambda: module.client("sts"))
        result = run(module.params, gateway, gateway.region if gateway else None)
    except ExplainedError as error:
        module.fail_json(**error.to_result())
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
