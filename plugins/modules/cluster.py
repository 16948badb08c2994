#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: cluster
short_description: Create, update and delete a ParallelCluster by its own command
version_added: 0.1.0
description:
  - Runs the real C(pcluster) command, from the environment that it is installed in. What exists is read from CloudFormation and tags.
  - The command gets the credentials that the task itself uses, also where the shell has others, and acts on no other account.
  - Returns once AWS has taken the request. M(petal.hpc.cluster_wait) follows it and says how it goes.
  - Deletes only what has been confirmed by name, and refuses while data or running nodes would be lost.
options:
  name:
    description: The cluster's name.
    type: str
    required: true
  state:
    description: V(present) creates the cluster unless it exists, V(absent) deletes it if it does.
    type: str
    choices: [present, absent]
    default: present
  config:
    description: The file with the ParallelCluster configuration. Needed where O(state=present).
    type: path
  update:
    description: Change a cluster that exists to O(config). Without it a cluster that exists stays as it is.
    type: bool
    default: false
  fingerprint:
    description: The fingerprint of the software. A cluster of that name with other software is refused unless O(update=true).
    type: str
  pcluster:
    description: The path of the C(pcluster) command.
    type: path
    required: true
  confirm:
    description: The cluster's name once more, to delete it.
    type: str
    default: ""
  delete_data:
    description: Whether shared storage may go that is deleted with the cluster and holds more than the software.
    type: bool
    default: false
  stop_jobs:
    description: Whether the cluster may go while compute nodes run.
    type: bool
    default: false
  foreign_cluster:
    description: Whether a cluster may go that petal.hpc has not made.
    type: bool
    default: false
extends_documentation_fragment:
  - petal.hpc.ebs
  - amazon.aws.common.modules
  - amazon.aws.region.modules
seealso:
  - module: petal.hpc.cluster_info
  - module: petal.hpc.cluster_wait
"""

EXAMPLES = r"""
- name: Create a cluster
  petal.hpc.cluster:
    name: genomics
    config: genomics.cluster.yaml
    pcluster: /opt/pcluster/bin/pcluster
    region: us-east-1

- name: Delete it
  petal.hpc.cluster:
    name: genomics
    state: absent
    confirm: genomics
    pcluster: /opt/pcluster/bin/pcluster
    region: us-east-1
"""

RETURN = r"""
action:
  description: What was asked of AWS, or would be in check mode - V(create), V(update), V(delete) or V(none).
  returned: always
  type: str
  sample: create
cluster:
  description: The cluster as it was found, as M(petal.hpc.cluster_info) describes it; null when there was none.
  returned: always
  type: dict
"""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

try:
    import boto3
except ImportError:  # AnsibleAWSModule reports the missing library.
    boto3 = None

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.clusters import ClusterGateway
from ..module_utils._aws.errors import explained
from ..module_utils._aws.pcluster_command import Access, PclusterCommand
from ..module_utils._core.cluster_state import Agreed, Cluster, check_account, check_deletion, plan_presence
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plan import Plan

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "config": {"type": "path"},
    "update": {"type": "bool", "default": False},
    "fingerprint": {"type": "str"},
    "pcluster": {"type": "path", "required": True},
    "confirm": {"type": "str", "default": ""},
    "delete_data": {"type": "bool", "default": False},
    "stop_jobs": {"type": "bool", "default": False},
    "foreign_cluster": {"type": "bool", "default": False},
}


def run(params: dict[str, Any], gateway: ClusterGateway, command: PclusterCommand, check_mode: bool) -> dict[str, Any]:
    """Bring one cluster to the requested state; `gateway` and `command` may be fakes."""
    found = gateway.find_cluster(params["name"])
    plan = plan_state(params, gateway, found)
    if plan.changed and not check_mode:
        (action,) = plan.actions
        if found:
            check_account(found, command.account())
        if action == "delete":
            command.delete(params["name"])
        else:
            getattr(command, action)(params["name"], params["config"])
    return {"changed": plan.changed, "action": plan.actions[0] if plan.actions else "none", "cluster": plan.before, "diff": plan.diff()}


def plan_state(params: dict[str, Any], gateway: ClusterGateway, found: Cluster | None) -> Plan:
    before = found.to_result() if found else None
    if params["state"] == "present":
        actions = plan_presence(found, params["name"], params["fingerprint"], update=params["update"])
        return Plan(actions, before, {**(before or {}), "name": params["name"], "config": params["config"]} if actions else before)
    if found is None:
        return Plan()
    if found.status == "DELETE_IN_PROGRESS":
        return Plan((), before, before)
    check_deletion(found, gateway.storage(found), Agreed(**{field.name: params[field.name] for field in fields(Agreed)}))
    return Plan(("delete",), before, None)


def access_of(module: AnsibleAWSModule) -> Access:
    """Return how the task itself reaches AWS, with credentials that another process can be given."""
    region, endpoint_url, options = get_aws_connection_info(module)
    keys = ("profile_name", "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    with explained("find the credentials of the task"):
        found = boto3.session.Session(**{key: options.get(key) for key in keys}).get_credentials()
        if found is None:
            raise ExplainedError("The task has no credentials for AWS.", next_step="Give it a profile, or access_key and secret_key.")
        credentials = found.get_frozen_credentials()
    verify = options.get("verify")
    return Access(
        (credentials.access_key, credentials.secret_key, credentials.token),
        region=region,
        profile=options.get("profile_name"),
        endpoint_url=endpoint_url,
        ca_bundle=verify if isinstance(verify, str) else None,
    )


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, required_if=[("state", "present", ["config"])])

    def run_command(arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
        # Ansible only adds to the environment of this process, and what the shell says of AWS must not be there.
        before = dict(os.environ)
        try:
            os.environ.clear()
            os.environ.update(environment)
            return module.run_command(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)

    try:
        gateway = ClusterGateway(module.client("cloudformation"), module.client("ec2"))
        command = PclusterCommand(run_command, module.params["pcluster"], access_of(module))
        result = run(module.params, gateway, command, module.check_mode)
    except ExplainedError as error:
        module.fail_json(**error.to_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
