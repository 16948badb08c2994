# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A ParallelCluster as CloudFormation and tags show it: what it is, how far it has come, and what would be lost with it."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .. import tags
from ..errors import ExplainedError, ManyProblems

# Tags that ParallelCluster sets itself. Source: aws-parallelcluster 3.16.1, constants.PCLUSTER_*_TAG.
CLUSTER_TAG, VERSION_TAG, NODE_TAG, QUEUE_TAG = (
    f"parallelcluster:{name}" for name in ("cluster-name", "version", "node-type", "queue-name")
)
HEAD_NODE, COMPUTE, LOGIN_NODE = "HeadNode", "Compute", "LoginNode"
# What a cluster's template keeps data on. Source: aws-parallelcluster 3.16.1, templates.cluster_stack.
STORAGE = {"AWS::EC2::Volume": "EBS volume", "AWS::EFS::FileSystem": "EFS file system", "AWS::FSx::FileSystem": "FSx file system"}
SOFTWARE_TITLE = re.compile(r"software(-[0-9a-f]{12})?")
# A failed update leaves the cluster as it was.
USABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


@dataclasses.dataclass(frozen=True)
class Node:
    """One instance of a cluster. kind: HeadNode, Compute or LoginNode; state: EC2's."""

    instance_id: str
    kind: str
    state: str
    instance_type: str
    private_ip: str = ""
    public_ip: str = ""
    queue: str = ""


@dataclasses.dataclass(frozen=True)
class Storage:
    """What the cluster's stack has made for data.

    name: in the template. snapshot_id: what a volume was made from, or "". title: its name in the configuration, or "".
    """

    name: str
    kind: str
    deletion_policy: str
    snapshot_id: str = ""
    title: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.title} ({self.name})" if self.title else f"{self.kind} {self.name}"

    @property
    def holds_software(self) -> bool:
        """Say whether petal.hpc has named it so: the first software of a cluster, or what an upgrade brought."""
        return bool(self.snapshot_id and SOFTWARE_TITLE.fullmatch(self.title))


@dataclasses.dataclass(frozen=True)
class Event:
    """One line of the stack's history; time: ISO 8601."""

    time: str
    resource: str
    kind: str
    status: str
    reason: str = ""

    @property
    def failed(self) -> bool:
        # What was cancelled because something else failed explains nothing.
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason.lower()


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A cluster. status: CloudFormation's, of its stack. stack_tags, parameters: those of the stack."""

    name: str
    region: str
    status: str
    stack_id: str
    created: str
    updated: str = ""
    stack_tags: dict[str, str] = dataclasses.field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    reason: str = ""
    parameters: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def head_node(self) -> Node | None:
        """The head node; of several, as after a failed replacement, the one that runs."""
        heads = [node for node in self.nodes if node.kind == HEAD_NODE and node.state not in ("terminated", "shutting-down")]
        return min(heads, key=lambda node: node.state != "running", default=None)

    def count(self, kind: str) -> int:
        return sum(node.kind == kind and node.state in ("pending", "running") for node in self.nodes)

    def to_result(self) -> dict[str, Any]:
        head = self.head_node
        return {
            "name": self.name,
            "region": self.region,
            "status": self.status,
            "reason": self.reason,
            "managed": tags.ours(self.stack_tags),
            "seed": tags.read(self.stack_tags, tags.SEED),
            "fingerprint": tags.read(self.stack_tags, tags.FINGERPRINT),
            "snapshot_id": tags.read(self.stack_tags, tags.SNAPSHOT_ID),
            "parallelcluster": self.stack_tags.get(VERSION_TAG),
            "created": self.created,
            "updated": self.updated or self.created,
            "stack_id": self.stack_id,
            "head_node": dataclasses.asdict(head) if head else None,
            "head_node_ip": (head.public_ip or head.private_ip) if head else None,
            "compute_nodes": self.count(COMPUTE),
            "login_nodes": self.count(LOGIN_NODE),
        }


def storage_of(template: Mapping[str, Any]) -> list[Storage]:
    """Return what a stack's template keeps data on, by name; without a DeletionPolicy CloudFormation deletes."""
    found = []
    for name, resource in (template.get("Resources") or {}).items():
        if resource.get("Type") in STORAGE:
            properties = resource.get("Properties") or {}
            snapshot, policy = properties.get("SnapshotId"), resource.get("DeletionPolicy", "Delete")
            listed = [*(properties.get("Tags") or []), *(properties.get("FileSystemTags") or [])]
            titles = [tag["Value"] for tag in listed if tag.get("Key") == "Name" and isinstance(tag.get("Value"), str)]
            found.append(Storage(name, STORAGE[resource["Type"]], policy, snapshot if isinstance(snapshot, str) else "", *titles[:1]))
    return sorted(found, key=lambda one: one.name)


def progress_line(status: str, events: Iterable[Event]) -> str:
    """Say in one line how far a stack has come; events: all of its history."""
    last: dict[str, Event] = {}
    for event in sorted(events, key=lambda event: event.time):
        last[event.resource] = event
    counts = Counter("failed" if event.failed else event.status.rpartition("_")[2].lower() for event in last.values())
    failed = [event for event in last.values() if event.failed]
    line = f"{status}, {counts['complete']} of {len(last)} resources complete"
    return f"{line}, {failed[0].resource} failed: {failed[0].reason}" if failed else line


def failures(events: Iterable[Event]) -> list[str]:
    """Return why a stack failed, the first cause first."""
    ordered = sorted((event for event in events if event.failed), key=lambda event: event.time)
    return [f"{event.resource} ({event.kind}): {event.reason or event.status}" for event in ordered]


def is_settled(status: str) -> bool:
    """Say whether nothing more happens to a stack by itself."""
    return not status.endswith("_IN_PROGRESS")


def check_account(cluster: Cluster, account: str) -> None:
    """Refuse to change a cluster for another account than the one that it was found in. account: that of the command's credentials."""
    found = (cluster.stack_id.split(":") + [""] * 5)[4]
    if found != account:
        raise ExplainedError(
            f"Cluster {cluster.name} was found in account {found or 'unknown'}, and the pcluster command would act for account {account}.",
            resource=cluster.name,
            next_step="Nothing was changed. Give the task the credentials of the cluster's account: profile, or access_key and secret_key.",
        )


def plan_presence(found: Cluster | None, name: str, fingerprint: str | None, *, update: bool) -> tuple[str, ...]:
    """Decide how a cluster comes to exist with the software of a fingerprint: ("create",), ("update",) or nothing to do.

    fingerprint: None where the software does not matter. update: the configuration of what exists may be changed.
    Raises ExplainedError for a cluster in the way.
    """
    if found is None:
        return ("create",)
    has = tags.read(found.stack_tags, tags.FINGERPRINT)
    if not tags.ours(found.stack_tags):
        raise ExplainedError(
            f"A cluster {name} exists that petal.hpc has not made.", resource=name, next_step="Choose another name: cluster_name=…"
        )
    if is_settled(found.status) and found.status not in USABLE:
        raise ExplainedError(
            f"Cluster {name} is in state {found.status}{f': {found.reason}' if found.reason else ''}.",
            resource=name,
            next_step=f"Delete what is left of it with petal.hpc.delete_cluster -e cluster_name={name} -e confirm={name}.",
        )
    if found.status.startswith("DELETE"):
        raise ExplainedError(f"Cluster {name} is being deleted.", resource=name, next_step="Wait until it is gone, then run this again.")
    if update:
        return ("update",)
    if fingerprint and has and has != fingerprint:
        raise ExplainedError(
            f"Cluster {name} exists with other software: {has[:19]}, not {fingerprint[:19]}.",
            resource=name,
            next_step="Use petal.hpc.upgrade_software to give it new software, or choose another name: cluster_name=…",
        )
    return ()


def check_same(name: str, changes: list[str], config: str) -> None:
    """Refuse to take a cluster for one of another configuration. changes: what sets them apart; config: the file of the new one."""
    if changes:
        raise ManyProblems(
            f"Cluster {name} exists, and the configuration would change it:",
            changes,
            resource=name,
            next_step=(
                "Nothing was changed. New software goes by petal.hpc.upgrade_software; anything else by "
                f"`pcluster update-cluster --cluster-name {name} --cluster-configuration {config}`, once you have read the difference."
            ),
        )


@dataclasses.dataclass(frozen=True)
class Agreed:
    """What a user has agreed to lose. confirm: the cluster's name once more; the others are what may go or be stopped."""

    confirm: str = ""
    delete_data: bool = False
    stop_jobs: bool = False
    foreign_cluster: bool = False


def check_deletion(cluster: Cluster, storage: Iterable[Storage], agreed: Agreed) -> None:
    """Refuse to delete a cluster unless everything that would be lost has been agreed to; the software is in its snapshot.

    Raises ManyProblems with all that is missing.
    """
    problems = []
    if agreed.confirm != cluster.name:
        problems.append(
            f"confirm is {agreed.confirm!r}: repeat the cluster's name, confirm={cluster.name}. /home lies on its head node, and goes too."
        )
    if not tags.ours(cluster.stack_tags) and not agreed.foreign_cluster:
        problems.append("petal.hpc has not made this cluster. Set foreign_cluster=true if it may go.")
    software = tags.read(cluster.stack_tags, tags.SNAPSHOT_ID)
    # After an upgrade the tags name the new software only.
    spared = [one for one in storage if software and (one.snapshot_id == software or one.holds_software)]
    lost = [one for one in storage if one.deletion_policy == "Delete" and one not in spared]
    if lost and not agreed.delete_data:
        names = ", ".join(map(str, lost))
        problems.append(f"{names} would be deleted with its data. Copy what is worth it, then set delete_data=true.")
    running = cluster.count(COMPUTE)
    if running and not agreed.stop_jobs:
        problems.append(f"{running} compute nodes run, perhaps with jobs on them. Wait until they are gone, or set stop_jobs=true.")
    if problems:
        raise ManyProblems(f"Cluster {cluster.name} is not deleted:", problems, resource=cluster.name)
