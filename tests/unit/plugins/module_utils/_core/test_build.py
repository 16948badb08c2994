"""A build is marked, found, held and read through tags."""

import pytest

from plugins.module_utils._core.build import Lease, build_filters, build_state, build_tags, may_take, parse_lease, refuse_lease

MINE = Lease("controller/100", 2000)
OTHER = Lease("elsewhere/7", 2000)
VARIANT = {"fingerprint": "sha256:ab", "os": "alinux2023", "arch": "x86_64", "target": "x86_64_v3", "spack_version": "v1.2.2"}


def test_a_resource_of_a_build_is_ours_and_carries_build_and_platform():
    assert build_tags("ab12", VARIANT, stage="mounted", package_count=0) == {
        "CreatedBy": "petal.hpc",
        "petal:build-id": "ab12",
        "petal:fingerprint": "sha256:ab",
        "petal:os": "alinux2023",
        "petal:arch": "x86_64",
        "petal:target": "x86_64_v3",
        "petal:spack": "v1.2.2",
        "petal:stage": "mounted",
        "petal:package-count": "0",
    }


def test_what_is_not_known_is_not_tagged():
    assert build_tags("ab12") == {"CreatedBy": "petal.hpc", "petal:build-id": "ab12"}


def test_the_filters_of_a_build_match_only_ours():
    assert build_filters("ab12") == {"tag:petal:build-id": "ab12", "tag:CreatedBy": "petal.hpc"}


def test_a_lease_survives_its_tag():
    assert parse_lease(MINE.to_tag()) == MINE
    assert (MINE.host, MINE.process) == ("controller", 100)


@pytest.mark.parametrize("value", [None, "", "nonsense", "host/12", "host 99", "host/x 99"])
def test_a_lease_that_nobody_can_read_is_no_lease(value):
    assert parse_lease(value) is None


@pytest.mark.parametrize(
    ("found", "now", "holder_is_dead", "allowed"),
    [
        (None, 1000, False, True),
        (MINE, 1000, False, True),
        (OTHER, 1000, False, False),
        (OTHER, 1000, True, True),
        (OTHER, 2000, False, True),
        (OTHER, 1999, False, False),
    ],
)
def test_a_lease_is_taken_only_when_nobody_alive_holds_it(found, now, holder_is_dead, allowed):
    assert may_take(found, MINE, now, holder_is_dead) is allowed


def test_a_refused_lease_names_the_holder_and_the_ways_on():
    error = refuse_lease("ab12", OTHER, 1400)
    assert "elsewhere/7" in str(error) and "10 more minutes" in str(error) and "take_over" in str(error)


def snapshot(state, progress="100%"):
    return {"snapshot_id": "snap-1", "state": state, "progress": progress}


def volume(**tags):
    return {
        "volume_id": "vol-1",
        "state": "in-use",
        "tags": {"petal:fingerprint": "sha256:ab", **{f"petal:{name}": value for name, value in tags.items()}},
    }


ROOT_VOLUME = {"volume_id": "vol-root", "state": "in-use", "tags": {"petal:build-id": "ab12"}}


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
    assert build_state("ab12", volumes, [], snapshots)["stage"] == stage


def test_the_state_of_a_build_names_host_volume_and_holder():
    host = {"instance_id": "i-1", "state": {"name": "running"}}
    state = build_state("ab12", [ROOT_VOLUME, volume(lease=OTHER.to_tag())], [host], [])
    assert (state["instance_id"], state["volume_id"], state["holder"]) == ("i-1", "vol-1", "elsewhere/7")
    assert "i-1 is running" in state["summary"] and "elsewhere/7 works on it" in state["summary"]
