"""A build host ends by itself when nothing is built on it any more, and not before."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.unit.docs.pages import ROOT

PROGRAM = ROOT / "roles/build_host/files/deadline.py"
spec = importlib.util.spec_from_file_location("deadline", PROGRAM)
deadline = importlib.util.module_from_spec(spec)
spec.loader.exec_module(deadline)

UNIT = "petal-build-0123456789ab.service"
NEW = {"progress": 0, "look": 0, "computed": {}}


def idle_seconds(*looks):
    """Return for how long nothing has moved after looks of (age, computed)."""
    state = NEW
    for age, computed in looks:
        state = deadline.renew(state, age, computed)
    return state["look"] - state["progress"]


@pytest.mark.parametrize(
    ("looks", "idle"),
    [
        ([(300, {}), (600, {})], 600),  # nobody has ever built
        ([(300, {UNIT: 200}), (600, {UNIT: 900})], 0),  # computes on several cores
        ([(300, {UNIT: 200}), (600, {UNIT: 216})], 0),  # on little more than a twentieth of one
        ([(300, {UNIT: 200}), (600, {UNIT: 201}), (900, {UNIT: 202})], 600),  # hangs: it only looks after its children
        ([(300, {UNIT: 200}), (600, {})], 300),  # has ended, and nobody goes on
        ([(300, {UNIT: 200}), (600, {UNIT: 3})], 0),  # was started again
        ([(300, {UNIT: 200}), (600, {UNIT: 200, "petal-build-2.service": 0})], 0),  # another one has begun
        ([(300, {UNIT: None}), (600, {UNIT: None})], 0),  # computing is not counted here: it is alive
    ],
)
def test_only_a_build_that_makes_progress_renews_the_deadline(looks, idle):
    assert idle_seconds(*looks) == idle


def test_the_units_that_run_are_read_with_what_they_have_computed():
    text = (
        f"Id={UNIT}\nActiveState=active\nCPUUsageNSec=1500000000\n\n"
        "Id=petal-build-2.service\nActiveState=failed\nCPUUsageNSec=7\n\n"
        "Id=petal-build-3.service\nActiveState=active\nCPUUsageNSec=[not set]\n\n"
        f"Id=petal-build-4.service\nActiveState=activating\nCPUUsageNSec={2**64 - 1}\n"
    )
    assert deadline.read_units(text) == {UNIT: 1.5, "petal-build-3.service": None, "petal-build-4.service": None}
    assert deadline.read_units("") == {}


def run_program(folder, hours, state=None, units=""):
    """Run the program with a systemctl that only says which units run; return what it was asked, what is remembered, and the reason."""
    (folder / "units").write_text(units)
    systemctl = folder / "systemctl"
    systemctl.write_text(f'#!/bin/sh\n[ "$1" = show ] && exec cat {folder}/units\necho "$*" >> {folder}/asked\n')
    systemctl.chmod(0o755)
    if state is not None:
        (folder / "state").write_text(state)
    ours = {"PETAL_DEADLINE_STATE": str(folder / "state"), "PETAL_DEADLINE_REASON": str(folder / "reason")}
    environment = {**os.environ, **ours, "PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run([sys.executable, PROGRAM, str(hours)], env=environment, check=True)
    texts = [(folder / name).read_text() if (folder / name).exists() else "" for name in ("asked", "state", "reason")]
    return texts[0].split(), json.loads(texts[1]), texts[2]


@pytest.mark.parametrize("state", [None, "", "{"])
def test_a_host_on_which_nothing_was_ever_built_ends_also_when_nothing_is_remembered(tmp_path, state):
    asked, _state, reason = run_program(tmp_path, hours=0.000001, state=state)
    assert asked == ["poweroff"]
    assert reason == "the host ended itself: no build has made progress on it for 1e-06 hours"


def test_a_host_with_a_living_build_stays_however_old_it_is(tmp_path):
    units = f"Id={UNIT}\nActiveState=active\nCPUUsageNSec=1500000000\n"
    asked, state, reason = run_program(tmp_path, hours=0.000001, units=units)
    assert (asked, reason) == ([], "")
    assert state["progress"] == state["look"] > 0
