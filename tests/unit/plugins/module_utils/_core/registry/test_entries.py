import dataclasses

import pytest

from plugins.module_utils._core.errors import ExplainedError, ManyProblems
from plugins.module_utils._core.registry.entries import (
    RegisteredSnapshot,
    Registration,
    check_name,
    check_registration,
    register,
    remove,
    retire,
    verify,
)
from tests.unit.plugins.module_utils._core.registry.examples import (
    EVERYTHING,
    FINGERPRINT,
    LATER,
    OREGON,
    OTHER,
    TODAY,
    UBUNTU,
    VIRGINIA,
    entry_of,
    registration,
)


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
    changed = register(entry_of(VIRGINIA), registration(RegisteredSnapshot(*VIRGINIA.key, fingerprint=FINGERPRINT, size_gib=250)), LATER)
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
    wrong = RegisteredSnapshot(
        "virginia", "snap-0ghi789", fingerprint="sha256:abc", os="beos", architecture="sparc", size_gib=0, aws_account="12"
    )
    with pytest.raises(ManyProblems) as refusal:
        check_registration(registration(wrong))
    text = str(refusal.value)
    for fact in ("virginia", "snap-0ghi789", "sha256:abc", "beos", "sparc", "size_gib 0", "'12'"):
        assert fact in text


def test_registrations_are_brought_to_their_canonical_spelling():
    loose = dataclasses.replace(VIRGINIA, os="AL2023", fingerprint=FINGERPRINT.removeprefix("sha256:").upper())
    assert check_registration(registration(loose)).snapshot == VIRGINIA


def test_an_entry_that_gets_another_snapshot_is_to_be_verified_again():
    checked = verify(entry_of(VIRGINIA), TODAY)
    assert checked.verified
    assert verify(checked, "2027-01-01") is checked
    assert register(checked, Registration("bio", VIRGINIA), "2027-01-01").verified
    assert not register(checked, Registration("bio", UBUNTU), "2027-01-01").verified
    assert not register(checked, Registration("bio", dataclasses.replace(VIRGINIA, proof="passed")), "2027-01-01").verified
