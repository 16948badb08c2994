import dataclasses

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import (
    RegisteredSnapshot,
    deprecate,
    register,
    retire,
)
from plugins.module_utils._core.registry.files import entry_document, parse_account, parse_entry, parse_index
from tests.unit.plugins.module_utils._core.registry.examples import (
    EVERYTHING,
    FINGERPRINT,
    LATER,
    OREGON,
    TODAY,
    VIRGINIA,
    entry_of,
    registration,
)

# The three shapes in which the registry's first description showed its data.
PETAL_LIST = {
    "name": "bioinformatics-v1",
    "description": "Genomics and bioinformatics software stack",
    "fingerprint": FINGERPRINT,
    "seed_url": "https://example.org/seeds/bioinformatics-v1.yaml",
    "snapshots": [
        {
            "region": "us-east-1",
            "snapshot_id": "snap-0abc1234",
            "os": "al2023",
            "size_gb": 500,
            "description": "Full",
            "architecture": "x86_64",
        },
        {"region": "us-west-2", "snapshot_id": "snap-0def4567", "os": "ubuntu2404", "size_gb": 250, "architecture": "x86_64"},
    ],
    "packages": ["samtools@1.17", "gcc@11.3.0"],
    "aws_account": "999888777666",
    "public": True,
    "verified": True,
    "created": "2025-01-15",
    "updated": "2025-01-20",
}
CONTRIBUTED_MAP = {
    "name": "my-custom-stack",
    "fingerprint": FINGERPRINT.removeprefix("sha256:"),
    "snapshots": {"us-east-1": "snap-0abc1234"},
    "packages": ["gcc@11.3.0"],
    "size_gb": 300,
    "created": "2025-01-25",
}
ACCOUNT = {
    "account": 88877766,
    "snapshots": {
        "bioinformatics-v1": {
            "snapshot_id": "snap-0abc1234",
            "regions": ["us-east-1", "us-west-2"],
            "packages": ["gcc@11.3.0"],
            "size": "500GB",
            "public": True,
            "verified": True,
            "updated": "2025-01-15",
        }
    },
}


def test_deprecated_snapshots_may_be_retired_later_and_both_dates_stay():
    deprecated = deprecate(entry_of(VIRGINIA), EVERYTHING, TODAY, superseded_by="bio-v2")
    (one,) = retire(deprecated, EVERYTHING, LATER).snapshots
    assert (one.deprecated, one.retired, one.superseded_by) == (TODAY, LATER, "bio-v2")
    assert parse_entry(entry_document(deprecated), "a")[0] == deprecated


def test_the_report_of_the_publish_gate_is_kept_by_fingerprint():
    report = {"format": 1, "passed": True, "fingerprint": FINGERPRINT, "time": "2026-11-22T10:00:00Z"}
    entry = register(entry_of(VIRGINIA), dataclasses.replace(registration(VIRGINIA), report=report), LATER)
    assert entry.reports == {FINGERPRINT: report}
    assert register(entry, registration(OREGON), LATER).reports == entry.reports
    assert parse_entry(entry_document(entry), "a") == (entry, [])


def test_petals_list_of_snapshots_is_read():
    entry, notes = parse_entry(PETAL_LIST, "x")
    assert notes == []
    assert (entry.public, entry.verified, entry.updated, entry.packages) == (True, True, "2025-01-20", ("gcc@11.3.0", "samtools@1.17"))
    first, second = entry.snapshots
    assert (first.os, first.size_gib, first.fingerprint, first.aws_account) == ("alinux2023", 500, FINGERPRINT, "999888777666")
    assert (second.region, second.os, second.size_gib) == ("us-west-2", "ubuntu2404", 250)


def test_a_contributors_map_of_regions_is_read():
    (snapshot,) = parse_entry(CONTRIBUTED_MAP, "x")[0].snapshots
    assert snapshot == RegisteredSnapshot("us-east-1", "snap-0abc1234", fingerprint=FINGERPRINT, size_gib=300, created="2025-01-25")


def test_the_description_of_an_account_is_read_with_a_warning_about_its_single_id():
    (entry,), notes = parse_account(ACCOUNT, "official.yaml")
    assert [(one.region, one.size_gib, one.aws_account) for one in entry.snapshots] == [
        ("us-east-1", 500, "000088877766"),
        ("us-west-2", 500, "000088877766"),
    ]
    assert "one snapshot id for 2 regions" in notes[0]


def test_a_petal_index_is_read_and_unusable_lines_are_told():
    lines = [
        {"name": "bio", "fingerprint": FINGERPRINT, "metadata_url": "https://example.org/bio.json"},
        {"name": "../etc/passwd", "fingerprint": FINGERPRINT},
        "text",
    ]
    index, notes = parse_index({"version": "1.0", "snapshots": lines}, "index.json")
    assert [line.name for line in index.find(FINGERPRINT)] == ["bio"]
    assert [note.split(" is left out")[0] for note in notes] == ["index.json: snapshots[1]", "index.json: snapshots[2]"]


def test_a_snapshot_that_cannot_be_read_is_told_and_the_others_count():
    listed = [
        {"region": "us-east-1"},
        {"region": "us-east-1", "snapshot_id": "snap-1", "size_gb": "huge"},
        {"region": "us-east-1", "snapshot_id": "snap-2"},
    ]
    entry, notes = parse_entry({"name": "bio", "snapshots": listed}, "bio.json")
    assert [one.snapshot_id for one in entry.snapshots] == ["snap-2"]
    assert notes == [
        "bio.json: snapshot 1 of bio is left out: it has no snapshot_id",
        "bio.json: snapshot 2 of bio is left out: size 'huge' is not a number of GiB",
    ]


@pytest.mark.parametrize("document", [None, [], {}, {"snapshots": []}, "text"])
def test_what_is_no_entry_is_refused(document):
    with pytest.raises(ExplainedError, match="is not a registry entry"):
        parse_entry(document, "x.json")
