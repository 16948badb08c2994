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
    description: >-
      Change a cluster that exists to O(config). Without it a cluster that exists stays as it is, and an O(config) that differs from what it
      runs with is refused with the difference.
    type: bool
    default: false
  running_config:
    description: >-
      The file that is held against O(config) where the configuration of a cluster that exists cannot be read from where ParallelCluster
      keeps it; a warning says so. Without it, or where there is no such file, nothing is compared, and the warning says that.
    type: path
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
compared:
  description: Whether the configuration of a cluster that exists was held against O(config), and is the same.
  returned: always
  type: bool
  sample: true
cluster:
  description: The cluster as it was found, as M(petal.hpc.cluster_info) describes it; null when there was none.
  returned: always
  type: dict
"""

import functools
import os
import pathlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

from ..module_utils._aws.clusters import ClusterGateway
from ..module_utils._aws.run import AnsibleAWSModule, run_module
from ..module_utils._core.cluster.difference import differences, parse_config
from ..module_utils._core.cluster.state import Agreed, Cluster, check_account, check_deletion, check_same, plan_presence
from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plan import Plan
from ..module_utils._pcluster.command import PclusterCommand, find_access

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "config": {"type": "path"},
    "update": {"type": "bool", "default": False},
    "running_config": {"type": "path"},
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
    warnings: list[str] = []
    compared = bool(found and params["state"] == "present" and not plan.actions) and compare(params, gateway, found, warnings)
    if plan.changed and not check_mode:
        (action,) = plan.actions
        if found:
            check_account(found, command.account())
        if action == "delete":
            command.delete(params["name"])
        else:
            getattr(command, action)(params["name"], params["config"])
    return {
        "changed": plan.changed,
        "action": plan.actions[0] if plan.actions else "none",
        "compared": compared,
        "cluster": plan.before,
        "diff": plan.diff(),
        "warnings": warnings,
    }


def compare(params: dict[str, Any], gateway: ClusterGateway, found: Cluster, warnings: list[str]) -> bool:
    """Refuse a configuration that differs from the cluster's own; say whether that is known. Adds to warnings."""
    name = params["name"]
    try:
        own, where = gateway.config(found), f"cluster {name}"
    except ExplainedError as error:
        own, where = read(params["running_config"]), params["running_config"]
        instead = f"The file {where} was held against it instead, which may differ." if own is not None else "Nothing was compared."
        warnings.append(f"What cluster {name} runs with cannot be read. {error} {instead}")
    if own is None:
        return False
    new = read(params["config"])
    if new is None:
        raise ExplainedError(f"The file {params['config']} does not exist.", resource=name, next_step="Name the configuration with config.")
    check_same(name, differences(parse_config(own, where), parse_config(new, params["config"])), params["config"])
    return True


def read(path: str | None) -> str | None:
    try:
        return pathlib.Path(path).read_text(encoding="utf-8") if path else None
    except FileNotFoundError:
        return None


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


def run_pcluster(module: AnsibleAWSModule, arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run pcluster in this environment: Ansible only adds to that of this process, and what the shell says of AWS must not be there."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(environment)
        return module.run_command(arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_for(module: AnsibleAWSModule) -> dict[str, Any]:
    gateway = ClusterGateway(module.client("cloudformation"), module.client("ec2"), module.client("s3"))
    access = find_access(*get_aws_connection_info(module))
    command = PclusterCommand(functools.partial(run_pcluster, module), module.params["pcluster"], access)
    return run(module.params, gateway, command, module.check_mode)


def main() -> None:
    run_module(run_for, ARGUMENT_SPEC, required_if=[("state", "present", ["config"])])


if __name__ == "__main__":
    main()
