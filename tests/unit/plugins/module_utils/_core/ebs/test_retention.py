import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils._core.ebs.holds import Uses
from plugins.module_utils._core.ebs.retention import Rules, decide_retention
from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
OURS = {"CreatedBy": "petal.hpc"}
FINGERPRINT = "sha256:" + "0f3a" * 16


def taken(days_ago, number=0, tags=OURS, state="completed", volume_id="vol-1"):
    moment = NOW - datetime.timedelta(days=days_ago)
    return Snapshot(f"snap-{days_ago:g}-{number}", state, volume_id, 8, start_time=moment.isoformat(), tags=dict(tags))


def kept(snapshots, rules, references=Uses()):  # noqa: B008
    return [verdict.snapshot.snapshot_id for verdict in decide_retention(snapshots, rules, references, NOW) if verdict.keep]


DAILY = [taken(day) for day in range(40)]


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        (Rules(keep_last=3), [0, 1, 2]),
        (Rules(max_age_days=2), [0, 1, 2]),
        (Rules(keep_last=4, max_age_days=2), [0, 1, 2, 3]),
        (Rules(keep_daily=3), [0, 1, 2]),
        # 23 November 2026 is a Monday: the weeks before end on the 22nd and the 15th.
        (Rules(keep_weekly=3), [0, 1, 8]),
        (Rules(keep_monthly=2), [0, 23]),
        (Rules(keep_daily=2, keep_weekly=3, keep_monthly=2), [0, 1, 8, 23]),
        (Rules(keep_monthly=2, max_age_days=20), [0]),
    ],
)
def test_a_snapshot_of_each_day_is_thinned_out(rules, days):
    assert kept(DAILY, rules) == [f"snap-{day}-0" for day in days]


def test_the_newest_of_a_group_stays_however_old_it_is():
    assert kept([taken(500), taken(600)], Rules(max_age_days=7)) == ["snap-500-0"]


def test_each_volume_is_a_group_of_its_own():
    snapshots = [taken(1), taken(2), taken(3, volume_id="vol-2"), taken(4, volume_id="vol-2")]
    assert kept(snapshots, Rules(keep_last=1)) == ["snap-1-0", "snap-3-0"]
    assert kept(snapshots, Rules(keep_last=1, group_by="nothing")) == ["snap-1-0"]


def test_snapshots_of_one_name_can_be_a_group():
    snapshots = [taken(1, tags={**OURS, "Name": "a"}), taken(2, tags={**OURS, "Name": "b"}), taken(3, tags={**OURS, "Name": "a"})]
    assert kept(snapshots, Rules(keep_last=1, group_by="name")) == ["snap-1-0", "snap-2-0"]


REFERRED = "snap-9-0"


@pytest.mark.parametrize(
    ("snapshot", "references", "reason"),
    [
        (taken(9, tags={}), Uses(), "it was not made by petal.hpc"),
        (taken(9, tags={**OURS, "petal:protected": "true"}), Uses(), "the tag petal:protected"),
        (taken(9), Uses(images={REFERRED: ["ami-1"]}), "image ami-1 needs it"),
        (taken(9), Uses(templates={REFERRED: ["lt-1"]}), "launch template lt-1 names it"),
        (taken(9), Uses(shared_with={REFERRED: ["111122223333"]}), "111122223333 may use it, and it is not retired"),
        (
            taken(9, tags={**OURS, "petal:retired": "2100-01-01"}),
            Uses(shared_with={REFERRED: ["111122223333"]}),
            "111122223333 may use it, and it is not retired",
        ),
        (taken(9), Uses(locked={REFERRED: "2026-12-22"}), "it is locked"),
        (taken(9), Uses(fast_restored={REFERRED: ["us-east-1a"]}), "it is enabled for fast restore"),
        (taken(9), Uses(being_restored=frozenset({REFERRED})), "a volume is being made from it"),
        (taken(9), Uses(registered={REFERRED: ["/srv/registry"]}), "registry /srv/registry"),
        (
            taken(9, tags={**OURS, "petal:fingerprint": FINGERPRINT}),
            Uses(fingerprints={FINGERPRINT: "/srv/registry"}),
            "its fingerprint is in registry /srv/registry",
        ),
        (taken(9, state="pending"), Uses(), "it is pending"),
        (taken(9, state="recoverable"), Uses(), "it is recoverable"),
    ],
)
def test_what_something_refers_to_stays_and_says_why(snapshot, references, reason):
    verdicts = decide_retention([taken(1), snapshot], Rules(keep_last=1), references, NOW)
    assert (verdicts[1].keep, verdicts[1].reasons) == (True, (reason,))


def test_a_failed_snapshot_goes_and_does_not_count():
    verdicts = decide_retention([taken(1, state="error"), taken(2)], Rules(keep_last=1), Uses(), NOW)
    assert [(verdict.keep, verdict.reasons[0]) for verdict in verdicts] == [
        (False, "it failed: no reason given"),
        (True, "among the newest 1"),
    ]


@pytest.mark.parametrize(("rules", "complaint"), [({}, "No rule"), ({"keep_last": 0}, "keep_last must be 1 or more")])
def test_rules_that_keep_nothing_are_refused(rules, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        Rules(**rules)


COUNTS = st.none() | st.integers(1, 12)
RULES = st.builds(
    Rules,
    keep_last=st.integers(1, 12),
    keep_daily=COUNTS,
    keep_weekly=COUNTS,
    keep_monthly=COUNTS,
    max_age_days=st.none() | st.integers(1, 400),
    group_by=st.sampled_from(["volume", "name", "nothing"]),
)
TAGS = st.fixed_dictionaries(
    {},
    optional={
        "CreatedBy": st.sampled_from(["petal.hpc", "petal.hpc", "petal.hpc", "somebody"]),
        "Name": st.sampled_from("ab"),
        "petal:protected": st.sampled_from(["true", "false"]),
        "petal:fingerprint": st.sampled_from([FINGERPRINT, "sha256:" + "beef" * 16]),
    },
)
SNAPSHOTS = st.lists(
    st.builds(
        taken,
        st.floats(0, 500),
        st.integers(0, 10**6),
        TAGS,
        st.sampled_from(["completed", "completed", "completed", "pending", "error"]),
        st.sampled_from(["vol-1", "vol-2"]),
    ),
    max_size=40,
    unique_by=lambda snapshot: snapshot.snapshot_id,
)


@given(SNAPSHOTS, RULES, st.data())
def test_whatever_the_rules_nothing_that_must_stay_goes_and_the_counts_hold(snapshots, rules, data):
    ids = [snapshot.snapshot_id for snapshot in snapshots]
    some = st.frozensets(st.sampled_from(ids)) if ids else st.just(frozenset())
    references = Uses(
        images={snapshot_id: ["ami-1"] for snapshot_id in data.draw(some)},
        locked=dict.fromkeys(data.draw(some), "2026-12-22"),
        being_restored=data.draw(some),
        registered={snapshot_id: ["registry"] for snapshot_id in data.draw(some)},
        fingerprints={FINGERPRINT: "registry"},
    )
    verdicts = decide_retention(snapshots, rules, references, NOW)
    assert sorted(verdict.snapshot.snapshot_id for verdict in verdicts) == sorted(ids)
    gone = [verdict.snapshot for verdict in verdicts if not verdict.keep]
    needed = {*references.images, *references.locked, *references.being_restored, *references.registered}
    for snapshot in gone:
        assert snapshot.tags.get("CreatedBy") == "petal.hpc"
        assert snapshot.tags.get("petal:protected") != "true"
        assert snapshot.fingerprint != FINGERPRINT
        assert snapshot.snapshot_id not in needed
        assert snapshot.state in ("completed", "error")
        if snapshot.state == "completed":
            # As many newer ones of its kind stay as keep_last says.
            alike = [
                verdict.snapshot
                for verdict in verdicts
                if verdict.keep
                and verdict.snapshot.state == "completed"
                and (rules.group_by != "volume" or verdict.snapshot.volume_id == snapshot.volume_id)
                and (rules.group_by != "name" or verdict.snapshot.name == snapshot.name)
                and verdict.snapshot.start_time >= snapshot.start_time
            ]
            assert len(alike) >= rules.keep_last


@given(SNAPSHOTS, RULES)
def test_a_second_run_deletes_nothing(snapshots, rules):
    left = [verdict.snapshot for verdict in decide_retention(snapshots, rules, Uses(), NOW) if verdict.keep]
    assert all(verdict.keep for verdict in decide_retention(left, rules, Uses(), NOW))
