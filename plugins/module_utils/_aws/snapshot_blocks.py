# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The blocks by which two snapshots of one lineage differ, as the EBS direct APIs list them."""

from __future__ import annotations

from typing import Any

from .._core.errors import ExplainedError
from .errors import aws_code, explained

# What ListChangedBlocks gives at most in one answer: 4.9 GiB of changes.
BLOCKS_AT_ONCE = 10_000
GIB = 1 << 30


def changed_gib(ebs: Any, snapshot_id: str, since: str) -> float:
    """Return how many GiB of blocks a snapshot has that an earlier one of its lineage has not.

    ebs: a boto3 client of the EBS direct APIs. since: the earlier snapshot, of the same volume or the one that this volume was made from.
    Raises ExplainedError where the two cannot be compared.
    Source: Amazon EBS User Guide, "Use EBS direct APIs to access the contents of an EBS snapshot".
    """
    try:
        return round(_changed_bytes(ebs, snapshot_id, since) / GIB, 3)
    except ExplainedError as error:
        if aws_code(error) != "ValidationException":
            raise
        raise ExplainedError(
            f"{snapshot_id} cannot be compared with {since}: {error.details.get('aws_message')}",
            resource=snapshot_id,
            next_step="Name an earlier, completed snapshot of the same volume, or the snapshot that its volume was made from.",
        ) from error


def _changed_bytes(ebs: Any, snapshot_id: str, since: str) -> int:
    arguments = {"FirstSnapshotId": since, "SecondSnapshotId": snapshot_id, "MaxResults": BLOCKS_AT_ONCE}
    changed = 0
    while True:
        with explained("list the changed blocks of the snapshot", resource=snapshot_id):
            answer = ebs.list_changed_blocks(**arguments)
        # A block without a second token is one that the later snapshot has no more.
        changed += answer["BlockSize"] * sum("SecondBlockToken" in block for block in answer["ChangedBlocks"])
        if not answer.get("NextToken"):
            return changed
        arguments["NextToken"] = answer["NextToken"]
