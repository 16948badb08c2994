"""What is built, in all its spellings: tags, registry, options, and back again with nothing lost."""

import dataclasses
import hashlib
import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._core.registry.files import entry_document, parse_entry
from plugins.module_utils._core.software.facts import (
    FIELDS,
    MOST_PARTS,
    NAMES,
    Software,
    of_variant,
    recomputed_fingerprint,
    software_from,
    software_tags,
    tagged_software,
)
from plugins.module_utils._core.software.fingerprint import fingerprint, fingerprint_inputs
from plugins.module_utils._core.tags import MAX_VALUE, key
from plugins.modules import snapshot_registry

BEFORE = json.loads((pathlib.Path(__file__).parents[5] / "data" / "registries" / "before_one_value.json").read_text())
WORDS = some.text("abcdefghijklmnopqrstuvwxyz0123456789 @+~=._-%^'\"äß", min_size=1, max_size=40).map(str.strip).filter(bool)
HASHES = some.integers(0, 16**64 - 1).map(lambda number: f"sha256:{number:064x}")
VALUES = {
    "text": WORDS,
    "int": some.integers(0, 10**6),
    "float": some.floats(0, 10**7, allow_nan=False),
    "list": some.sets(WORDS, max_size=14).map(lambda words: tuple(sorted(words))),
    "dict": some.dictionaries(WORDS, WORDS, max_size=5),
}
# What is brought to one spelling when it is read can only come back in that one.
CANONICAL = {"fingerprint": HASHES, "os": some.sampled_from(["alinux2023", "ubuntu2404", "rhel9"])}


def some_software():
    def maybe(field):
        empty = {"list": (), "dict": {}}.get(field.kind)
        return some.one_of(some.just(empty), CANONICAL.get(field.name, VALUES[field.kind]))

    return some.fixed_dictionaries({field.name: maybe(field) for field in FIELDS}).map(lambda values: Software(**values))


def named(number):
    """Return a name that no compression makes shorter."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def tagged(software):
    return {key(name): value for name, value in software_tags(software).items()}


def registered(software):
    return RegisteredSnapshot("us-east-1", "snap-0123456789abcdef0", **software.facts)


def software_of(snapshot):
    return Software(**snapshot.facts)


@given(some_software())
def test_from_tags_to_an_entry_and_back_nothing_is_lost(software):
    from_tags = tagged_software(tagged(software))
    assert from_tags == software
    document = json.loads(json.dumps(entry_document(Entry("bio", snapshots=(registered(from_tags),)))))
    entry, notes = parse_entry(document, "bio.json")
    assert notes == []
    assert software_of(entry.snapshots[0]) == software
    assert tagged_software(tagged(entry.snapshots[0])) == software


@given(some_software())
def test_every_tag_is_one_that_ec2_takes(software):
    made = software_tags(software)
    assert all(0 < len(value) <= MAX_VALUE for value in made.values())


@given(some_software())
def test_what_is_said_are_options_of_the_module_that_registers(software):
    assert software.said.keys() <= snapshot_registry.ARGUMENT_SPEC.keys()
    assert software_from(software.said) == software


def test_every_field_has_a_line_in_the_table():
    assert tuple(field.name for field in dataclasses.fields(Software)) == NAMES
    assert len({field.tag for field in FIELDS}) == len(FIELDS)


def test_more_packages_than_tags_can_hold_are_left_out_and_all_else_stays():
    specs = tuple(sorted(f"package-{named(number)[:16]}@{number}" for number in range(2000)))
    made = software_tags(Software(os="alinux2023", specs=specs))
    assert made == {"os": "alinux2023"}


def test_there_is_room_for_the_tags_of_others():
    long = tuple(sorted(f"{named(number)[:10]}@{number}" for number in range(70)))
    values = {"text": "x", "int": 1, "float": 1.5, "list": long, "dict": {"x": "x"}}
    made = build_tags("0f3a", BEFORE["variant"], {field.name: values[field.kind] for field in FIELDS}, stage="x", seed="x", copy_of="x")
    assert {"petal:packages-4", "petal:roots-4"} <= made.keys()
    assert len(made) <= 40, "a resource has 50 at most"


def test_a_long_list_of_packages_takes_few_tags():
    specs = tuple(sorted(f"some-library-{number}@1.{number}+mpi~shared" for number in range(100)))
    made = software_tags(Software(specs=specs))
    assert 1 < len(made) <= MOST_PARTS
    assert tagged_software({key(name): value for name, value in made.items()}).specs == specs


@pytest.mark.parametrize("text", ["zlib:not base64", "zlib:AAAA", "[1", "{", "nothing"])
@pytest.mark.parametrize("name", ["packages", "options", "package-count"])
def test_a_tag_that_nobody_can_read_says_nothing(name, text):
    assert tagged_software({f"petal:{name}": text}) == Software()


def test_what_was_tagged_before_there_was_one_value_is_read():
    found, variant = tagged_software(BEFORE["tags"]), BEFORE["variant"]
    assert (found.fingerprint, found.os, found.architecture, found.target) == (variant["fingerprint"], "alinux2023", "x86_64", "x86_64_v3")
    assert (found.externals, found.image) == (variant["externals"], variant["image_id"])
    assert (found.parent, found.generation, found.seconds, found.package_count) == ("sha256:" + "5" * 64, 1, 1260.5, 89)
    assert (found.specs, found.recipes) == ((), None)


def test_what_was_registered_before_there_was_one_value_is_read():
    entry, notes = parse_entry(BEFORE["entry"], "genomics.json")
    (one,) = entry.snapshots
    assert notes == []
    assert (one.fingerprint, one.externals, one.image) == (
        BEFORE["variant"]["fingerprint"],
        BEFORE["variant"]["externals"],
        "ami-0123456789abcdef0",
    )
    assert recomputed_fingerprint(one) is None


def test_the_inputs_of_a_build_come_to_its_fingerprint():
    one = of_variant(BEFORE["variant"])
    assert recomputed_fingerprint(one) == one.fingerprint
    assert recomputed_fingerprint(dataclasses.replace(one, recipes="v2025.11.0")) != one.fingerprint
    assert recomputed_fingerprint(tagged_software(tagged(one))) == one.fingerprint


# Of each input another value than the one that there is.
OTHERS = {
    "os": "rhel9", "arch": "arm64", "target": "x86_64_v4", "spack_version": "v1.1.0", "recipes_version": "v2025.11.0",
    "specs": ["zlib"], "compiler": "gcc@12", "mount_path": "/opt", "externals": {"cuda": "12"}, "image_id": "ami-1",
    "modules": {"tree": "hierarchy", "defaults": {}}, "options": {"keep_build_dependencies": True},
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_no_input_of_the_fingerprint_is_missing(name):
    inputs = {**{field.variant: BEFORE["variant"][field.variant] for field in FIELDS if field.variant}, name: OTHERS[name]}
    inputs.pop("fingerprint")
    changed = of_variant(inputs)
    assert recomputed_fingerprint(changed) == fingerprint(fingerprint_inputs(**inputs)) != BEFORE["variant"]["fingerprint"]


def test_a_parent_is_a_fingerprint_and_a_snapshot():
    parent = {"fingerprint": "sha256:cd", "snapshot_id": "snap-1", "generation": 2}
    one = of_variant(BEFORE["variant"], {"proof": "passed"}, parent)
    assert (one.parent, one.parent_snapshot, one.generation, one.proof) == ("sha256:cd", "snap-1", 2, "passed")
