# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses snapshots, read for whoever is about to delete some."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from .._core.ebs.holds import Uses
from .._core.errors import ExplainedError
from .errors import aws_code
from .snapshots import SnapshotGateway

# More requests at once only meet EC2's request limits.
REQUESTS_AT_ONCE = 8


def read_uses(gateway: SnapshotGateway, snapshot_ids: Iterable[str]) -> Uses:
    """Return who uses the snapshots; who may use them is left out, as that takes a request for each of them."""
    ids = list(snapshot_ids)
    if not ids:
        return Uses()
    return Uses(
        images=gateway.images_needing(ids),
        templates=gateway.templates.naming(ids),
        # Of all snapshots: one id that is gone by now would make the whole request fail.
        locked=frozenset(gateway.features.locks_of(None)),
        fast_restored=frozenset(gateway.features.fast_restores(None)),
    )


def read_sharing(gateway: SnapshotGateway, snapshot_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return who may use each of the snapshots; nobody may use one that is gone."""

    def shared_with(snapshot_id: str) -> list[str]:
        try:
            return gateway.shared_with(snapshot_id)
        except ExplainedError as error:
            if aws_code(error) != "InvalidSnapshot.NotFound":
                raise
            return []

    ids = list(snapshot_ids)
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        return dict(zip(ids, pool.map(shared_with, ids), strict=True))
