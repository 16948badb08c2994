"""One run at a time works on a build."""

import pytest

from plugins.module_utils._core.build.lease import Lease
from plugins.module_utils._core.errors import ExplainedError
from plugins.modules.build_lease import is_over, run

VOLUME = "vol-0123456789abcdef0"


class FakeBuilds:
    """Remembers the tags of one volume; `rival` writes its own lease right after ours."""

    def __init__(self, tags=None, rival=None):
        self.tags, self.rival, self.writes = tags if tags is not None else {}, rival, 0

    def volume_tags(self, volume_id):
        return None if self.tags is False else dict(self.tags)

    def tag(self, resource_id, tags):
        self.writes += 1
        self.tags.update(tags)
        if self.rival:
            self.tags["petal:lease"] = self.rival

    def untag(self, resource_id, key):
        self.writes += 1
        self.tags.pop(key, None)


class Clock:
    def __init__(self, now=1000):
        self.now = now

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def lease(gateway, check_mode=False, dead=False, clock=None, **options):
    clock = clock or Clock()
    defaults = {
        "volume_id": VOLUME,
        "build_id": "ab12",
        "state": "held",
        "stage": None,
        "progress": None,
        "failure": None,
        "holder": "me/1",
        "lease_seconds": 600,
        "wait_timeout": 0,
        "take_over": False,
    }
    return run({**defaults, **options}, gateway, check_mode, now=clock.time, sleep=clock.sleep, is_dead=lambda lease, gateway: dead)


class LaggingBuilds(FakeBuilds):
    """Shows the tags as they were so many seconds ago."""

    def __init__(self, lag, clock, tags=None):
        super().__init__(tags)
        self.lag, self.clock, self.history = lag, clock, [(float("-inf"), dict(self.tags))]

    def volume_tags(self, volume_id):
        return dict([tags for since, tags in self.history if since <= self.clock.now - self.lag][-1])

    def tag(self, resource_id, tags):
        super().tag(resource_id, tags)
        self.history.append((self.clock.now, dict(self.tags)))


@pytest.mark.parametrize("before", [None, "me/1 1100", "dead/2 900"])
@pytest.mark.parametrize("lag", [0.5, 1.1, 3, 20, 100])
def test_a_lease_is_written_once_and_held_when_aws_shows_it(lag, before):
    clock = Clock()
    gateway = LaggingBuilds(lag, clock, {"petal:lease": before} if before else {})
    assert lease(gateway, clock=clock)["held"]
    assert gateway.writes == 1
    assert lag <= clock.now - 1000 <= max(1, 2 * lag + 1)


@pytest.mark.parametrize("wait_timeout", [0, 600])
def test_a_lease_that_aws_never_shows_ends_in_an_error(wait_timeout):
    clock = Clock()
    gateway = LaggingBuilds(10**6, clock)
    with pytest.raises(ExplainedError, match="AWS does not show the lease of build ab12 120 seconds after"):
        lease(gateway, clock=clock, wait_timeout=wait_timeout)
    assert gateway.writes == 1
    assert clock.now - 1000 < 150


def test_a_run_that_takes_over_from_one_that_lives_on_gives_up_at_its_deadline():
    clock, gateway = Clock(), FakeBuilds()
    write = gateway.tag
    # It renews its lease each time that we have written ours.
    gateway.tag = lambda *written: [write(*written), gateway.tags.update({"petal:lease": f"rival/3 {9000 + gateway.writes}"})]
    with pytest.raises(ExplainedError, match="rival/3"):
        lease(gateway, clock=clock, take_over=True, wait_timeout=60)
    assert clock.now - 1000 < 150


def test_a_lease_is_looked_at_less_and_less_often_and_until_the_deadline():
    clock, looks = Clock(), []
    gateway = FakeBuilds({"petal:lease": "other/2 99999"})
    read = gateway.volume_tags
    gateway.volume_tags = lambda volume_id: looks.append(clock.now) or read(volume_id)
    with pytest.raises(ExplainedError):
        lease(gateway, clock=clock, wait_timeout=3600)
    assert looks[1] - looks[0] == 5 and len(looks) < 80
    assert looks[-1] == 1000 + 3600


def test_a_free_lease_is_taken_with_its_stage():
    gateway = FakeBuilds()
    assert lease(gateway, stage="mounted")["held"]
    assert gateway.tags == {"petal:lease": "me/1 1600", "petal:stage": "mounted"}


def test_a_failure_is_written_with_the_release_and_forgotten_by_the_next_who_takes_the_lease():
    gateway = FakeBuilds({"petal:lease": "me/1 1600", "petal:stage": "released"})
    lease(gateway, state="released", failure="Take the snapshot: too many")
    assert gateway.tags == {"petal:stage": "released", "petal:failure": "Take the snapshot: too many"}
    assert lease(gateway, check_mode=True)["stage"] == "released"
    assert "petal:failure" in gateway.tags
    lease(gateway)
    assert gateway.tags == {"petal:stage": "released", "petal:lease": "me/1 1600"}


def test_taking_a_lease_again_renews_it_and_keeps_the_stage():
    gateway = FakeBuilds({"petal:lease": "me/1 1100", "petal:stage": "mounted"})
    assert lease(gateway)["stage"] == "mounted"
    assert gateway.tags["petal:lease"] == "me/1 1600"


def test_another_holder_is_refused_by_name():
    with pytest.raises(ExplainedError, match="other/2"):
        lease(FakeBuilds({"petal:lease": "other/2 9999"}))


def test_another_holder_can_be_waited_for():
    assert lease(FakeBuilds({"petal:lease": "other/2 1200"}), wait_timeout=600)["held"]


def test_waiting_for_another_holder_ends():
    with pytest.raises(ExplainedError, match="other/2"):
        lease(FakeBuilds({"petal:lease": "other/2 9999"}), wait_timeout=60)


def test_a_dead_holder_is_succeeded_at_once():
    assert lease(FakeBuilds({"petal:lease": "other/2 9999"}), dead=True)["held"]


def test_take_over_takes_a_living_holders_lease():
    assert lease(FakeBuilds({"petal:lease": "other/2 9999"}), take_over=True)["held"]


def test_whoever_writes_last_holds_the_lease():
    with pytest.raises(ExplainedError, match="rival/3"):
        lease(FakeBuilds(rival="rival/3 9999"))


def test_a_volume_that_is_gone_is_said_to_be_gone():
    result = lease(FakeBuilds(False))
    assert result["gone"] and not result["held"] and not result["changed"]


def test_check_mode_writes_nothing():
    gateway = FakeBuilds()
    assert lease(gateway, check_mode=True)["changed"]
    assert gateway.writes == 0


def test_only_our_own_lease_is_released():
    gateway = FakeBuilds({"petal:lease": "other/2 9999"})
    assert not lease(gateway, state="released")["changed"]
    assert gateway.tags == {"petal:lease": "other/2 9999"}


def test_a_released_lease_is_gone_and_the_stage_stays():
    gateway = FakeBuilds({"petal:lease": "me/1 1100"})
    assert lease(gateway, state="released", stage="failed")["changed"]
    assert gateway.tags == {"petal:stage": "failed"}


def test_progress_is_one_line_that_a_tag_can_hold():
    gateway = FakeBuilds()
    lease(gateway, progress="40% of\n" + "x" * 300)
    assert gateway.tags["petal:progress"].startswith("40% of xxx")
    assert len(gateway.tags["petal:progress"]) == 256


@pytest.mark.parametrize(("ended", "over"), [(True, True), (False, False)])
def test_the_lease_of_a_build_host_ends_with_the_host(ended, over):
    gateway = FakeBuilds()
    gateway.has_ended = lambda instance_id: ended
    assert is_over(Lease("i-0123456789abcdef0/0", 9999), gateway) is over


def test_the_lease_of_a_run_elsewhere_is_not_over():
    assert not is_over(Lease("elsewhere/1", 9999), FakeBuilds())
