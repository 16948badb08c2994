import json
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure

from plugins.action.spack_wait import SEPARATOR, ActionModule, Watch
from plugins.module_utils._core.errors import ExplainedError

LOCK = {"roots": [{"hash": "a" * 32}], "concrete_specs": {"a" * 32: {"name": "app", "version": "2.0"}}}
OPTIONS = {
    "unit": "petal-build-1",
    "status": "/s",
    "log": "/l",
    "lock": "/k",
    "interval": 2,
    "heartbeat": 60,
    "timeout": 0,
    "connection_timeout": 10,
    "seconds_per_package": 0,
    "lease_interval": 5,
}
LOST = AnsibleConnectionFailure("ssh: no route to host")


def seen(active, state="running", stage="install", log="", **status):
    """What one look at the host returns."""
    return {"active": active, "status": {"state": state, "stage": stage, **status}, "log": log}


class Host:
    """Answers one look after another; the last one for ever. Time passes only in sleep."""

    def __init__(self, *looks):
        self.looks, self.now, self.shown, self.told = list(looks), 0.0, [], []

    def command(self, script):
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        first = int(script.split("tail -n +")[1].split()[0]) - 1
        new = "\n".join(look["log"].split("\n")[first:])
        parts = ["active" if look["active"] else "inactive", json.dumps(look["status"]), new]
        if "cat /k" in script:
            parts.append(json.dumps(LOCK))
        return "".join(f"{part}\n{SEPARATOR}\n" for part in parts)

    def sleep(self, seconds):
        self.now += seconds

    def watch(self, **options):
        way = {"clock": lambda: self.now, "sleep": self.sleep, "show": self.shown.append, "tell": self.told.append}
        return Watch({**OPTIONS, **options}, self.command, host="build", **way).until_it_ends()


def test_a_line_is_shown_when_something_changes_and_not_otherwise():
    building = seen(True, log="[ ] aaaaaaa app@2.0 install (0s)\n")
    done = seen(False, state="done", stage="tidy", log=building["log"] + "[+] aaaaaaa app@2.0 /p (1s)\n")
    host = Host(seen(True, stage="concretize"), building, building, building, done)
    host.watch()
    assert host.shown == [
        "build |   0:00 | choosing versions",
        "build |   0:02 | [--------------------]   0%   0/1 packages | building | app@2.0 (install)",
        "build |   0:08 | [####################] 100%   1/1 packages | tidying up",
    ]


def test_a_quiet_build_is_heard_of_once_in_a_heartbeat():
    host = Host(*[seen(True)] * 10, seen(False, state="done"))
    host.watch(heartbeat=8)
    assert [line[8:14].strip() for line in host.shown] == ["0:00", "0:08", "0:16"]


def test_a_finished_build_returns_its_progress_and_times():
    facts = Host(seen(False, state="done", log="[+] aaaaaaa app@2.0 /p (1s)\n", stages={"install": 4.0})).watch()
    assert facts["progress"]["done"] == 1
    assert facts["stages"] == {"install": 4.0}


def test_a_line_that_is_half_written_is_read_again():
    half = seen(True, log="[ ] aaaaaaa app@2.0 install (0s)\n[+] aaaa")
    whole = seen(False, state="done", log="[ ] aaaaaaa app@2.0 install (0s)\n[+] aaaaaaa app@2.0 /p (1s)\n")
    assert Host(half, whole).watch()["progress"]["done"] == 1


def test_lines_that_end_as_on_a_terminal_are_counted_right():
    host = Host(seen(True, log="one\n"), seen(True, log="one\n[ ] aaaaaaa app@2.0 install (0s)\n"), seen(False, state="done"))
    host.looks[2]["log"] = host.looks[1]["log"] + "[+] aaaaaaa app@2.0 /p (1s)\n"
    answer = host.command
    host.command = lambda script: answer(script).replace("\n", "\r\n")
    assert host.watch()["progress"]["done"] == 1


def test_a_failed_build_is_explained():
    failure = {"package": "app@2.0", "log": "/f", "tail": "cc: error", "dependents": []}
    with pytest.raises(ExplainedError, match="cc: error"):
        Host(seen(False, state="failed", message="app@2.0 failed to build.", failures=[failure])).watch()


def test_a_build_that_was_killed_is_not_taken_for_a_finished_one():
    with pytest.raises(ExplainedError, match="stopped without a word"):
        Host(seen(True), seen(False, state="running", log="last words\n")).watch()


def test_an_old_result_does_not_end_the_wait_while_the_unit_runs():
    host = Host(seen(True, state="failed"), seen(True, state="running"), seen(False, state="done"))
    host.watch()
    assert host.now == 4


def test_a_short_loss_of_the_connection_is_bridged():
    assert Host(seen(True), LOST, LOST, seen(False, state="done")).watch()["failures"] == []


def test_a_long_loss_of_the_connection_is_a_failure_and_says_what_to_do():
    with pytest.raises(ExplainedError, match=r"has not answered for 10 seconds.*run the play again"):
        Host(seen(True), LOST).watch()


def test_watching_ends_after_the_timeout_and_the_build_goes_on():
    with pytest.raises(ExplainedError, match="still running after 6 seconds"):
        Host(seen(True)).watch(timeout=6)


def test_the_progress_is_told_now_and_then_with_an_estimate_from_earlier_builds():
    building = seen(True, log="[ ] aaaaaaa app@2.0 install (0s)\n")
    host = Host(seen(True, stage="concretize"), *[building] * 5, seen(False, state="done", stage="tidy"))
    host.watch(seconds_per_package=300)
    assert [text.split(" | ")[-1] for text in host.told] == ["choosing versions", "about 5 min left", "about 5 min left"]


def test_a_worker_whose_run_was_killed_stops_watching(monkeypatch):
    action = ActionModule.__new__(ActionModule)
    action.parent, action._task = 4711, SimpleNamespace(args={"unit": "petal-build-1"})
    monkeypatch.setattr("os.getppid", lambda: 1)
    with pytest.raises(ExplainedError, match="has ended"):
        action.command("true")
