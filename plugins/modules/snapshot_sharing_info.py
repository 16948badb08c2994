#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snapshot_sharing_info
version_added: 0.1.0
short_description: Whether the snapshots of a volume could be shared
description:
  - Says it before there is a snapshot, or even a volume, so that nobody waits for software that then must stay in the account.
  - Looks at the key, at what everybody would mean, and at the region's block on public snapshots, as M(petal.hpc.ebs_snapshot) does when
    it shares.
options:
  encrypted:
    description: Whether the volume is encrypted. An account may encrypt all its volumes whatever is asked for; that counts.
    type: bool
    default: true
  kms_key_id:
    description: The id, ARN or alias of the volume's key. Left out, the key that the account uses in this region by default.
    type: str
  share_with:
    description: Accounts that shall be able to use the snapshots.
    type: list
    elements: str
    default: []
  public:
    description: Whether everybody shall be able to.
    type: bool
    default: false
  confirm_public:
    description: Says that everybody on AWS may read what is on the snapshots.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - petal.hpc.ebs.info
seealso:
  - module: petal.hpc.ebs_snapshot
"""

EXAMPLES = r"""
- name: Ask whether a partner could use snapshots under the account's default key
  petal.hpc.snapshot_sharing_info:
    share_with: ["111122223333"]
  register: sharing

- name: Refuse to build what could not be shared
  ansible.builtin.assert:
    that: sharing.possible
    fail_msg: "{{ sharing.msg }}"
"""

RETURN = r"""
possible:
  description: Whether the snapshots could be shared.
  returned: always
  type: bool
  sample: false
msg:
  description: What speaks against it, and what to do.
  returned: when they could not be shared
  type: str
  sample: A snapshot that is encrypted with the default key aws/ebs cannot be shared; its key is alias/aws/ebs.
encrypted:
  description: Whether the volume would be encrypted.
  returned: always
  type: bool
  sample: true
kms_key_id:
  description: The key that it would have; null without encryption.
  returned: always
  type: str
  sample: alias/software
"""

from ..module_utils._aws.run import run_module
from ..module_utils._aws.snapshots import SnapshotGateway
from ..module_utils._core.ebs.sharing import SharingRequest, check_accounts, plan_sharing
from ..module_utils._core.ebs.snapshot import Snapshot
from ..module_utils._core.errors import ExplainedError

ARGUMENT_SPEC = {
    "encrypted": {"type": "bool", "default": True},
    "kms_key_id": {"type": "str", "no_log": False},
    "share_with": {"type": "list", "elements": "str", "default": []},
    "public": {"type": "bool", "default": False},
    "confirm_public": {"type": "bool", "default": False},
}


def run(params, gateway):
    """Say whether snapshots of a volume that need not exist could be shared; `gateway` is a SnapshotGateway or its fake."""
    encrypted = params["encrypted"] or gateway.encrypts_by_default()
    key = (params["kms_key_id"] or gateway.default_key()) if encrypted else None
    request = check_accounts(SharingRequest(tuple(params["share_with"]), (), params["public"] or None, params["confirm_public"]))
    snapshot = Snapshot(None, "pending", encrypted=encrypted, kms_key_id=key)
    known = {"changed": False, "encrypted": encrypted, "kms_key_id": key}
    try:
        plan_sharing(request, snapshot, gateway.sharing_facts(snapshot, request))
    except ExplainedError as error:
        return {**known, "possible": False, "msg": str(error)}
    return {**known, "possible": True}


def run_for(module):
    gateway = SnapshotGateway(module.client("ec2"), sts=lambda: module.client("sts"), kms=lambda: module.client("kms"))
    return run(module.params, gateway)


def main():
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
