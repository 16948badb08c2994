import pytest

from plugins.filter.publish_refusals import publish_refusals

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FINGERPRINT = "sha256:" + "0f3a" * 16
REPORT = {"format": 1, "passed": True, "public": False, "fingerprint": FINGERPRINT, "manifest": A, "blocking": []}


def snapshot(snapshot_id, manifest, region="us-east-1", **more):
    return {"snapshot_id": snapshot_id, "region": region, "fingerprint": FINGERPRINT, "manifest": manifest, "retired": None, **more}


def entry(*snapshots):
    return {"snapshots": list(snapshots), "reports": {A: REPORT}}


def refused(*snapshots, **given):
    return [one["snapshot_id"] for one in publish_refusals(entry(*snapshots), **given)]


def test_a_report_counts_for_every_copy_of_what_was_searched_and_for_nothing_else():
    assert refused(snapshot("snap-1", A), snapshot("snap-2", A, "eu-west-1")) == []
    assert refused(snapshot("snap-1", A), snapshot("snap-3", B)) == ["snap-3"]
    assert refused(snapshot("snap-4", None), snapshot("snap-5", None)) == ["snap-4", "snap-5"]
    assert refused(snapshot("snap-3", B, retired="2026-11-01")) == []


@pytest.mark.parametrize(("region", "searched"), [(None, "snap-1"), ("us-east-1", "snap-2")])
def test_of_equal_copies_one_is_searched_in_the_region_at_hand(region, searched):
    (one,) = publish_refusals(entry(snapshot("snap-1", B, "eu-west-1"), snapshot("snap-2", B)), region=region)
    assert (one["snapshot_id"], one["short"]) == (searched, "b" * 12)
    assert "it has not been searched yet" in one["reason"]
