"""A build that is killed at any point is finished by the next run: one snapshot, nothing leaked."""

import time

import pytest

from tests.chain.playbook import ROOT, Playbook, left_over, run, snapshots
from tests.lab.fixtures import lab_hosts  # noqa: F401

pytestmark = pytest.mark.hosts
SEED = ROOT / "tests/data/seeds/interrupted.yaml"
# Each run is killed when it says that it has reached the stage, or so many seconds later: no volume; a volume; a host; little on the
# mounted volume; all built, and the smaller volume of the snapshot half made; the snapshot taken. Kills in the middle of a build:
# test_detached.py.
KILLS = [
    ("plan", 3),
    ("volume", 2),
    ("host", 0),
    ("mounted", 6),
    ("sized", 6),
    ("snapshot", 0),
]


def kill_at(stage, delay, lab, options):
    playbook = Playbook("build_seed.yml", lab, **options)
    for reached in playbook.stages():
        if reached == stage:
            time.sleep(delay)
            break
    playbook.kill()
    return playbook


def test_a_build_killed_from_stage_to_stage_ends_as_one_snapshot_with_nothing_left(lab_hosts, tmp_path):  # noqa: F811
    options = {
        "seed": str(SEED),
        "registry": str(tmp_path / "registry"),
        "volume_size_gib": 4,
        "from_scratch": True,
        "right_size": True,
        "lint_seed": False,  # leaves nothing behind that a kill could break
    }
    for stage, delay in KILLS:
        killed = kill_at(stage, delay, lab_hosts, options)
        assert any(f"| {stage}" in line for line in killed.output), f"{stage} was not reached:\n{killed.text[-3000:]}"
    last = run("build_seed.yml", lab_hosts, **options)
    assert last.ok, last.text[-4000:]
    (snapshot,) = snapshots(lab_hosts, "interrupted")
    assert snapshot["VolumeSize"] < options["volume_size_gib"]
    assert left_over(lab_hosts) == []
    assert len(list((tmp_path / "registry/snapshots").glob("*.json"))) == 1
