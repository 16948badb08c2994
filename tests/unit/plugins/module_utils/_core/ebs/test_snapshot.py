import pytest

from plugins.module_utils._core.ebs.snapshot import Snapshot, SnapshotRequest, alike, canonical_fingerprint
from plugins.module_utils._core.errors import ExplainedError

FINGERPRINT = "sha256:" + "0f3a" * 16


@pytest.mark.parametrize("value", [FINGERPRINT, FINGERPRINT.removeprefix("sha256:")])
@pytest.mark.parametrize("prefix", ["petal:", "pctl:"])
def test_a_fingerprint_is_read_in_every_spelling(prefix, value):
    assert Snapshot("snap-1", "completed", tags={f"{prefix}fingerprint": value}).fingerprint == FINGERPRINT


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:xyz", "0f3a", "md5:" + "0" * 64])
def test_what_is_no_fingerprint_is_refused(text):
    with pytest.raises(ExplainedError, match="is not a fingerprint"):
        canonical_fingerprint(text)


def test_a_name_means_the_snapshot_without_generation_and_outside_groups():
    numbered = {"Name": "data", "petal:generation": "1"}
    known = [
        Snapshot("snap-1", "completed", tags={"Name": "data"}),
        Snapshot("snap-2", "completed", tags=numbered),
        Snapshot("snap-3", "completed", tags={"Name": "data", "petal:group": "0f3a"}),
        Snapshot("snap-4", "completed", tags={"Name": "database"}),
    ]
    assert [found.snapshot_id for found in alike(SnapshotRequest(name="data"), known)] == ["snap-1"]
    assert [found.snapshot_id for found in alike(SnapshotRequest(name="data", generation=1), known)] == ["snap-2"]
    assert alike(SnapshotRequest(name="data", generation=2), known) == []
