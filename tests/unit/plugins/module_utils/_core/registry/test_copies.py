from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.registry.copies import other_copies, registries_naming
from plugins.module_utils._core.registry.entries import RegisteredSnapshot

FINGERPRINT = "sha256:" + "0f3a" * 16
SNAPSHOT = Snapshot("snap-1", "completed")
HERE = RegisteredSnapshot("us-east-1", "snap-1", fingerprint=FINGERPRINT)


def test_a_registry_names_a_snapshot_by_region_and_id():
    known = [("a", HERE), ("b", RegisteredSnapshot("eu-west-1", "snap-1")), ("c", RegisteredSnapshot("us-east-1", "snap-2"))]
    assert registries_naming(SNAPSHOT, "us-east-1", known) == ["a"]


def test_a_retired_snapshot_is_not_counted_on():
    assert registries_naming(SNAPSHOT, "us-east-1", [("a", RegisteredSnapshot("us-east-1", "snap-1", retired="2026-11-01"))]) == []


def test_copies_have_the_same_fingerprint_however_it_is_written():
    known = [
        ("a", HERE),
        ("a", RegisteredSnapshot("eu-west-1", "snap-2", fingerprint=FINGERPRINT.removeprefix("sha256:"))),
        ("b", RegisteredSnapshot("us-east-1", "snap-3", fingerprint=FINGERPRINT)),
        ("b", RegisteredSnapshot("us-east-1", "snap-4", fingerprint="sha256:" + "beef" * 16)),
        ("b", RegisteredSnapshot("us-east-1", "snap-5")),
    ]
    assert other_copies(SNAPSHOT, "us-east-1", known) == {"eu-west-1": ["snap-2"], "us-east-1": ["snap-3"]}
