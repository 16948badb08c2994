"""The EBS direct APIs, as far as they tell which blocks of a snapshot differ from those of another, and how many it has.

Source: EBS direct APIs Reference, ListChangedBlocks; EC2 API Reference, Snapshot, field fullSnapshotSizeInBytes.
"""

from __future__ import annotations

import base64
import contextlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ebs.responses import EBSResponse
from moto.ec2.models.elastic_block_store import Snapshot

BLOCK = 512 << 10
FEWEST_RESULTS, MOST_RESULTS = 100, 10_000


class Invalid(ServiceException):
    """ValidationException, with the reason that the service names."""

    def __init__(self, reason: str, message: str):
        super().__init__("ValidationException", message)
        self.Reason = reason


class Missing(ServiceException):
    """ResourceNotFoundException."""

    def __init__(self, snapshot_id: str):
        super().__init__("ResourceNotFoundException", f"The snapshot '{snapshot_id}' does not exist.")
        self.Reason = "SNAPSHOT_NOT_FOUND"


def install(image: Callable[[str], pathlib.Path], lineage: Callable[[str], str]) -> None:
    """Answer ListChangedBlocks and the size of a snapshot from the files of the data plane.

    image: returns the file of a snapshot. lineage: returns what snapshots have in common that may be compared.
    """

    def list_changed_blocks(response: EBSResponse) -> ActionResult:
        first, second = (_completed(response, name) for name in ("FirstSnapshotId", "SecondSnapshotId"))
        if lineage(first.id) != lineage(second.id):
            raise Invalid("UNRELATED_SNAPSHOTS", "The snapshots are not related.")
        return _page(response, changes(image(first.id), image(second.id)), second)

    EBSResponse.list_changed_blocks = list_changed_blocks
    Snapshot.full_snapshot_size_in_bytes = property(lambda snapshot: BLOCK * len(blocks_of(image(snapshot.id))))


def blocks_of(image: pathlib.Path) -> list[int]:
    """Return the indexes of the blocks that hold data."""
    if not image.exists():
        return []
    found: dict[int, None] = {}
    with image.open("rb") as file, contextlib.suppress(OSError):
        offset, size = 0, os.fstat(file.fileno()).st_size
        # SEEK_DATA beyond the last data is an OSError.
        while offset < size:
            offset = os.lseek(file.fileno(), offset, os.SEEK_DATA)
            end = os.lseek(file.fileno(), offset, os.SEEK_HOLE)
            found.update(dict.fromkeys(range(offset // BLOCK, -(-end // BLOCK))))
            offset = end
    return list(found)


def changes(first: pathlib.Path, second: pathlib.Path) -> list[dict[str, Any]]:
    """Return the blocks by which a later image differs from an earlier one."""
    before, after = set(blocks_of(first)), set(blocks_of(second))
    with first.open("rb") as old, second.open("rb") as new:
        differ = [
            index
            for index in sorted(before | after)
            if os.pread(old.fileno(), BLOCK, index * BLOCK).ljust(BLOCK, b"\0")
            != os.pread(new.fileno(), BLOCK, index * BLOCK).ljust(BLOCK, b"\0")
        ]
    return [
        {
            "BlockIndex": index,
            **({"FirstBlockToken": _token(first, index)} if index in before else {}),
            **({"SecondBlockToken": _token(second, index)} if index in after else {}),
        }
        for index in differ
    ]


def _completed(response: EBSResponse, parameter: str) -> Any:
    snapshot_id = response._get_param(parameter)
    snapshot = response.ebs_backend.ec2_backend.snapshots.get(snapshot_id)
    if snapshot is None:
        raise Missing(snapshot_id)
    if snapshot.status != "completed":
        raise Invalid("INVALID_SNAPSHOT_ID", f"The snapshot '{snapshot_id}' is not completed.")
    return snapshot


def _page(response: EBSResponse, blocks: list[dict[str, Any]], snapshot: Any) -> ActionResult:
    length = min(max(int(response._get_param("MaxResults") or FEWEST_RESULTS), FEWEST_RESULTS), MOST_RESULTS)
    begin = int(response._get_param("NextToken") or 0)
    more = {"NextToken": str(begin + length)} if begin + length < len(blocks) else {}
    return ActionResult({"ChangedBlocks": blocks[begin : begin + length], "VolumeSize": snapshot.volume_size, "BlockSize": BLOCK, **more})


def _token(image: pathlib.Path, index: int) -> str:
    return base64.b64encode(f"{image.stem}:{index}".encode()).decode()
