#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: cluster_info
short_description: What ParallelClusters there are, and how they are
version_added: 0.1.0
description:
  - Reads CloudFormation and the tags of stacks and instances, nothing else; any controller with access to the account sees the same.
options:
  name:
    description: The cluster to look at. Left out, all of the region.
    type: str
  details:
    description: Whether to say how far the last creation, update or deletion has come, and what data the cluster's stack holds.
    type: bool
    default: false
  config:
    description: >-
      Whether to read the configuration that the cluster runs with, which ParallelCluster keeps in S3. Needs C(s3:GetObject) and
      C(s3:GetObjectVersion) there.
    type: bool
    default: false
extends_documentation_fragment:
  - petal.hpc.ebs.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
"""

EXAMPLES = r"""
- name: List the clusters of a region
  petal.hpc.cluster_info:
    region: us-east-1
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.name }} {{ item.status }} {{ item.head_node_ip }}"
  loop: "{{ found.clusters }}"
"""

RETURN = r"""
clusters:
  description: The clusters, by name. Empty where there is none.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: genomics
    region:
      description: The region.
      type: str
      sample: us-east-1
    status:
      description: The state of its CloudFormation stack.
      type: str
      sample: CREATE_COMPLETE
    reason:
      description: Why the stack is in that state, where CloudFormation says so.
      type: str
      sample: ""
    managed:
      description: Whether petal.hpc has made it.
      type: bool
      sample: true
    seed:
      description: The name of the seed it was made from, from its tags, or null.
      type: str
      sample: genomics
    fingerprint:
      description: The fingerprint of its software, from its tags, or null.
      type: str
      sample: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    snapshot_id:
      description: The snapshot of its software, from its tags, or null.
      type: str
      sample: snap-0123456789abcdef0
    parallelcluster:
      description: The version of aws-parallelcluster that made it.
      type: str
      sample: 3.16.1
    created:
      description: When it was asked for, ISO 8601.
      type: str
      sample: "2026-11-22T12:00:00+00:00"
    updated:
      description: When it was last changed, ISO 8601.
      type: str
      sample: "2026-11-22T12:00:00+00:00"
    stack_id:
      description: The ARN of its stack.
      type: str
    head_node:
      description: Its head node, or null; C(instance_id), C(state), C(instance_type), C(private_ip), C(public_ip).
      type: dict
    head_node_ip:
      description: The head node's public address, else its private one, or null.
      type: str
      sample: 203.0.113.7
    compute_nodes:
      description: How many compute nodes are pending or running.
      type: int
      sample: 2
    login_nodes:
      description: How many login nodes are pending or running.
      type: int
      sample: 0
    progress:
      description: One line on how far the stack has come.
      returned: with O(details)
      type: str
      sample: CREATE_IN_PROGRESS, 12 of 30 resources complete
    failures:
      description: Why it failed, the first cause first.
      returned: with O(details)
      type: list
      elements: str
      sample: []
    storage:
      description: What its stack has made for data, each with C(name), C(kind), C(deletion_policy), C(snapshot_id) and C(title).
      returned: with O(details)
      type: list
      elements: dict
    config:
      description: The text of the configuration that the cluster runs with, or null where it cannot be read.
      returned: with O(config)
      type: str
    config_problem:
      description: Why the configuration cannot be read, or an empty text.
      returned: with O(config)
      type: str
      sample: ""
"""

import dataclasses
from typing import Any

from ..module_utils._aws.clusters import ClusterGateway
from ..module_utils._aws.run import AnsibleAWSModule, run_module
from ..module_utils._core.cluster.state import Cluster, failures, progress_line
from ..module_utils._core.errors import ExplainedError

ARGUMENT_SPEC = {
    "name": {"type": "str"},
    "details": {"type": "bool", "default": False},
    "config": {"type": "bool", "default": False},
}


def run(params: dict[str, Any], gateway: ClusterGateway) -> dict[str, Any]:
    """Describe one cluster, or all; `gateway` is a ClusterGateway or its fake."""
    found = [gateway.find_cluster(params["name"])] if params["name"] else gateway.list_clusters()
    return {"clusters": [described(cluster, gateway, params["details"], params["config"]) for cluster in found if cluster]}


def described(cluster: Cluster, gateway: ClusterGateway, details: bool, config: bool) -> dict[str, Any]:
    result = cluster.to_result()
    if details:
        events = gateway.events(cluster)
        result["progress"] = progress_line(cluster.status, events)
        result["failures"] = failures(events)
        result["storage"] = [dataclasses.asdict(one) for one in gateway.storage(cluster)]
    if config:
        result |= kept_config(cluster, gateway)
    return result


def kept_config(cluster: Cluster, gateway: ClusterGateway) -> dict[str, Any]:
    """Who may look at a cluster need not be allowed to read its bucket."""
    try:
        return {"config": gateway.config(cluster), "config_problem": ""}
    except ExplainedError as error:
        return {"config": None, "config_problem": str(error)}


def run_for(module: AnsibleAWSModule) -> dict[str, Any]:
    gateway = ClusterGateway(module.client("cloudformation"), module.client("ec2"), module.client("s3"))
    return {"changed": False, **run(module.params, gateway)}


def main() -> None:
    run_module(run_for, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
