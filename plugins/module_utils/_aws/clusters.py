# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ParallelClusters in AWS, read from CloudFormation and EC2. Only ParallelCluster's own command changes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from .._core.cluster.stack_template import parse_template
from .._core.cluster.state import CLUSTER_TAG, NODE_TAG, QUEUE_TAG, VERSION_TAG, Cluster, Event, Node, Storage, storage_of
from .._core.errors import ExplainedError
from .errors import explained

# CloudFormation answers ValidationError for a stack that does not exist.
_NO_STACK = "does not exist"
# Bucket, folder and version of the configuration. Source: aws-parallelcluster 3.16.1, templates.cluster_stack (_add_parameters).
CONFIG_PARAMETERS = ("ResourcesS3Bucket", "ArtifactS3RootDirectory", "ConfigVersion")


class ClusterGateway:
    """cloudformation, ec2, s3: boto3 clients of one region. s3 is only for reading configurations."""

    def __init__(self, cloudformation: Any, ec2: Any, s3: Any = None) -> None:
        self.cloudformation, self.ec2, self.s3 = cloudformation, ec2, s3

    def find_cluster(self, name: str) -> Cluster | None:
        """Return the cluster of that name, or None; a stack that ParallelCluster has not made is none."""
        stacks = [stack for stack in self._stacks(name) if _is_cluster(stack)]
        return _cluster(stacks[0], self.ec2.meta.region_name, self._nodes(name)[name]) if stacks else None

    def list_clusters(self) -> list[Cluster]:
        stacks = [stack for stack in self._stacks(None) if _is_cluster(stack)]
        nodes = self._nodes(None) if stacks else {}
        found = [_cluster(stack, self.ec2.meta.region_name, nodes[stack["StackName"]]) for stack in stacks]
        return sorted(found, key=lambda cluster: cluster.name)

    def storage(self, cluster: Cluster) -> list[Storage]:
        """Return what the cluster's own stack has made for data."""
        with explained("read the template of the cluster's stack", resource=cluster.name):
            body = self.cloudformation.get_template(StackName=cluster.stack_id)["TemplateBody"]
        return storage_of(parse_template(body, cluster.name))

    def config(self, cluster: Cluster) -> str:
        """Return the text of the configuration that the cluster runs with, as ParallelCluster keeps it; raises ExplainedError.

        Source: aws-parallelcluster 3.16.1, models.cluster (_get_cluster_config): a version of an object, named by the stack's parameters.
        """
        bucket, folder, version = (cluster.parameters.get(name) for name in CONFIG_PARAMETERS)
        if not (bucket and folder):
            raise ExplainedError("Its stack does not say where its configuration lies.", resource=cluster.name)
        wanted = {"Bucket": bucket, "Key": f"{folder}/configs/cluster-config.yaml", **({"VersionId": version} if version else {})}
        with explained("read the configuration that the cluster runs with", resource=f"s3://{bucket}/{wanted['Key']}"):
            return self.s3.get_object(**wanted)["Body"].read().decode()

    def events(self, cluster: Cluster) -> list[Event]:
        """Return the stack's history since its last creation, update or deletion was asked for, the newest first."""
        found = []
        with explained("read the history of the cluster's stack", resource=cluster.name):
            for page in self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=cluster.stack_id):
                for event in page["StackEvents"]:
                    found.append(_event(event))
                    if event.get("ResourceStatusReason") == "User Initiated":
                        return found
        return found

    def _stacks(self, name: str | None) -> Iterator[dict[str, Any]]:
        with explained("list the stacks of clusters", resource=name):
            try:
                for page in self.cloudformation.get_paginator("describe_stacks").paginate(**({"StackName": name} if name else {})):
                    yield from page["Stacks"]
            except self.cloudformation.exceptions.ClientError as error:
                if _NO_STACK not in error.response["Error"].get("Message", ""):
                    raise

    def _nodes(self, name: str | None) -> defaultdict[str, tuple[Node, ...]]:
        """Return the instances of one cluster, or of all, by cluster."""
        tagged = {"Name": f"tag:{CLUSTER_TAG}", "Values": [name]} if name else {"Name": "tag-key", "Values": [CLUSTER_TAG]}
        alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        nodes: defaultdict[str, tuple[Node, ...]] = defaultdict(tuple)
        with explained("list the nodes of clusters", resource=name):
            for page in self.ec2.get_paginator("describe_instances").paginate(Filters=[tagged, alive]):
                for instance in (instance for reservation in page["Reservations"] for instance in reservation["Instances"]):
                    tags = _tags(instance.get("Tags"))
                    nodes[tags[CLUSTER_TAG]] += (_node(instance, tags),)
        return nodes


def _is_cluster(stack: dict[str, Any]) -> bool:
    """Say whether a stack is a cluster's own: not one that it contains, and not one of an image."""
    return VERSION_TAG in _tags(stack.get("Tags")) and CLUSTER_TAG in _tags(stack.get("Tags")) and not stack.get("ParentId")


def _cluster(stack: dict[str, Any], region: str, nodes: tuple[Node, ...]) -> Cluster:
    return Cluster(
        name=stack["StackName"],
        region=region,
        status=stack["StackStatus"],
        stack_id=stack["StackId"],
        created=stack["CreationTime"].isoformat(timespec="seconds"),
        updated=stack["LastUpdatedTime"].isoformat(timespec="seconds") if stack.get("LastUpdatedTime") else "",
        stack_tags=_tags(stack.get("Tags")),
        nodes=nodes,
        reason=stack.get("StackStatusReason", ""),
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
    )


def _node(instance: dict[str, Any], tags: dict[str, str]) -> Node:
    return Node(
        instance_id=instance["InstanceId"],
        kind=tags.get(NODE_TAG, ""),
        state=instance["State"]["Name"],
        instance_type=instance["InstanceType"],
        private_ip=instance.get("PrivateIpAddress", ""),
        public_ip=instance.get("PublicIpAddress", ""),
        queue=tags.get(QUEUE_TAG, ""),
    )


def _event(event: dict[str, Any]) -> Event:
    return Event(
        time=event["Timestamp"].isoformat(),
        resource=event["LogicalResourceId"],
        kind=event["ResourceType"],
        status=event["ResourceStatus"],
        reason=event.get("ResourceStatusReason", ""),
    )


def _tags(listed: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed or []}
