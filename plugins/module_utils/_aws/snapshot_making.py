# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find EBS snapshots, make exactly one, wait for it: as much as whoever takes a snapshot needs, and no more."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Iterator

from .._core import tags as tag
from .._core.ebs.snapshot import Snapshot, oldest
from .._core.errors import ExplainedError
from .errors import SERVER_CODES, THROTTLING_CODES, aws_code, explained
from .requests import batches, tag_list
from .waiting import growing_pauses, until_visible, wait_until

# DescribeSnapshots: at most 1000 results a page.
PAGE_SIZE = 1000
# The request may have been carried out although no answer came: look before asking again.
AMBIGUOUS_CODES = SERVER_CODES | {"ResponseParserError", "HTTPClientError", "ConnectionError"}
# EC2 refuses these before it does anything, so asking again cannot make a second snapshot.
REFUSED_FOR_NOW_CODES = THROTTLING_CODES | {"SnapshotCreationPerVolumeRateExceeded"}
CREATE_ATTEMPTS = 6
# After a lost answer: how long a snapshot may take to show up in DescribeSnapshots before we believe there is none.
LOST_ANSWER_LOOKS = 5
GOES_ON = "It goes on in AWS. Run the same task again to wait for it: no second snapshot is made. wait_timeout sets how long."


@dataclasses.dataclass(frozen=True)
class SnapshotQuery:
    """Which snapshots to list; everything left out matches.

    owners: account ids or "self". filters: as DescribeSnapshots takes them, {name: [values]}.
    restorable_by: accounts, or "self", that own a snapshot or may use it by name.
    """

    owners: tuple[str, ...] = ("self",)
    snapshot_ids: tuple[str, ...] = ()
    volume_id: str | None = None
    name: str | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    filters: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    managed_only: bool = False
    restorable_by: tuple[str, ...] = ()


class SnapshotMaker:
    """ec2: a boto3 EC2 client.

    ec2_without_retries: returns a client that sends each request once; botocore's own retries could make two snapshots of one request.
    """

    def __init__(self, ec2, ec2_without_retries: Callable[[], object] | None = None, sleep: Callable[[float], None] = time.sleep):
        self._ec2 = ec2
        # Making a client takes longer than a request and is not safe in several threads at once.
        self._ec2_without_retries = made_once(ec2_without_retries or (lambda: ec2))
        self.sleep = sleep

    @property
    def region(self) -> str:
        return self._ec2.meta.region_name

    def list_snapshots(self, query: SnapshotQuery) -> Iterator[Snapshot]:
        """Yield the snapshots of a query, page by page."""
        for filters in _filters(query):
            for found in self._describe(filters, query):
                yield snapshot_from(found)

    def get_snapshot(self, snapshot_id: str) -> Snapshot:
        with explained("read the snapshot", resource=snapshot_id):
            return snapshot_from(self._ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0])

    def create_snapshot(self, volume_id: str, description: str, tags: dict[str, str], find_made: Callable[[], list[Snapshot]]) -> Snapshot:
        """Create one snapshot, however often an answer is lost on the way; find_made: see make_once."""

        def create(ec2) -> list[Snapshot]:
            with explained("create a snapshot of", resource=volume_id):
                answer = ec2.create_snapshot(VolumeId=volume_id, Description=description, TagSpecifications=tag_specification(tags))
            return [snapshot_from(answer)]

        return self.make_once(create, find_made)[0]

    def make_once(self, request: Callable[[object], list[Snapshot]], find_made: Callable[[], list[Snapshot]]) -> list[Snapshot]:
        """Send a request that makes snapshots until it is known to have been carried out once; return what it made.

        find_made: returns the snapshots that this very request may have made; asked after an ambiguous failure,
        because CreateSnapshot, CreateSnapshots and CopySnapshot take no client token and a blind second request could make more.
        """
        ec2 = self._ec2_without_retries()
        for attempt, pause in enumerate(growing_pauses(), start=1):
            try:
                return request(ec2)
            except ExplainedError as error:
                code = aws_code(error)
                if code in AMBIGUOUS_CODES:
                    made = self._look_for(find_made)
                    if made:
                        return made
                elif code not in REFUSED_FOR_NOW_CODES:
                    raise
                if attempt == CREATE_ATTEMPTS:
                    raise
            self.sleep(pause)
        raise AssertionError("growing_pauses never ends")

    def wait_until_completed(self, snapshot_id: str, time_limit: float) -> Snapshot:
        """Wait for a snapshot and return it as it is then; raises ExplainedError for state error and when time is up."""
        first = until_visible(lambda: self.get_snapshot(snapshot_id), sleep=self.sleep)
        if is_completed(first):
            return first
        return wait_until(
            lambda: self.get_snapshot(snapshot_id),
            is_completed,
            what="completed",
            resource=snapshot_id,
            time_limit=time_limit,
            next_step=GOES_ON,
            seen=progress,
            sleep=self.sleep,
        )

    def _describe(self, filters: list[dict], query: SnapshotQuery) -> Iterator[dict]:
        accounts = {"OwnerIds": list(query.owners), "RestorableByUserIds": list(query.restorable_by)}
        arguments = {"Filters": filters, **{name: values for name, values in accounts.items() if values}}
        with explained("list snapshots"):
            pages = self._ec2.get_paginator("describe_snapshots").paginate(**arguments, PaginationConfig={"PageSize": PAGE_SIZE})
            for page in pages:
                yield from page["Snapshots"]

    def _look_for(self, find_made: Callable[[], list[Snapshot]]) -> list[Snapshot]:
        for pause in itertools.islice(growing_pauses(), LOST_ANSWER_LOOKS):
            self.sleep(pause)
            made = [snapshot for snapshot in find_made() if snapshot.usable]
            if made:
                return oldest(made)
        return []


def sending_once(module, **connection: str) -> Callable[[], object]:
    """Return what makes an EC2 client that sends each request once, for SnapshotMaker.

    module: an AnsibleAWSModule. connection: what is to differ from its options, such as region.
    """
    aws_config = {**(module.params["aws_config"] or {}), "retries": {"total_max_attempts": 1}}
    return lambda: module.client("ec2", **connection, aws_config=aws_config)


def made_once(make: Callable[[], object]) -> Callable[[], object]:
    """Return a function that makes an object when it is first needed, and returns the same one ever after."""
    lock = threading.Lock()
    made: list[object] = []

    def get() -> object:
        with lock:
            if not made:
                made.append(make())
        return made[0]

    return get


def progress(snapshot: Snapshot) -> str:
    return f"{snapshot.state}, {snapshot.progress}"


def is_completed(snapshot: Snapshot) -> bool:
    if snapshot.state == "error":
        raise ExplainedError(
            f"Snapshot {snapshot.snapshot_id} failed in AWS: {snapshot.state_message or 'no reason given'}.",
            resource=snapshot.snapshot_id,
            next_step="Run the task again: a failed snapshot does not count and another one is taken. Delete this one by its snapshot_id.",
        )
    return snapshot.state == "completed"


def _filters(query: SnapshotQuery) -> Iterator[list[dict]]:
    """Yield the Filters of each request that the query needs: a filter takes only so many values."""
    wanted = {name: list(values) for name, values in query.filters.items()}
    wanted |= {f"tag:{key}": [value] for key, value in query.tags.items()}
    if query.volume_id:
        wanted["volume-id"] = [query.volume_id]
    if query.name:
        wanted[f"tag:{tag.NAME}"] = [query.name]
    if query.managed_only:
        wanted[f"tag:{tag.CREATED_BY}"] = [tag.CREATOR]
    common = [{"Name": name, "Values": values} for name, values in wanted.items()]
    if not query.snapshot_ids:
        yield common
        return
    # A filter and not SnapshotIds: one unknown id would make the whole request fail.
    for portion in batches(query.snapshot_ids):
        yield [*common, {"Name": "snapshot-id", "Values": portion}]


def snapshot_from(found: dict) -> Snapshot:
    started, full_size = found.get("StartTime"), found.get("FullSnapshotSizeInBytes")
    return Snapshot(
        snapshot_id=found["SnapshotId"],
        state=found.get("State") or "pending",
        volume_id=found.get("VolumeId"),
        volume_size_gib=found.get("VolumeSize"),
        progress=found.get("Progress") or "0%",
        encrypted=found.get("Encrypted"),
        kms_key_id=found.get("KmsKeyId"),
        owner_id=found.get("OwnerId"),
        start_time=started.isoformat() if started else None,
        description=found.get("Description") or "",
        tags={item["Key"]: item["Value"] for item in found.get("Tags", [])},
        state_message=found.get("StateMessage"),
        storage_tier=found.get("StorageTier"),
        full_size_gib=None if full_size is None else round(full_size / (1 << 30), 3),
    )


def tag_specification(tags: dict[str, str]) -> list[dict]:
    return [{"ResourceType": "snapshot", "Tags": tag_list(tags)}]
