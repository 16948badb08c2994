# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
import datetime

import pytest

from plugins.module_utils._core.garbage import Need, RegionFacts, Thing, decide_garbage, software_graph
from plugins.module_utils._core.registry import RegisteredSnapshot
from plugins.module_utils._core.snapshot import Snapshot
from plugins.module_utils._core.volume import Attachment, Volume

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
OLD, YOUNG = "2026-01-01T00:00:00+00:00", "2026-11-20T00:00:00+00:00"
FINGERPRINT, OTHER = "sha256:" + "0f3a" * 16, "sha256:" + "1e2d" * 16
OURS = {"CreatedBy": "petal.hpc", "petal:fingerprint": FINGERPRINT}
SNAPSHOT = Snapshot("snap-1", "completed", volume_size_gib=8, start_time=OLD, tags=OURS)
VOLUME = Volume("vol-1", "build", "available", 8, "gp3", "us-east-1a", create_time=OLD, tags={**OURS, "petal:build-id": "0f3a"})


def deleted(*facts, registered=(), min_age_days=30):
    things, needs = software_graph(facts, registered, min_age_days, NOW)
    return {verdict.key for verdict in decide_garbage(things, needs, min_age_days) if not verdict.keep}


def reasons(*facts, registered=()):
    things, needs = software_graph(facts, registered, 30, NOW)
    return {verdict.key: verdict.reasons for verdict in decide_garbage(things, needs, 30)}


def here(*snapshots, region="us-east-1", **more):
    return RegionFacts(region, tuple(snapshots), **more)


def but(thing, **changes):
    return dataclasses.replace(thing, **changes)


def tagged(thing, **tags):
    return but(thing, tags={**thing.tags, **{f"petal:{name.replace('_', '-')}": value for name, value in tags.items()}})


def test_what_nothing_needs_goes_with_the_reason():
    assert reasons(here(SNAPSHOT, volumes=(VOLUME,))) == {
        "snapshot us-east-1/snap-1": ("326 days old, and nothing needs it",),
        "volume us-east-1/vol-1": ("326 days old, and nothing needs it",),
    }


NAMED = RegisteredSnapshot("us-east-1", "snap-1", FINGERPRINT)


@pytest.mark.parametrize(
    ("facts", "registered", "reason"),
    [
        (here(SNAPSHOT), NAMED, "registry /r names it"),
        (here(SNAPSHOT), but(NAMED, deprecated="2026-01-02"), "registry /r names it"),
        (here(SNAPSHOT), but(NAMED, retired="2026-11-01"), "registry /r names it"),
        (here(SNAPSHOT), but(NAMED, region="eu-west-1", snapshot_id="snap-2"), "names its fingerprint, and no other snapshot of it here"),
        (here(SNAPSHOT, images={"snap-1": ["ami-1"]}), None, "image ami-1 needs it"),
        (here(SNAPSHOT, templates={"snap-1": ["lt-1"]}), None, "launch template lt-1 names it"),
        (here(SNAPSHOT, locked=frozenset({"snap-1"})), None, "it is locked"),
        (here(SNAPSHOT, fast_restored=frozenset({"snap-1"})), None, "it is enabled for fast restore"),
        (here(SNAPSHOT, shared_with={"snap-1": ["111122223333"]}), None, "111122223333 may use it, and it is not retired"),
        (here(tagged(SNAPSHOT, protected="true")), None, "the tag petal:protected"),
        (here(but(SNAPSHOT, state="pending")), None, "it is pending"),
        (here(but(SNAPSHOT, start_time=YOUNG)), None, "it is 3 days old, less than 30"),
        (here(but(SNAPSHOT, start_time=None)), None, "nobody knows how old it is"),
        (here(SNAPSHOT, volumes=(but(VOLUME, volume_id="vol-2", snapshot_id="snap-1", tags={}),)), None, "volume vol-2 was made from it"),
        (
            here(SNAPSHOT, volumes=(but(VOLUME, snapshot_id="snap-1", tags={"parallelcluster:cluster-name": "bio"}),)),
            None,
            "volume vol-1 of cluster bio was made from it",
        ),
        (here(SNAPSHOT, tagged(but(SNAPSHOT, snapshot_id="snap-2", start_time=YOUNG), parent="snap-1")), None, "snap-2 was built on it"),
    ],
)
def test_what_something_needs_stays_with_the_reason(facts, registered, reason):
    found = reasons(facts, registered=[("/r", registered)] if registered else [])
    assert reason in "; ".join(found["snapshot us-east-1/snap-1"])
    assert "nothing needs it" not in found["snapshot us-east-1/snap-1"][0]


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (but(VOLUME, attachments=(Attachment("i-1", "/dev/sdf"),), state="in-use"), "attached to i-1"),
        (tagged(VOLUME, protected="true"), "the tag petal:protected"),
        (but(VOLUME, state="creating"), "it is creating"),
        (tagged(VOLUME, lease=f"host/1 {int(NOW.timestamp()) + 60}"), "host/1 is building on it"),
        (but(VOLUME, create_time=YOUNG), "less than 30"),
    ],
)
def test_a_volume_in_use_stays(volume, reason):
    assert reason in reasons(here(volumes=(volume,)))["volume us-east-1/vol-1"][0]


def test_a_lease_that_is_over_keeps_nothing():
    volume = tagged(VOLUME, lease=f"host/1 {int(NOW.timestamp()) - 60}")
    assert deleted(here(volumes=(volume,))) == {"volume us-east-1/vol-1"}


@pytest.mark.parametrize(
    "facts",
    [
        here(but(SNAPSHOT, tags={"petal:fingerprint": FINGERPRINT})),
        here(but(SNAPSHOT, tags={"CreatedBy": "petal.hpc", "Name": "checkpoints"})),
        here(volumes=(but(VOLUME, tags={"CreatedBy": "petal.hpc", "Name": "data"}),)),
        here(volumes=(but(VOLUME, tags=OURS),)),
    ],
)
def test_what_is_not_ours_or_holds_data_is_not_even_considered(facts):
    assert reasons(facts) == {}


def test_what_has_been_retired_long_enough_goes_although_others_may_use_it():
    facts = here(SNAPSHOT, shared_with={"snap-1": ["111122223333"]})
    assert deleted(facts, registered=[("/r", but(NAMED, retired="2026-01-02"))]) == {"snapshot us-east-1/snap-1"}
    both = [("/r", but(NAMED, retired="2026-01-02")), ("/s", NAMED)]
    assert deleted(facts, registered=both) == set()


def test_the_source_of_a_running_copy_stays():
    copy = tagged(but(SNAPSHOT, snapshot_id="snap-2", state="pending"), copied_from="us-east-1/snap-1")
    assert deleted(here(SNAPSHOT), here(copy, region="eu-west-1")) == set()
    done = but(copy, state="completed")
    assert deleted(here(SNAPSHOT), here(done, region="eu-west-1")) == {"snapshot us-east-1/snap-1", "snapshot eu-west-1/snap-2"}


def test_a_chain_of_children_stays_with_its_youngest_and_goes_with_it():
    middle = tagged(but(SNAPSHOT, snapshot_id="snap-2"), parent="snap-1")
    newest = tagged(but(SNAPSHOT, snapshot_id="snap-3"), parent="snap-2")
    assert deleted(here(SNAPSHOT, middle, but(newest, start_time=YOUNG))) == set()
    assert len(deleted(here(SNAPSHOT, middle, newest))) == 3


def test_a_registered_twin_does_not_keep_the_other_one():
    twin = but(SNAPSHOT, snapshot_id="snap-2")
    assert deleted(here(SNAPSHOT, twin), registered=[("/r", NAMED)]) == {"snapshot us-east-1/snap-2"}


# Random graphs

KEYS = [f"thing {number}" for number in range(9)]
THINGS = st.lists(
    st.builds(
        Thing,
        st.sampled_from(KEYS),
        st.booleans(),
        st.sampled_from([(), (), ("locked",)]),
        st.sampled_from([None, 1.0, 29.9, 30.0, 400.0, 400.0]),
    ),
    unique_by=lambda thing: thing.key,
)
NEEDS = st.lists(st.builds(Need, st.sampled_from([*KEYS, "stranger"]), st.sampled_from(KEYS), st.just("needed")), max_size=24)
MANY = hypothesis.settings(max_examples=300)


def reachable(things, needs):
    """What stays, worked out the slow way: from everything that is alive, along the needs, until nothing changes."""
    known = {thing.key for thing in things}
    kept = {thing.key for thing in things if not thing.collectable or thing.alive or thing.age_days is None or thing.age_days < 30}
    while True:
        more = {need.needed for need in needs if need.holder in kept or need.holder not in known} | kept
        if more == kept:
            return kept
        kept = more


@MANY
@hypothesis.given(THINGS, NEEDS)
def test_nothing_reachable_is_ever_deleted_and_everything_else_is(things, needs):
    gone = {verdict.key for verdict in decide_garbage(things, needs, 30) if not verdict.keep}
    assert gone == {thing.key for thing in things} - reachable(things, needs)
    assert gone <= {thing.key for thing in things if thing.collectable}


@MANY
@hypothesis.given(THINGS, NEEDS, st.builds(Need, st.sampled_from(KEYS), st.sampled_from(KEYS), st.just("more")))
def test_another_need_never_makes_more_garbage(things, needs, another):
    gone = {verdict.key for verdict in decide_garbage(things, needs, 30) if not verdict.keep}
    assert {verdict.key for verdict in decide_garbage(things, [*needs, another], 30) if not verdict.keep} <= gone


@MANY
@hypothesis.given(THINGS, NEEDS)
def test_a_second_run_finds_nothing_more(things, needs):
    gone = {verdict.key for verdict in decide_garbage(things, needs, 30) if not verdict.keep}
    left = [thing for thing in things if thing.key not in gone]
    # The holders that are gone are gone with their needs.
    still = [need for need in needs if need.holder not in gone]
    assert [verdict for verdict in decide_garbage(left, still, 30) if not verdict.keep] == []


@MANY
@hypothesis.given(THINGS, NEEDS)
def test_every_verdict_has_a_reason(things, needs):
    assert all(verdict.reasons for verdict in decide_garbage(things, needs, 30))
