import pytest

from plugins.module_utils._core.build.lease import Lease
from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.build.state import age_text, build_state, build_states, cost_so_far

NOW = 10_000


def snapshot(state, progress="100%"):
    return {
        "id": "snap-1",
        "state": state,
        "progress": progress,
        "created": 9000,
        "tags": {"petal:build-id": "ab12", "petal:seed": "genomics"},
    }


def volume(build_id="ab12", created=8000, **tags):
    own = {"petal:fingerprint": "sha256:ab", "petal:build-id": build_id, **{f"petal:{name}": value for name, value in tags.items()}}
    return {"id": "vol-1", "state": "in-use", "created": created, "size_gib": 500, "tags": own}


ROOT_VOLUME = {"id": "vol-root", "state": "in-use", "created": 8500, "tags": {"petal:build-id": "ab12"}}
HOST = {"id": "i-1", "state": "running", "type": "c7i.4xlarge", "created": 6400, "tags": {"petal:build-id": "ab12"}}


@pytest.mark.parametrize(
    ("volumes", "snapshots", "stage"),
    [
        ([], [], "none"),
        ([volume()], [], "claimed"),
        ([volume(stage="installed")], [], "installed"),
        ([volume(stage="proved")], [snapshot("pending", "40%")], "snapshot"),
        ([volume(stage="proved")], [snapshot("completed")], "complete"),
        ([volume(stage="proved")], [snapshot("error")], "proved"),
    ],
)
def test_the_stage_of_a_build_is_read_from_its_resources(volumes, snapshots, stage):
    assert build_state("ab12", volumes, [], snapshots, now=NOW)["stage"] == stage


def test_the_state_of_a_build_names_host_volume_and_holder():
    lease = Lease("elsewhere/7", NOW + 60).to_tag()
    state = build_state("ab12", [ROOT_VOLUME, volume(lease=lease, progress="40% 2/5 packages")], [HOST], [], now=NOW)
    assert (state["instance_id"], state["volume_id"], state["holder"], state["running"]) == ("i-1", "vol-1", "elsewhere/7", True)
    assert (state["age_seconds"], state["host_hours"]) == (3600, 1.0)
    assert state["summary"] == "40% 2/5 packages; i-1 is running; vol-1 is in-use; elsewhere/7 works on it; 0.74 USD so far"


def test_what_is_known_of_a_build_is_on_its_own_volume_and_not_on_the_copy():
    fitted = {**volume(**{"copy-of": "vol-1"}), "id": "vol-0", "size_gib": 12}
    state = build_state("ab12", [fitted, volume(stage="sized")], [], [], now=NOW)
    assert (state["volume_id"], state["volume_ids"], state["stage"]) == ("vol-1", ["vol-1", "vol-0"], "sized")
    assert build_tags("ab12", copy_of="vol-1")["petal:copy-of"] == "vol-1"


def test_what_a_build_costs_is_its_host_and_its_volume_for_as_long_as_they_are_there():
    assert cost_so_far([volume(created=NOW - 7200)], [HOST], NOW) == round(0.714 + 2 * 500 * 0.08 / 730, 2)
    assert cost_so_far([], [{**HOST, "type": "z99.large"}], NOW) is None


def test_a_failure_is_told_until_somebody_goes_on_or_the_snapshot_is_there():
    why = "Take the snapshot: too many"
    failed = build_state("ab12", [volume(stage="released", failure=why)], [], [], now=NOW)
    assert (failed["stage"], failed["failure"]) == ("failed", why)
    assert failed["summary"].startswith(f"failed: {why}; ")
    lease = Lease("elsewhere/7", NOW + 60).to_tag()
    assert build_state("ab12", [volume(stage="released", failure=why, lease=lease)], [], [], now=NOW)["stage"] == "released"
    assert build_state("ab12", [volume(failure=why)], [], [snapshot("completed")], now=NOW)["failure"] == ""


def test_a_build_whose_lease_has_run_out_does_not_run():
    assert not build_state("ab12", [volume(lease=Lease("elsewhere/7", NOW).to_tag())], [], [], now=NOW)["running"]


def test_builds_are_told_apart_and_listed_oldest_first():
    states = build_states(None, [volume("cd34", created=9500), volume()], [HOST], [], now=NOW)
    assert [(state["build_id"], state["instance_id"]) for state in states] == [("ab12", "i-1"), ("cd34", "")]


def test_a_build_that_is_asked_for_and_has_left_nothing_is_listed():
    assert [(state["build_id"], state["stage"]) for state in build_states(["ef56"], [], [], [], now=NOW)] == [("ef56", "none")]


@pytest.mark.parametrize(("seconds", "text"), [(59, "0 min"), (3700, "1 h 01"), (200_000, "2 d 7 h")])
def test_ages_are_read_at_a_glance(seconds, text):
    assert age_text(seconds) == text


def test_a_search_of_a_volume_is_no_build():
    both = [volume("ab12"), volume("search-cd34")]
    assert [state["build_id"] for state in build_states(None, both, [], [], now=9000)] == ["ab12"]
    assert [state["build_id"] for state in build_states(["search-cd34"], both[1:], [], [], now=9000)] == ["search-cd34"]
