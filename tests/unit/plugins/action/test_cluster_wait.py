import pytest

from plugins.action.cluster_wait import watch
from plugins.module_utils._core.errors import ExplainedError


class Time:
    def __init__(self):
        self.now = 0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def seen(status, progress="", failures=()):
    return {"status": status, "progress": progress or status, "failures": list(failures)}


def follow(*looks, state="present", timeout=3600):
    """Let the cluster look so, one after the other, then for ever as in the last; return (outcome, lines)."""
    time, lines, left = Time(), [], list(looks)
    outcome = watch(
        "genomics",
        lambda: left.pop(0) if len(left) > 1 else left[0],
        state,
        15,
        timeout,
        clock=time.clock,
        sleep=time.sleep,
        show=lines.append,
    )
    return outcome, lines


def test_each_step_is_shown_once():
    half = seen("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS, 1 of 2 resources complete")
    outcome, lines = follow(None, half, half, seen("CREATE_COMPLETE"))
    assert outcome["status"] == "CREATE_COMPLETE"
    assert lines == [
        "genomics |   0:00 | there is no such cluster",
        "genomics |   0:15 | CREATE_IN_PROGRESS, 1 of 2 resources complete",
        "genomics |   0:45 | CREATE_COMPLETE",
    ]


def test_a_failure_names_its_causes():
    with pytest.raises(ExplainedError, match=r"ROLLBACK_COMPLETE\.\n  - Volume: no such snapshot"):
        follow(seen("CREATE_IN_PROGRESS"), seen("ROLLBACK_COMPLETE", failures=["Volume: no such snapshot"]))


def test_an_update_that_was_taken_back_is_a_failure():
    with pytest.raises(ExplainedError, match="UPDATE_ROLLBACK_COMPLETE"):
        follow(seen("UPDATE_ROLLBACK_COMPLETE"))


def test_a_cluster_that_never_appears_is_told():
    with pytest.raises(ExplainedError, match="does not exist"):
        follow(None)


def test_a_deletion_ends_when_the_cluster_is_gone():
    assert follow(seen("DELETE_IN_PROGRESS"), None, state="absent")[0] is None


def test_a_deletion_that_is_not_seen_yet_is_waited_for():
    assert follow(seen("ROLLBACK_COMPLETE"), seen("DELETE_IN_PROGRESS"), None, state="absent")[0] is None


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_a_deletion_that_does_not_come_about_is_a_failure(status):
    with pytest.raises(ExplainedError, match=f"was not deleted: it is in state {status}"):
        follow(seen(status), state="absent")


def test_watching_ends_with_the_time():
    with pytest.raises(ExplainedError, match="still in state CREATE_IN_PROGRESS after 60 seconds"):
        follow(seen("CREATE_IN_PROGRESS"), timeout=60)
