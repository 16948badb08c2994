import dataclasses
import json
import pathlib
import time

import jsonschema
import pytest

from plugins.module_utils._core.registry.entries import (
    Entry,
)
from plugins.module_utils._core.registry.files import entry_document, index_document, parse_entry, parse_index, to_text
from plugins.module_utils._core.registry.index import Index, IndexLine, index_lines
from tests.unit.plugins.module_utils._core.registry.examples import FINGERPRINT, OREGON, OTHER, UBUNTU, VIRGINIA, entry_of

SCHEMAS = pathlib.Path(__file__).resolve().parents[6] / "schemas"


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
