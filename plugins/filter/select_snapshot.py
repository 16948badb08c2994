# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: select_snapshot
short_description: Choose the snapshot that a cluster should mount
version_added: 0.1.0
description:
  - Chooses among snapshots that are known already, by the rules of M(petal.hpc.snapshot_registry_info), and says why.
  - The smallest that is large enough is taken, of these the newest, of these the one with the smallest id.
  - Asks AWS nothing. A snapshot without C(state) or C(owner_id) is taken as complete and trusted.
author: petal.hpc contributors (@petal-hpc)
positional: _input
options:
  _input:
    description: Snapshots, as C(candidates) of M(petal.hpc.snapshot_registry_info) or C(snapshots) of M(petal.hpc.ebs_snapshot_info).
    type: list
    elements: dict
    required: true
  fingerprint:
    description: The fingerprint that the snapshot must carry. Left out, any.
    type: str
  region:
    description: The region that the snapshot must be in. Left out, any.
    type: str
  os:
    description: The operating system that the software must be for. Left out, any.
    type: str
  architecture:
    description: The architecture that the software must be for. Left out, any.
    type: str
    choices: [x86_64, arm64]
  target:
    description: The CPU target that the software must be built for. Left out, any.
    type: str
  configuration:
    description: The configuration that the snapshot must name. Left out, any.
    type: str
  size_gib:
    description: The least size of the snapshot's volume in GiB. Left out, any.
    type: int
  trusted_accounts:
    description: The accounts whose snapshots may be used, the own one among them. Left out, all.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Choose among the snapshots of this account
  ansible.builtin.debug:
    msg: "{{ listed.snapshots | petal.hpc.select_snapshot(os='al2023', architecture='x86_64', size_gib=200) }}"
"""

RETURN = r"""
_value:
  description:
    - C(found), C(snapshot), C(candidates) and C(trace) as M(petal.hpc.snapshot_registry_info) returns them, and C(msg) when nothing fits.
  type: dict
"""

import dataclasses

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.registry.selection import Candidate, Wanted, candidate_from_dict, not_found_text, select_snapshot

OPTIONS = tuple(field.name for field in dataclasses.fields(Wanted))


def select(snapshots, **wanted):
    """Return the selection among snapshots given as dictionaries; see DOCUMENTATION."""
    unknown = sorted(set(wanted) - set(OPTIONS))
    if unknown:
        raise AnsibleFilterError(f"select_snapshot does not know {', '.join(unknown)}; choose from {', '.join(OPTIONS)}.")
    accounts = wanted.get("trusted_accounts")
    asked = Wanted(**{**wanted, "trusted_accounts": None if accounts is None else tuple(str(account).zfill(12) for account in accounts)})
    try:
        candidates: list[Candidate] = [candidate_from_dict(snapshot) for snapshot in snapshots]
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    selection = select_snapshot(candidates, asked)
    missing = {} if selection.chosen else {"msg": not_found_text(asked, candidates)}
    return {**selection.to_result(), **missing}


class FilterModule:
    """The filter petal.hpc.select_snapshot."""

    def filters(self):
        return {"select_snapshot": select}
