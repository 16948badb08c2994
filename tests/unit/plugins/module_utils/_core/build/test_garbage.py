# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
import datetime

import pytest

from plugins.module_utils._core.build.garbage import (
    Need,
    RegionFacts,
    Thing,
    decide_garbage,
    in_waves,
    look_again,
    refuse_too_many,
    software_graph,
)
from plugins.module_utils._core.build.lease import Lease
from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.build.parent import rank_parents
from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.ebs.volume import Attachment, Volume
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot, retire
from plugins.module_utils._core.registry.files import entry_document, parse_entry

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
OLD, YOUNG = "2026-01-01T00:00:00+00:00", "2026-11-20T00:00:00+00:00"
FINGERPRINT, OTHER = "sha256:" + "0f3a" * 16, "sha256:" + "1e2d" * 16
VARIANT = {
    "os": "alinux2023", "arch": "x86_64", "target": "x86_64_v3", "spack_version": "v1", "recipes_version": "v1", "compiler": None,
    "mount_path": "/shared", "externals": {}, "image_id": None, "fingerprint": FINGERPRINT, "specs": ["bwa"],
}  # fmt: skip
MORE = {**VARIANT, "fingerprint": OTHER, "specs": ["bwa", "zlib"]}
OURS = build_tags("0f3a", VARIANT, outcome={"proof": "passed"})
SNAPSHOT = Snapshot("snap-1", "completed", volume_size_gib=8, start_time=OLD, tags=OURS)
VOLUME = Volume("vol-1", "build", "available", 8, "gp3", "us-east-1a", create_time=OLD, tags=OURS)


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


NAMED = RegisteredSnapshot("us-east-1", "snap-1", fingerprint=FINGERPRINT)


def child_of(*parents, snapshot_id="snap-2", variant=MORE, **changes):
    """A snapshot of a build that started from one of the others, tagged as builds tag it."""
    parent = rank_parents(variant, [one.to_result() for one in parents])[0]
    return but(SNAPSHOT, snapshot_id=snapshot_id, tags=build_tags("1e2d", variant, parent=parent, outcome={"proof": "passed"}), **changes)


@pytest.mark.parametrize(
    ("facts", "registered", "reason"),
    [
        (here(SNAPSHOT), NAMED, "registry /r names it"),
        (here(SNAPSHOT), but(NAMED, deprecated="2026-01-02"), "registry /r names it"),
        (here(SNAPSHOT), but(NAMED, retired="2020-01-01"), "its own tag petal:retired has not said so for 30 days"),
        (here(tagged(SNAPSHOT, retired="2026-11-01")), but(NAMED, retired="2020-01-01"), "has not said so for 30 days"),
        (here(tagged(SNAPSHOT, retired="2020-01-01")), NAMED, "registry /r names it"),
        (here(tagged(SNAPSHOT, retired="long ago")), but(NAMED, retired="2020-01-01"), "has not said so for 30 days"),
        (here(SNAPSHOT), but(NAMED, region="US-East-1", snapshot_id="SNAP-1"), "registry /r names it"),
        (here(SNAPSHOT), but(NAMED, snapshot_id="snap-9"), "names its fingerprint, and no other snapshot of it here"),
        (here(SNAPSHOT), but(NAMED, region="eu-west-1", retired="2020-01-01"), "names its fingerprint"),
        (here(SNAPSHOT), but(NAMED, region="eu-west-1", snapshot_id="snap-2"), "names its fingerprint, and no other snapshot of it here"),
        (here(SNAPSHOT, images={"snap-1": ["ami-1"]}), None, "image ami-1 needs it"),
        (here(SNAPSHOT, templates={"snap-1": ["lt-1"]}), None, "launch template lt-1 names it"),
        (here(SNAPSHOT, locked={"snap-1": "2026-12-22"}), None, "it is locked"),
        (here(SNAPSHOT, fast_restored={"snap-1": ["us-east-1a"]}), None, "it is enabled for fast restore"),
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
        (here(SNAPSHOT, child_of(SNAPSHOT, start_time=YOUNG)), None, "snapshot snap-2 was built on it"),
        (
            here(tagged(SNAPSHOT, retired="2026-11-01"), shared_with={"snap-1": ["111122223333"]}),
            but(NAMED, retired="2020-01-01"),
            "111122223333 may use it, and it is not retired",
        ),
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
        (tagged(VOLUME, lease=Lease("host/1", int(NOW.timestamp()) + 60).to_tag()), "host/1 is building on it"),
        (but(VOLUME, create_time=YOUNG), "less than 30"),
    ],
)
def test_a_volume_in_use_stays(volume, reason):
    assert reason in reasons(here(volumes=(volume,)))["volume us-east-1/vol-1"][0]


def test_a_lease_that_is_over_keeps_nothing():
    volume = tagged(VOLUME, lease=Lease("host/1", int(NOW.timestamp()) - 60).to_tag())
    assert deleted(here(volumes=(volume,))) == {"volume us-east-1/vol-1"}


@pytest.mark.parametrize(
    "facts",
    [
        here(but(SNAPSHOT, tags={"petal:fingerprint": FINGERPRINT})),
        here(but(SNAPSHOT, tags={"CreatedBy": "petal.hpc", "Name": "checkpoints"})),
        here(volumes=(but(VOLUME, tags={"CreatedBy": "petal.hpc", "Name": "data"}),)),
        here(volumes=(but(VOLUME, tags={key: value for key, value in OURS.items() if key != "petal:build-id"}),)),
    ],
)
def test_what_is_not_ours_or_holds_data_is_not_even_considered(facts):
    assert reasons(facts) == {}


def test_what_registry_and_own_tag_have_retired_long_enough_goes_although_others_may_use_it():
    facts = here(tagged(SNAPSHOT, retired="2026-01-02"), shared_with={"snap-1": ["111122223333"]})
    retired = but(NAMED, retired="2026-11-22")
    assert deleted(facts, registered=[("/r", retired)]) == {"snapshot us-east-1/snap-1"}
    assert deleted(facts, registered=[("/r", retired), ("/s", NAMED)]) == set()


def test_a_date_that_only_the_registry_has_condemns_nothing():
    entry, _notes = parse_entry(entry_document(retire(Entry("bio", snapshots=(NAMED,)), NAMED, "2020-01-01")), "bio.json")
    assert deleted(here(SNAPSHOT), registered=[("/r", one) for one in entry.snapshots]) == set()


@pytest.mark.parametrize(
    "other",
    [
        but(SNAPSHOT, snapshot_id="snap-2", state="pending"),
        but(SNAPSHOT, snapshot_id="snap-2", state="error"),
        but(SNAPSHOT, snapshot_id="snap-2", tags=build_tags("1e2d", MORE, outcome={"proof": "passed"})),
        tagged(but(SNAPSHOT, snapshot_id="snap-2"), retired="2020-01-01"),
    ],
)
def test_the_only_good_snapshot_of_a_registered_fingerprint_stays(other):
    named = RegisteredSnapshot(
        "us-east-1", "snap-2", fingerprint=FINGERPRINT, retired="2020-01-01" if "petal:retired" in other.tags else None
    )
    elsewhere = RegisteredSnapshot("eu-west-1", "snap-3", fingerprint=FINGERPRINT)
    assert "snapshot us-east-1/snap-1" not in deleted(here(SNAPSHOT, other), registered=[("/r", named), ("/r", elsewhere)])


def test_the_source_of_a_running_copy_stays():
    copy = tagged(but(SNAPSHOT, snapshot_id="snap-2", state="pending"), copied_from="us-east-1/snap-1")
    assert deleted(here(SNAPSHOT), here(copy, region="eu-west-1")) == set()
    done = but(copy, state="completed")
    assert deleted(here(SNAPSHOT), here(done, region="eu-west-1")) == {"snapshot us-east-1/snap-1", "snapshot eu-west-1/snap-2"}


def test_a_chain_of_children_stays_with_its_youngest_and_goes_with_it():
    middle = child_of(SNAPSHOT)
    most = {**VARIANT, "fingerprint": "sha256:" + "77" * 32, "specs": ["bwa", "zlib", "hdf5"]}
    newest = child_of(SNAPSHOT, middle, snapshot_id="snap-3", variant=most)
    assert deleted(here(SNAPSHOT, middle, but(newest, start_time=YOUNG))) == set()
    assert len(deleted(here(SNAPSHOT, middle, newest))) == 3


def test_the_parent_of_a_registered_child_stays():
    registered = [("/r", RegisteredSnapshot("us-east-1", "snap-2", fingerprint=OTHER))]
    assert deleted(here(SNAPSHOT, child_of(SNAPSHOT)), registered=registered) == set()
    assert deleted(here(SNAPSHOT, child_of(SNAPSHOT))) == {"snapshot us-east-1/snap-1", "snapshot us-east-1/snap-2"}


def test_what_is_needed_at_the_second_look_stays_with_the_reason():
    things, needs = software_graph([here(SNAPSHOT, volumes=(but(VOLUME, snapshot_id="snap-1"),))], [], 30, NOW)
    key, volume = "snapshot us-east-1/snap-1", "volume us-east-1/vol-1"
    assert look_again(key, things, needs, {key}, 30) == ("volume vol-1 was made from it",)
    assert look_again(key, things, needs, {key, volume}, 30) == ()
    assert look_again("snapshot us-east-1/snap-9", things, needs, (), 30) == ("its tags do not say any more that a build of ours made it",)


def test_what_needs_others_goes_before_them():
    things, needs = software_graph([here(SNAPSHOT, child_of(SNAPSHOT), volumes=(but(VOLUME, snapshot_id="snap-2"),))], [], 30, NOW)
    waves = in_waves([thing.key for thing in things], needs)
    assert waves == [["volume us-east-1/vol-1"], ["snapshot us-east-1/snap-2"], ["snapshot us-east-1/snap-1"]]
    assert in_waves(["a", "b", "c"], [Need("a", "b", ""), Need("b", "a", "")]) == [["c"], ["a", "b"]]


@pytest.mark.parametrize(("going", "looked_at", "max_delete"), [(21, 21, None), (51, 200, None), (1, 100, 0), (10, 10, 9)])
def test_more_than_a_usual_run_deletes_is_refused_with_the_number(going, looked_at, max_delete):
    with pytest.raises(ExplainedError, match=f"say max_delete: {going}"):
        refuse_too_many(going, looked_at, max_delete)


@pytest.mark.parametrize(("going", "looked_at", "max_delete"), [(20, 20, None), (50, 200, None), (200, 200, 200), (0, 9, 0)])
def test_a_usual_run_is_not_refused(going, looked_at, max_delete):
    refuse_too_many(going, looked_at, max_delete)


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
