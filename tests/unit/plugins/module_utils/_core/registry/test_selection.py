import dataclasses
import itertools

import pytest

from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._core.registry.selection import (
    Candidate,
    Wanted,
    candidate_from_aws,
    candidate_from_dict,
    candidate_from_registry,
    confirmed,
    not_found_text,
    select_snapshot,
)

FINGERPRINT = "sha256:" + "0f3a" * 16
FITTING = Candidate(
    "snap-5",
    "registry a",
    "us-east-1",
    "bio",
    fingerprint=FINGERPRINT,
    os="alinux2023",
    architecture="x86_64",
    target="x86_64_v3",
    size_gib=500,
    created="2026-11-20",
    state="completed",
    owner_id="123456789012",
)
WANTED = Wanted(
    FINGERPRINT, "us-east-1", "al2023", "x86_64", "x86_64_v3", size_gib=200, trusted_accounts=("123456789012", "999888777666")
)  # fmt: skip


def but(snapshot_id="snap-6", **facts):
    return dataclasses.replace(FITTING, snapshot_id=snapshot_id, **facts)


def chosen(*candidates, wanted=WANTED):
    found = select_snapshot(candidates, wanted).chosen
    return found.snapshot_id if found else None


def test_a_fitting_snapshot_is_chosen_and_the_trace_says_so():
    selection = select_snapshot([FITTING], WANTED)
    assert selection.chosen == FITTING
    assert selection.trace == ("snap-5 (registry a, 500 GiB) is used: the only one that fits.",)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"fingerprint": "sha256:" + "1" * 64}, "its fingerprint is sha256:1111"),
        ({"region": "eu-west-1"}, "its region is eu-west-1, not us-east-1"),
        ({"os": "ubuntu2404"}, "it is for ubuntu2404, not al2023"),
        ({"architecture": "arm64"}, "its architecture is arm64, not x86_64"),
        ({"target": "zen3"}, "its CPU target is zen3, not x86_64_v3"),
        ({"size_gib": 100}, "its size is 100, less than 200 GiB"),
        ({"retired": "2026-11-21", "superseded_by": "bio-v2"}, "it was retired on 2026-11-21; bio-v2 takes its place"),
        ({"state": "pending"}, "it is not complete yet"),
        ({"state": "error"}, "it is in state error"),
        ({"state": "missing"}, "this account sees no such snapshot in us-east-1"),
        ({"owner_id": "666666666666"}, "its owner, account 666666666666, is not in trusted_accounts"),
    ],
)
def test_what_does_not_fit_falls_out_with_the_reason(facts, reason):
    selection = select_snapshot([but(**facts)], WANTED)
    assert selection.chosen is None
    assert selection.trace[0].startswith(f"snap-6 (registry a) is not used: {reason}")


def test_a_configuration_is_asked_for_by_name():
    assert chosen(FITTING, wanted=dataclasses.replace(WANTED, configuration="debug")) is None
    assert chosen(but(configuration="debug"), wanted=dataclasses.replace(WANTED, configuration="debug")) == "snap-6"


@pytest.mark.parametrize("field", ["os", "architecture", "target"])
def test_what_the_fingerprint_covers_need_not_be_written_down(field):
    unknown = but(**{field: None})
    assert chosen(unknown) == "snap-6"
    assert chosen(unknown, wanted=dataclasses.replace(WANTED, fingerprint=None)) is None


def test_an_empty_wish_matches_everything():
    assert chosen(but(owner_id="666666666666", size_gib=None), wanted=Wanted()) == "snap-6"


def test_the_smallest_sufficient_then_the_newest_then_the_first_id_is_chosen_in_any_order():
    small = but("snap-9", size_gib=250)
    newer = but("snap-8", size_gib=250, created="2026-11-21")
    twin = but("snap-7", size_gib=250, created="2026-11-21")
    too_small = but("snap-1", size_gib=199)
    for order in itertools.permutations([FITTING, small, newer, twin, too_small]):
        assert chosen(*order) == "snap-7"


def test_a_deprecated_snapshot_is_used_only_if_no_other_fits_and_with_a_warning():
    old = but("snap-2", size_gib=200, deprecated="2026-11-21", superseded_by="bio-v2")
    assert chosen(old, FITTING) == "snap-5"
    assert select_snapshot([FITTING], WANTED).warnings == []
    assert select_snapshot([old], WANTED).warnings == ["snap-2 (bio, registry a) is deprecated since 2026-11-21; bio-v2 takes its place."]


def test_the_life_of_a_local_snapshot_stands_in_its_tags():
    tags = {"petal:deprecated": "", "petal:retired": "2026-11-21", "petal:superseded-by": "bio-v2"}
    found = candidate_from_aws(Snapshot("snap-5", "completed", tags=tags), "us-east-1", "tags")
    assert (found.deprecated, found.retired, found.superseded_by) == (None, "2026-11-21", "bio-v2")


def test_aws_decides_and_not_the_file():
    claimed = candidate_from_registry(
        RegisteredSnapshot("us-east-1", "snap-5", fingerprint=FINGERPRINT, size_gib=500, aws_account="123456789012"), Entry("bio"), "a"
    )
    assert claimed.owner_id is None
    real = Snapshot(
        "snap-5", "completed", volume_size_gib=100, owner_id="666666666666", encrypted=True, start_time="2026-11-20T10:00:00+00:00"
    )
    seen = confirmed(claimed, real)
    assert (seen.owner_id, seen.size_gib, seen.encrypted) == ("666666666666", 100, True)
    assert confirmed(claimed, None).state == "missing"


def test_tags_say_what_a_local_snapshot_is_for():
    tags = {"petal:fingerprint": FINGERPRINT, "petal:os": "al2023", "petal:arch": "x86_64", "petal:target": "x86_64_v3", "Name": "bio"}
    found = candidate_from_aws(Snapshot("snap-5", "completed", volume_size_gib=8, tags=tags), "us-east-1", "tags")
    assert (found.os, found.architecture, found.target, found.name, found.size_gib) == ("alinux2023", "x86_64", "x86_64_v3", "bio", 8)


def test_results_of_modules_come_back_as_the_same_candidates():
    assert candidate_from_dict(FITTING.to_result()) == FITTING
    snapshot = Snapshot("snap-5", "completed", volume_size_gib=8, tags={"petal:arch": "arm64"})
    assert candidate_from_dict(snapshot.to_result()).architecture == "arm64"
    with pytest.raises(ExplainedError, match="no snapshot_id"):
        candidate_from_dict({"name": "bio"})


def test_nothing_found_says_what_was_asked_and_what_there_is():
    text = not_found_text(WANTED, [but(region="eu-west-1"), but(region="eu-west-1"), but(state="pending")])
    assert text.startswith("no snapshot found for region=us-east-1, os=al2023, architecture=x86_64, target=x86_64_v3, size_gib=200.")
    assert text.endswith(
        "There is: alinux2023, x86_64, x86_64_v3, 500 GiB in eu-west-1; alinux2023, x86_64, x86_64_v3, 500 GiB in us-east-1, pending."
    )


def test_nothing_found_anywhere_says_so():
    assert not_found_text(Wanted(), []) == "no snapshot found for region=any, os=any. No source knows the fingerprint."
