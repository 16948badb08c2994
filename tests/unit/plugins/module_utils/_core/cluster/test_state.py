import dataclasses

import pytest

from plugins.module_utils._core.cluster.state import (
    Agreed,
    Cluster,
    Event,
    Node,
    Storage,
    check_deletion,
    failures,
    plan_presence,
    progress_line,
    storage_of,
)
from plugins.module_utils._core.errors import ExplainedError, ManyProblems

TAGS = {"CreatedBy": "petal.hpc", "petal:snapshot-id": "snap-0123456789abcdef0", "petal:fingerprint": "sha256:aa", "petal:seed": "genomics"}
HEAD = Node("i-1", "HeadNode", "running", "m6a.large", "10.0.0.4", "203.0.113.7")
COMPUTE = Node("i-2", "Compute", "running", "c6a.xlarge", "10.0.0.5", queue="compute")
STACK = "arn:aws:cloudformation:us-east-1:111122223333:stack/genomics/0a1b2c3d"
CLUSTER = Cluster("genomics", "us-east-1", "CREATE_COMPLETE", STACK, "2026-11-22T12:00:00+00:00", stack_tags=TAGS, nodes=(HEAD,))
SOFTWARE = Storage("Software", "EBS volume", "Delete", "snap-0123456789abcdef0")
SCRATCH = Storage("Scratch", "EBS volume", "Delete")
GENOMES = Storage("Genomes", "EBS volume", "Delete", "snap-0fffffffffffffff0")

NAMED = Storage("EBS1", "EBS volume", "Delete", "snap-0fffffffffffffff0", "genomes")


def with_(**changes):
    return dataclasses.replace(CLUSTER, **changes)


def test_the_result_says_what_a_user_asks_first():
    result = CLUSTER.to_result()
    assert {name: result[name] for name in ("status", "head_node_ip", "seed", "snapshot_id", "managed", "updated", "compute_nodes")} == {
        "status": "CREATE_COMPLETE",
        "head_node_ip": "203.0.113.7",
        "seed": "genomics",
        "snapshot_id": "snap-0123456789abcdef0",
        "managed": True,
        "updated": CLUSTER.created,
        "compute_nodes": 0,
    }


def test_of_two_head_nodes_the_running_one_counts():
    stopped = dataclasses.replace(HEAD, instance_id="i-0", state="stopped")
    assert with_(nodes=(stopped, HEAD)).head_node == HEAD


@pytest.mark.parametrize(
    ("found", "fingerprint", "update", "actions"),
    [
        (None, "sha256:aa", False, ("create",)),
        (CLUSTER, "sha256:aa", False, ()),
        (CLUSTER, None, False, ()),
        (CLUSTER, "sha256:bb", True, ("update",)),
        (with_(status="CREATE_IN_PROGRESS"), "sha256:aa", False, ()),
        (with_(status="UPDATE_ROLLBACK_COMPLETE"), "sha256:aa", False, ()),
    ],
)
def test_presence_needs(found, fingerprint, update, actions):
    assert plan_presence(found, "genomics", fingerprint, update=update) == actions


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (CLUSTER, "petal.hpc.upgrade_software"),
        (with_(stack_tags={}), "petal.hpc has not made"),
        (with_(status="ROLLBACK_COMPLETE", reason="no capacity"), "ROLLBACK_COMPLETE: no capacity. Delete what is left"),
        (with_(status="DELETE_IN_PROGRESS"), "is being deleted"),
    ],
)
def test_a_cluster_in_the_way_is_told(found, text):
    with pytest.raises(ExplainedError, match=text):
        plan_presence(found, "genomics", "sha256:bb", update=False)


def problems_of(cluster, storage, **agreed):
    try:
        check_deletion(cluster, storage, Agreed(**agreed))
    except ManyProblems as error:
        return error.problems
    return []


def test_a_confirmed_cluster_with_nothing_but_software_is_deleted():
    assert problems_of(CLUSTER, [SOFTWARE], confirm="genomics") == []


def test_the_software_before_an_upgrade_is_software_too():
    before = Storage("EBS1", "EBS volume", "Delete", "snap-0aaaaaaaaaaaaaaa0", "software")
    between = Storage("EBS2", "EBS volume", "Delete", "snap-0bbbbbbbbbbbbbbb0", "software-0123456789ab")
    assert problems_of(CLUSTER, [before, between, SOFTWARE], confirm="genomics") == []
    foreign = with_(stack_tags={"CreatedBy": "petal.hpc"})
    assert problems_of(foreign, [before], confirm="genomics") != []


@pytest.mark.parametrize(
    ("cluster", "storage", "missing", "allowed_by"),
    [
        (CLUSTER, [], "confirm=genomics", {}),
        (CLUSTER, [SOFTWARE, SCRATCH], "EBS volume Scratch would be deleted", {"delete_data": True}),
        (CLUSTER, [GENOMES], "EBS volume Genomes would be deleted", {"delete_data": True}),
        (CLUSTER, [NAMED], "EBS volume genomes (EBS1) would be deleted", {"delete_data": True}),
        (with_(nodes=(HEAD, COMPUTE)), [], "1 compute nodes run", {"stop_jobs": True}),
        (with_(stack_tags={}), [], "petal.hpc has not made this cluster", {"foreign_cluster": True}),
    ],
)
def test_what_would_be_lost_has_to_be_agreed_to(cluster, storage, missing, allowed_by):
    (problem,) = problems_of(cluster, storage, confirm="genomics" if allowed_by else "")
    assert missing in problem
    assert problems_of(cluster, storage, confirm="genomics", **allowed_by) == []


def test_all_that_is_missing_is_said_at_once():
    assert len(problems_of(with_(stack_tags={}, nodes=(HEAD, COMPUTE)), [SCRATCH])) == 4


def test_storage_is_read_from_the_template():
    volume = {"Type": "AWS::EC2::Volume", "Properties": {"SnapshotId": "snap-0123456789abcdef0"}, "DeletionPolicy": "Delete"}
    kept = {"Type": "AWS::EFS::FileSystem", "Properties": {}, "DeletionPolicy": "Retain"}
    template = {
        "Resources": {"Software": volume, "Home": kept, "Scratch": {"Type": "AWS::EC2::Volume"}, "Queue": {"Type": "AWS::SNS::Topic"}}
    }
    assert storage_of(template) == [Storage("Home", "EFS file system", "Retain"), SCRATCH, SOFTWARE]


EVENTS = [
    Event("2026-11-22T12:00:03", "HeadNode", "AWS::EC2::Instance", "CREATE_FAILED", "Resource creation cancelled"),
    Event("2026-11-22T12:00:02", "Volume", "AWS::EC2::Volume", "CREATE_FAILED", "no such snapshot"),
    Event("2026-11-22T12:00:01", "Volume", "AWS::EC2::Volume", "CREATE_IN_PROGRESS"),
    Event("2026-11-22T12:00:01", "Group", "AWS::EC2::SecurityGroup", "CREATE_COMPLETE"),
]


def test_progress_counts_each_resource_once_by_its_last_event():
    assert progress_line("CREATE_IN_PROGRESS", EVENTS[2:]) == "CREATE_IN_PROGRESS, 1 of 2 resources complete"


def test_the_cause_of_a_failure_is_told_and_its_consequences_are_not():
    assert failures(EVENTS) == ["Volume (AWS::EC2::Volume): no such snapshot"]
    assert progress_line("ROLLBACK_IN_PROGRESS", EVENTS).endswith("Volume failed: no such snapshot")
