import dataclasses
import json
import pathlib
import time

import jsonschema
import pytest

from plugins.module_utils._core.errors import ExplainedError, ManyProblems
from plugins.module_utils._core.registry import (
    Entry,
    Index,
    IndexLine,
    RegisteredSnapshot,
    Registration,
    check_name,
    check_registration,
    deprecate,
    entry_document,
    index_document,
    index_lines,
    parse_account,
    parse_entry,
    parse_index,
    register,
    remove,
    retire,
    to_text,
    verify,
)

SCHEMAS = pathlib.Path(__file__).resolve().parents[5] / "schemas"
FINGERPRINT = "sha256:" + "0f3a" * 16
OTHER = "sha256:" + "1e2d" * 16
TODAY, LATER = "2026-11-22", "2026-12-24"
VIRGINIA = RegisteredSnapshot(
    "us-east-1", "snap-0123456789abcdef0", FINGERPRINT, "alinux2023", "x86_64", "x86_64_v3", 500, aws_account="123456789012"
)
OREGON = dataclasses.replace(VIRGINIA, region="us-west-2", snapshot_id="snap-0123456789abcdef1")
UBUNTU = dataclasses.replace(VIRGINIA, snapshot_id="snap-0123456789abcdef2", os="ubuntu2404", fingerprint=OTHER)
EVERYTHING = RegisteredSnapshot("", "")


def registration(snapshot=VIRGINIA, **facts):
    return Registration("bio", snapshot, **facts)


def entry_of(*snapshots):
    entry = None
    for snapshot in snapshots:
        entry = register(entry, registration(snapshot, description="Genomics", packages=("bwa", "samtools")), TODAY)
    return entry


def test_a_new_entry_is_dated_and_not_verified():
    entry = entry_of(VIRGINIA)
    assert (entry.created, entry.updated, entry.verified, entry.public) == (TODAY, TODAY, False, False)
    assert entry.snapshots == (dataclasses.replace(VIRGINIA, created=TODAY),)


def test_registering_the_same_again_changes_nothing_not_even_a_date():
    entry = entry_of(VIRGINIA, OREGON)
    assert register(entry, registration(OREGON), LATER) == entry


def test_one_entry_holds_regions_and_variants_in_an_order_that_does_not_depend_on_history():
    assert entry_of(VIRGINIA, OREGON, UBUNTU).snapshots == entry_of(UBUNTU, OREGON, VIRGINIA).snapshots
    assert len(entry_of(VIRGINIA, OREGON, UBUNTU).snapshots) == 3


def test_what_is_not_said_stays_as_it_is_and_what_is_said_changes():
    changed = register(entry_of(VIRGINIA), registration(RegisteredSnapshot(*VIRGINIA.key, FINGERPRINT, size_gib=250)), LATER)
    assert (changed.description, changed.packages, changed.created, changed.updated) == ("Genomics", ("bwa", "samtools"), TODAY, LATER)
    assert changed.snapshots == (dataclasses.replace(VIRGINIA, size_gib=250, created=TODAY),)


def test_retired_snapshots_stay_listed_until_they_are_registered_again():
    entry = entry_of(VIRGINIA, OREGON)
    retired = retire(entry, RegisteredSnapshot("", OREGON.snapshot_id), LATER, superseded_by="bio-v2")
    assert [(one.snapshot_id, one.retired, one.superseded_by) for one in retired.snapshots] == [
        (VIRGINIA.snapshot_id, None, None),
        (OREGON.snapshot_id, LATER, "bio-v2"),
    ]
    assert retire(retired, RegisteredSnapshot("", OREGON.snapshot_id), "2027-01-01") == retired
    assert register(retired, registration(OREGON), LATER).snapshots == entry.snapshots


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


@pytest.mark.parametrize(
    ("matching", "left"),
    [
        (EVERYTHING, []),
        (RegisteredSnapshot("", OREGON.snapshot_id), [VIRGINIA.snapshot_id, UBUNTU.snapshot_id]),
        (RegisteredSnapshot("", "", fingerprint=OTHER), [VIRGINIA.snapshot_id, OREGON.snapshot_id]),
        (RegisteredSnapshot("", "snap-404"), [VIRGINIA.snapshot_id, UBUNTU.snapshot_id, OREGON.snapshot_id]),
    ],
)
def test_remove_takes_out_what_matches(matching, left):
    assert [one.snapshot_id for one in remove(entry_of(VIRGINIA, OREGON, UBUNTU), matching, LATER).snapshots] == left


@pytest.mark.parametrize("name", ["bio", "bio-alinux2023-x86_64-0f3a", "v1.2", "A", "x" * 128])
def test_plain_names_are_taken(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "../x", "a/b", "..", ".hidden", "a\n", "a\0", "index", "-rf", "a b", "x" * 129, "a\\b", "é"])
def test_names_that_could_lead_out_of_the_registry_are_refused(name):
    with pytest.raises(ExplainedError, match="cannot be the name"):
        check_name(name)


def test_everything_wrong_with_a_registration_is_said_at_once():
    wrong = RegisteredSnapshot("virginia", "snap-0ghi789", "sha256:abc", "beos", "sparc", None, 0, aws_account="12")
    with pytest.raises(ManyProblems) as refusal:
        check_registration(registration(wrong))
    text = str(refusal.value)
    for fact in ("virginia", "snap-0ghi789", "sha256:abc", "beos", "sparc", "size_gib 0", "'12'"):
        assert fact in text


def test_registrations_are_brought_to_their_canonical_spelling():
    loose = dataclasses.replace(VIRGINIA, os="AL2023", fingerprint=FINGERPRINT.removeprefix("sha256:").upper())
    assert check_registration(registration(loose)).snapshot == VIRGINIA


def test_what_is_written_is_read_back_equal():
    entry = dataclasses.replace(entry_of(VIRGINIA, OREGON, UBUNTU), tags=("genomics",), seed_url="seeds/bio.yaml")
    assert parse_entry(json.loads(to_text(entry_document(entry))), "bio.json") == (entry, [])
    index = Index().with_entry(entry)
    assert parse_index(json.loads(to_text(index_document(index))), "index.json") == (index, [])


def test_written_bytes_depend_on_the_content_alone():
    one, other = entry_of(VIRGINIA, OREGON), entry_of(OREGON, VIRGINIA)
    assert to_text(entry_document(one)) == to_text(entry_document(other))
    assert to_text(index_document(Index().with_entry(one))) == to_text(index_document(Index().with_entry(other)))


@pytest.mark.parametrize("what", ["index", "entry"])
def test_what_is_written_follows_the_published_schema(what):
    entry = entry_of(VIRGINIA, OREGON, UBUNTU)
    document = entry_document(entry) if what == "entry" else index_document(Index().with_entry(entry))
    schema = json.loads((SCHEMAS / f"registry_{what}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)


def test_the_index_has_one_line_for_each_fingerprint_with_its_regions():
    said_of_the_entry = ("Genomics", ("bwa", "samtools"), ())
    assert index_lines(entry_of(VIRGINIA, OREGON, UBUNTU)) == (
        IndexLine("bio", FINGERPRINT, "alinux2023", "x86_64", "x86_64_v3", ("us-east-1", "us-west-2"), *said_of_the_entry),
        IndexLine("bio", OTHER, "ubuntu2404", "x86_64", "x86_64_v3", ("us-east-1",), *said_of_the_entry),
    )


def test_an_entry_without_snapshots_leaves_the_index():
    index = Index().with_entry(entry_of(VIRGINIA)).with_entry(dataclasses.replace(entry_of(OREGON), name="other"))
    assert index.with_entry(Entry("bio")).names == ["other"]


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


def test_petals_list_of_snapshots_is_read():
    entry, notes = parse_entry(PETAL_LIST, "x")
    assert notes == []
    assert (entry.public, entry.verified, entry.updated, entry.packages) == (True, True, "2025-01-20", ("gcc@11.3.0", "samtools@1.17"))
    first, second = entry.snapshots
    assert (first.os, first.size_gib, first.fingerprint, first.aws_account) == ("alinux2023", 500, FINGERPRINT, "999888777666")
    assert (second.region, second.os, second.size_gib) == ("us-west-2", "ubuntu2404", 250)


def test_a_contributors_map_of_regions_is_read():
    (snapshot,) = parse_entry(CONTRIBUTED_MAP, "x")[0].snapshots
    assert snapshot == RegisteredSnapshot("us-east-1", "snap-0abc1234", FINGERPRINT, size_gib=300, created="2025-01-25")


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


def test_one_of_100000_entries_is_found_at_once():
    index = Index(tuple(IndexLine(f"entry-{number}", f"sha256:{number:064x}") for number in range(100_000)))
    begin = time.perf_counter()
    found = index.find(f"sha256:{99_999:064x}")
    assert time.perf_counter() - begin < 0.05
    assert [line.name for line in found] == ["entry-99999"]


def test_a_search_opens_only_entries_that_the_index_does_not_rule_out():
    lines = (
        IndexLine("bio", FINGERPRINT, description="Genomics", packages=("samtools@1.17",), tags=("ngs",)),
        IndexLine("chem", OTHER, description="Chemistry", packages=(), tags=()),
        IndexLine("old", "sha256:" + "1" * 64),
    )
    index = Index(lines)
    assert index.names_that_may_contain("SAMTOOLS") == ["bio", "old"]
    assert index.names_that_may_contain("ngs") == ["bio", "old"]
    assert index.names_that_may_contain("chemistry") == ["chem", "old"]
    assert index.names_that_may_contain(None) == ["bio", "chem", "old"]


def test_an_entry_that_gets_another_snapshot_is_to_be_verified_again():
    checked = verify(entry_of(VIRGINIA), TODAY)
    assert checked.verified
    assert verify(checked, "2027-01-01") is checked
    assert register(checked, Registration("bio", VIRGINIA), "2027-01-01").verified
    assert not register(checked, Registration("bio", UBUNTU), "2027-01-01").verified
    assert not register(checked, Registration("bio", dataclasses.replace(VIRGINIA, proof="passed")), "2027-01-01").verified
