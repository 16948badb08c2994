import dataclasses

import pytest

from plugins.module_utils._core import tags as tag_keys
from plugins.module_utils._core.ebs.volume import (
    Attachment,
    Modification,
    Volume,
    VolumeQuery,
    VolumeRequest,
    already_attached,
    client_token,
    device_path,
    final_snapshot_tags,
    find_volume,
    next_generation,
    next_steps,
)
from plugins.module_utils._core.errors import ExplainedError


def volume(volume_id="vol-1", name="scratch", zone="us-east-1a", owner=None, state="available", **properties):
    owned = {tag_keys.key(tag_keys.OWNER): owner} if owner else {}
    tags = {"Name": name, **owned, **properties.pop("tags", {})}
    return Volume(volume_id, name, state, 100, "gp3", zone, tags=tags, **properties)


def test_an_id_finds_its_volume_whatever_the_name():
    assert find_volume(VolumeRequest(volume_id="vol-2", name="new-name"), [volume(), volume("vol-2")]).volume_id == "vol-2"


def test_a_name_finds_the_volume_of_the_zone():
    candidates = [volume("vol-1", zone="us-east-1a"), volume("vol-2", zone="us-east-1b")]
    assert find_volume(VolumeRequest(name="scratch", availability_zone="us-east-1b"), candidates).volume_id == "vol-2"


def test_a_volume_in_another_zone_is_another_volume():
    assert find_volume(VolumeRequest(name="scratch", availability_zone="us-east-1b"), [volume(zone="us-east-1a")]) is None


def test_without_a_zone_a_single_match_is_taken():
    assert find_volume(VolumeRequest(name="scratch"), [volume(), volume("vol-2", name="other")]).volume_id == "vol-1"


def test_two_matches_are_an_error_that_lists_them():
    candidates = [volume("vol-1", zone="us-east-1a"), volume("vol-2", zone="us-east-1b")]
    with pytest.raises(ExplainedError, match="vol-1 in us-east-1a, vol-2 in us-east-1b") as caught:
        find_volume(VolumeRequest(name="scratch"), candidates)
    assert caught.value.details["matches"] == ["vol-1", "vol-2"]


def test_a_volume_of_another_owner_is_another_volume():
    candidates = [volume("vol-1", owner="ada"), volume("vol-2", owner="grace")]
    assert find_volume(VolumeRequest(name="scratch", owner="grace"), candidates).volume_id == "vol-2"
    assert find_volume(VolumeRequest(name="scratch", owner="edsger"), candidates) is None


def test_a_name_without_owner_never_means_somebody_elses_volume():
    with pytest.raises(ExplainedError, match="vol-1 of ada"):
        find_volume(VolumeRequest(name="scratch"), [volume("vol-1", owner="ada")])


@pytest.mark.parametrize("state", ["deleting", "deleted", "error"])
def test_a_volume_that_is_gone_leaves_its_name_free(state):
    assert find_volume(VolumeRequest(name="scratch"), [volume(state=state)]) is None


def test_a_failed_volume_is_found_to_delete_it():
    assert find_volume(VolumeRequest(state="absent", name="scratch"), [volume(state="error")]) is not None
    assert find_volume(VolumeRequest(volume_id="vol-1"), [volume(state="error")]) is not None


@pytest.mark.parametrize("state", ["present", "attached", "detached", "absent"])
def test_an_owner_given_beside_an_id_must_be_that_volumes(state):
    request = VolumeRequest(state=state, volume_id="vol-1", owner="ben", instance_id="i-1")
    with pytest.raises(ExplainedError, match=r"vol-1 \(scratch\) belongs to ada; it is not ben's.*leave owner out"):
        find_volume(request, [volume("vol-1", owner="ada")])
    assert find_volume(dataclasses.replace(request, owner="ada"), [volume("vol-1", owner="ada")])
    assert find_volume(dataclasses.replace(request, owner=None), [volume("vol-1", owner="ada")])


def test_a_volume_without_owner_can_be_given_one_but_not_be_taken_away_as_theirs():
    nobodys = [volume("vol-1")]
    assert find_volume(VolumeRequest(state="present", volume_id="vol-1", owner="ben"), nobodys)
    for state in ("absent", "detached"):
        with pytest.raises(ExplainedError, match="has no owner"):
            find_volume(VolumeRequest(state=state, volume_id="vol-1", owner="ben"), nobodys)


@pytest.mark.parametrize("state", ["absent", "detached"])
def test_a_volume_in_another_zone_than_said_is_not_taken_away(state):
    with pytest.raises(ExplainedError, match="in us-east-1a, not in us-east-1b"):
        find_volume(VolumeRequest(state=state, volume_id="vol-1", availability_zone="us-east-1b"), [volume("vol-1")])


def test_tokens_differ_by_name_owner_zone_and_generation():
    base = volume()
    others = [volume(name="scratch2"), volume(owner="ada"), volume(zone="us-east-1b")]
    tokens = {client_token(one, 0) for one in [base, *others]} | {client_token(base, 1)}
    assert len(tokens) == 5
    assert all(len(token) <= 64 for token in tokens)


def test_a_token_does_not_depend_on_the_size():
    assert client_token(volume(), 0) == client_token(Volume(None, "scratch", "available", 7, "io2", "us-east-1a"), 0)


def test_name_and_owner_cannot_be_confused_in_a_token():
    assert client_token(volume(name="ab", owner="c"), 0) != client_token(volume(name="a", owner="bc"), 0)


@pytest.mark.parametrize(
    ("candidates", "generation"),
    [
        ([], 0),
        ([volume(state="available")], 0),
        ([volume(state="error")], 1),
        ([volume(state="error", tags={"petal:generation": "4"})], 5),
        ([volume(state="error", zone="us-east-1b")], 0),
        ([volume(state="error", tags={"petal:generation": "not a number"})], 1),
    ],
)
def test_a_failed_volume_of_the_same_identity_uses_up_its_generation(candidates, generation):
    assert next_generation(volume(None), candidates) == generation


def test_a_last_snapshot_inherits_the_users_tags_but_no_proof_of_its_content():
    one = volume(owner="ada", tags={"Team": "x", "aws:x": "y", "petal:fingerprint": "sha256:1", "petal:project": "genomics"})
    assert final_snapshot_tags(one, "clean") == {
        "Name": "scratch-final",
        "CreatedBy": "petal.hpc",
        "Team": "x",
        "petal:owner": "ada",
        "petal:project": "genomics",
        "petal:final-of": "vol-1",
        "petal:consistency": "clean",
    }


def test_the_device_path_holds_the_id_without_its_dash():
    assert device_path("vol-0abc") == "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc"


def test_a_detached_attachment_holds_nothing():
    one = volume(attachments=(Attachment("i-1", "/dev/sdf", "detached"), Attachment("i-2", "/dev/sdf", "detaching")))
    assert [held.instance_id for held in one.holders] == ["i-2"]


def test_a_result_reads_owner_and_project_from_the_tags():
    result = volume(owner="ada", tags={"petal:project": "genomics", "petal:protected": "true"}).to_result()
    assert (result["owner"], result["project"], result["protected"]) == ("ada", "genomics", True)


def test_the_refusal_to_attach_twice_has_the_exact_words():
    error = already_attached(volume("vol-X"), "i-Y", "i-Z")
    assert str(error) == "Volume vol-X is already attached to instance i-Y. Detach it first or use a different volume."


def test_the_refusal_to_attach_twice_is_machine_readable():
    result = already_attached(volume("vol-X"), "i-Y", "i-Z").to_result()
    assert result["attached_to"] == "i-Y"
    assert len(result["resolution"]) == 3
    assert result["reason"]
    assert result["doc"].endswith("volume_safety.md")


def test_an_unknown_holder_is_called_unknown():
    error = already_attached(volume("vol-X"), None, "i-Z")
    assert "already attached to instance unknown." in str(error)
    assert error.details["attached_to"] == "unknown"


def test_next_steps_of_a_shared_volume_mount_it_read_only():
    steps = " ".join(next_steps(volume(), VolumeRequest(attach_mode="shared_readonly")))
    assert "ro,noload" in steps
    assert "mkfs" not in steps


def test_next_steps_name_the_device_and_the_way_back():
    steps = next_steps(volume("vol-0abc"), VolumeRequest())
    assert any("vol0abc /mnt/data" in step for step in steps)
    assert "umount" in steps[-1]


def test_a_query_asks_for_the_tags_behind_its_options():
    query = VolumeQuery(name="scratch", owner="ada", managed_only=True, tags={"Team": 7})
    assert query.required_tags() == {"Team": "7", "Name": "scratch", "petal:owner": "ada", "CreatedBy": "petal.hpc"}


@pytest.mark.parametrize(
    ("state", "changes", "same"), [("modifying", {"iops": 1}, True), ("failed", {"iops": 1}, False), ("modifying", {"iops": 2}, False)]
)
def test_a_running_modification_is_the_wanted_one_if_all_its_targets_are(state, changes, same):
    assert Modification(state, {"iops": 1, "size_gib": None}).aims_at(changes) is same
