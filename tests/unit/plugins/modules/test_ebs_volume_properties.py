"""Whatever is asked in whatever order: check mode predicts, a second run changes nothing, nothing is destroyed unasked."""

import copy
import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.module_utils._core.ebs.volume import Instance
from plugins.modules import ebs_volume
from tests.unit.fakes import FakeVolumeGateway

NOW = datetime.datetime(2026, 11, 22, 13, 0, tzinfo=datetime.UTC)
INSTANCES = [Instance("i-1", "running", "us-east-1a"), Instance("i-2", "running", "us-east-1b")]
REQUESTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["one", "two"]), "state": st.sampled_from(["present", "attached", "detached", "absent"])},
    optional={
        "availability_zone": st.sampled_from(["us-east-1a", "us-east-1b"]),
        "owner": st.just("ada"),
        "size": st.sampled_from(["10", "20"]),
        "volume_type": st.sampled_from(["gp3", "gp2", "st1"]),
        "iops": st.sampled_from([3000, 4000]),
        "instance_id": st.sampled_from(["i-1", "i-2", "i-404"]),
        "device": st.sampled_from(["auto", "/dev/sdf", "/dev/sdg"]),
        "delete_on_termination": st.booleans(),
        "encrypted": st.booleans(),
        "protected": st.booleans(),
        "tags": st.dictionaries(st.sampled_from(["Team", "Stage"]), st.sampled_from(["x", "y"])),
        "purge_tags": st.booleans(),
        "force": st.booleans(),
    },
)


def run(gateway, request, check_mode=False):
    params = {**dict.fromkeys(ebs_volume.VOLUME_OPTIONS), "volumes": None, "wait": True, "wait_timeout": 300, **request}
    return ebs_volume.run(params, gateway, check_mode, NOW)


def copied(gateway):
    twin = FakeVolumeGateway(gateway.volumes.values(), gateway.instances.values())
    twin.tokens = copy.copy(gateway.tokens)
    return twin


@settings(max_examples=75, deadline=None)
@given(st.lists(REQUESTS, min_size=1, max_size=8))
def test_any_sequence_of_requests_is_predicted_repeatable_and_harmless(requests):
    gateway = FakeVolumeGateway(instances=INSTANCES)
    for request in requests:
        rehearsal = copied(gateway)
        predicted = run(rehearsal, request, check_mode=True)
        assert rehearsal.calls == []
        before = dict(gateway.volumes)
        gateway.calls.clear()
        done = run(gateway, request)
        assert (predicted.get("failed"), predicted["changed"]) == (done.get("failed"), done["changed"])
        assert done["changed"] == bool(gateway.calls)
        _check_nothing_is_destroyed_unasked(request, before, gateway)
        if not done.get("failed"):
            assert not run(gateway, request)["changed"]


def _check_nothing_is_destroyed_unasked(request, before, gateway):
    gone = before.keys() - gateway.volumes.keys()
    assert not gone or request["state"] == "absent"
    assert not any(before[volume_id].protected for volume_id in gone)
    assert not any(before[volume_id].holders for volume_id in gone) or request["force"]
    if request["state"] not in ("detached", "absent"):
        assert not any("detach_volume" in call for call in gateway.calls)
    for volume_id in before.keys() & gateway.volumes.keys():
        assert gateway.volumes[volume_id].size_gib >= before[volume_id].size_gib
