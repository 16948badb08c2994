"""What a build claims: where it starts from, which volume it needs, and when it must not begin."""

import dataclasses

import pytest

from plugins.module_utils._core.build.claim import MOST_CANDIDATES, Wishes, plan_claim
from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.build.parent import rank_parents
from tests.unit.plugins.module_utils._core.build.test_parent import VARIANT as PLATFORM

VARIANT = {**PLATFORM, "fingerprint": "sha256:" + "0f3a" * 16, "specs": ["fftw@3", "hdf5@1.14", "zlib@1.3"]}


def snapshot(name, specs, **more):
    held = {**VARIANT, "fingerprint": f"sha256:{name}", "specs": specs}
    facts = {"state": "completed", "start_time": "2026-01-01T00:00:00Z", "volume_size_gib": 100, "encrypted": True, "kms_key_id": "key-1"}
    return {"snapshot_id": f"snap-{name}", "tags": build_tags(name, held, {"proof": "passed"}), **facts, **more}


MOST, HALF = snapshot("most", VARIANT["specs"][:2]), snapshot("half", VARIANT["specs"][:1])
PLAIN = snapshot("plain", VARIANT["specs"][:2], encrypted=False, kms_key_id=None)


def left_volume(parent=None, **more):
    """Return the volume that an earlier run has left, as that run has tagged it."""
    made_from = next(iter(rank_parents(VARIANT, [parent])), {}) if parent else {}
    facts = {"volume_id": "vol-1", "snapshot_id": made_from.get("snapshot_id"), "size_gib": 200, "encrypted": True, "kms_key_id": "key-9"}
    return {**facts, "tags": build_tags("0f3a", VARIANT, parent=made_from), **more}


def claim(*snapshots, volume=None, **wishes):
    return plan_claim(VARIANT, [volume] if volume else [], list(snapshots), Wishes(**wishes))


@pytest.mark.parametrize(
    ("snapshots", "wishes", "parent"),
    [
        ([], {}, None),
        ([HALF, MOST], {}, "snap-most"),
        ([HALF, MOST], {"from_scratch": True}, None),
        ([HALF, MOST], {"vouched": ("snap-half",)}, "snap-half"),
        ([HALF, MOST], {"vouched": ()}, None),
        # What is made from an encrypted snapshot is encrypted.
        ([MOST, PLAIN], {"encrypted": False}, "snap-plain"),
        ([MOST], {"encrypted": False}, None),
    ],
)
def test_a_new_build_starts_from_the_best_that_it_may_use(snapshots, wishes, parent):
    planned = claim(*snapshots, **wishes)
    assert (planned.parent.get("snapshot_id"), planned.refusal) == (parent, "")


def test_only_a_few_are_looked_up():
    many = [snapshot(f"half{number}", VARIANT["specs"][:1]) for number in range(20)]
    assert len(claim(*many).candidates) == MOST_CANDIDATES


@pytest.mark.parametrize(
    ("wanted", "snapshots", "volume", "size_gib"),
    [
        (50, [], None, 50),
        (50, [MOST], None, 100),
        (500, [MOST], None, 500),
        (50, [], left_volume(), 200),
        (500, [], left_volume(), 500),
    ],
)
def test_the_volume_is_as_large_as_all_that_has_to_fit(wanted, snapshots, volume, size_gib):
    assert claim(*snapshots, volume=volume, size_gib=wanted).size_gib == size_gib


@pytest.mark.parametrize(
    ("snapshots", "volume", "wishes", "encrypted", "key"),
    [
        ([], None, {}, True, None),
        ([], None, {"encrypted": True, "kms_key_id": "key-2"}, True, "key-2"),
        ([], None, {"encrypted": False}, False, None),
        ([MOST], None, {}, True, "key-1"),
        ([MOST], None, {"kms_key_id": "key-2"}, True, "key-2"),
        ([PLAIN], None, {"encrypted": False}, False, None),
        # A volume that is there is as it is, whatever is asked for now.
        ([], left_volume(), {"kms_key_id": "key-2"}, True, "key-9"),
        ([], left_volume(encrypted=False, kms_key_id=None), {}, False, None),
    ],
)
def test_encryption_is_known_before_anything_is_made(snapshots, volume, wishes, encrypted, key):
    planned = claim(*snapshots, volume=volume, **wishes)
    assert (planned.encrypted, planned.kms_key_id) == (encrypted, key)


def test_the_volume_of_an_earlier_run_goes_on_from_what_it_was_made_from():
    planned = claim(HALF, MOST, volume=left_volume(HALF))
    assert (planned.parent["snapshot_id"], planned.refusal) == ("snap-half", "")
    assert claim(HALF, MOST, volume=left_volume()).parent == {}


RETIRED = {**HALF, "tags": {**HALF["tags"], "petal:retired": "2026-11-01"}}


@pytest.mark.parametrize(
    ("snapshots", "wishes", "reason"),
    [
        ([RETIRED], {}, "The volume vol-1 of an earlier run was made from snap-half: it is retired since 2026-11-01."),
        ([HALF], {"vouched": ()}, "made from snap-half: no entry that is signed as require_signature asks for vouches for it."),
        ([HALF], {"from_scratch": True}, "from_scratch is set, but the volume vol-1 of an earlier run was made from snap-half."),
    ],
)
def test_what_an_earlier_run_has_begun_is_refused_where_it_is_not_what_is_asked_for(snapshots, wishes, reason):
    refusal = claim(*snapshots, volume=left_volume(HALF), **wishes).refusal
    assert reason in refusal
    assert "build_cancel and delete_volume=true" in refusal


def test_from_scratch_is_no_reason_against_a_volume_that_began_empty():
    assert claim(HALF, volume=left_volume(), from_scratch=True).refusal == ""


def test_a_claim_is_plain_data():
    result = claim(HALF, MOST).to_result()
    assert [one["snapshot_id"] for one in result["candidates"]] == ["snap-most", "snap-half"]
    assert result.keys() == {field.name for field in dataclasses.fields(claim())}
