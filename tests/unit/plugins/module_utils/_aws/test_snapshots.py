import contextlib
import datetime

import boto3
import botocore.exceptions
import pytest
from botocore.stub import ANY, Stubber

from plugins.module_utils._aws.snapshots import SnapshotGateway, SnapshotQuery
from plugins.module_utils._core.ebs.sharing import SharingFacts, SharingRequest
from plugins.module_utils._core.ebs.snapshot import Snapshot, SnapshotRequest
from plugins.module_utils._core.ebs.snapshot_group import GroupRequest
from plugins.module_utils._core.errors import ExplainedError

FINGERPRINT = "sha256:" + "0f3a" * 16
BARE = FINGERPRINT.removeprefix("sha256:")
STARTED = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.UTC)


def client(region="us-east-1"):
    return boto3.client("ec2", region_name=region, aws_access_key_id="none", aws_secret_access_key="none")


def answer(snapshot_id="snap-1", state="completed", **more):
    return {"SnapshotId": snapshot_id, "State": state, "VolumeId": "vol-1", "VolumeSize": 8, "StartTime": STARTED, **more}


@contextlib.contextmanager
def stubbed(**options):
    ec2 = client()
    with Stubber(ec2) as stub:
        yield SnapshotGateway(ec2, sleep=lambda seconds: None, **options), stub
        stub.assert_no_pending_responses()


def filters(**wanted):
    return [{"Name": name.replace("_", "-"), "Values": values} for name, values in wanted.items()]


def test_listing_asks_for_our_own_snapshots_and_follows_the_pages():
    with stubbed() as (gateway, stub):
        common = {"Filters": [], "OwnerIds": ["self"], "MaxResults": 1000}
        stub.add_response("describe_snapshots", {"Snapshots": [answer("snap-1")], "NextToken": "more"}, common)
        stub.add_response("describe_snapshots", {"Snapshots": [answer("snap-2")]}, {**common, "NextToken": "more"})
        assert [found.snapshot_id for found in gateway.list_snapshots(SnapshotQuery())] == ["snap-1", "snap-2"]


def test_many_ids_are_asked_for_in_portions_that_a_filter_takes():
    ids = tuple(f"snap-{number}" for number in range(201))
    with stubbed() as (gateway, stub):
        for portion in (ids[:200], ids[200:]):
            stub.add_response(
                "describe_snapshots",
                {"Snapshots": [answer(portion[0])]},
                {"Filters": filters(snapshot_id=list(portion)), "MaxResults": 1000},
            )
        assert set(gateway.find_visible(ids)) == {"snap-0", "snap-200"}


def test_a_fingerprint_is_looked_up_under_both_prefixes_and_both_spellings():
    old = answer("snap-0", Tags=[{"Key": "pctl:fingerprint", "Value": BARE}])
    with stubbed() as (gateway, stub):
        for prefix, found in (("petal:", []), ("pctl:", [old])):
            wanted = [{"Name": f"tag:{prefix}fingerprint", "Values": [FINGERPRINT, BARE]}]
            stub.add_response("describe_snapshots", {"Snapshots": found}, {"Filters": wanted, "OwnerIds": ["self"], "MaxResults": 1000})
        (snapshot,) = gateway.find_alike(SnapshotRequest(fingerprint=FINGERPRINT))
    assert snapshot.fingerprint == FINGERPRINT


def test_description_and_tags_are_in_the_call_that_creates():
    with stubbed() as (gateway, stub):
        specification = [{"ResourceType": "snapshot", "Tags": [{"Key": "CreatedBy", "Value": "petal.hpc"}]}]
        wanted = {"VolumeId": "vol-1", "Description": "text", "TagSpecifications": specification}
        stub.add_response("create_snapshot", answer(state="pending", Progress=""), wanted)
        made = gateway.create_snapshot("vol-1", "text", {"CreatedBy": "petal.hpc"}, find_made=list)
    assert (made.state, made.progress, made.start_time) == ("pending", "0%", "2026-11-22T10:00:00+00:00")


class Answers:
    """An EC2 client whose create_snapshot raises or returns what it was given, in order."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), 0

    def create_snapshot(self, **_parameters):
        self.calls += 1
        said = self.answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def refusal(code, status=400):
    return botocore.exceptions.ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateSnapshot"
    )


def create(ec2, find_made):
    return SnapshotGateway(ec2, sleep=lambda seconds: None).create_snapshot("vol-1", "", {}, find_made)


LOST = [
    refusal("InternalError", 500),
    botocore.exceptions.ConnectionClosedError(endpoint_url="https://ec2"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="https://ec2"),
]


@pytest.mark.parametrize("lost", LOST, ids=["server error", "connection closed", "no answer in time"])
def test_after_a_lost_answer_the_snapshot_that_was_made_is_found(lost):
    made = SnapshotGateway(Answers(answer("snap-7", "pending"))).create_snapshot("vol-1", "", {}, list)
    looks = iter([[], [made]])
    ec2 = Answers(lost)
    assert create(ec2, lambda: next(looks)).snapshot_id == "snap-7"
    assert ec2.calls == 1


def test_after_a_lost_request_nothing_is_found_and_it_is_sent_again():
    ec2 = Answers(refusal("InternalError", 500), answer("snap-8", "pending"))
    assert create(ec2, list).snapshot_id == "snap-8"


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "SnapshotCreationPerVolumeRateExceeded"])
def test_throttled_requests_are_sent_again_without_looking(code):
    def look():
        raise AssertionError("nothing was made, so there is nothing to look for")

    ec2 = Answers(refusal(code, 503), refusal(code, 503), answer("snap-9", "pending"))
    assert create(ec2, look).snapshot_id == "snap-9"


def test_a_refusal_is_final():
    ec2 = Answers(refusal("UnauthorizedOperation", 403))
    with pytest.raises(ExplainedError, match="may not do it"):
        create(ec2, list)
    assert ec2.calls == 1


def test_throttling_that_lasts_is_an_error():
    ec2 = Answers(*[refusal("RequestLimitExceeded", 503)] * 10)
    with pytest.raises(ExplainedError, match="too many requests"):
        create(ec2, list)
    assert ec2.calls == 6


def test_waiting_returns_the_snapshot_as_it_is_then():
    with stubbed() as (gateway, stub):
        for state, progress in (("pending", "10%"), ("pending", "60%"), ("completed", "100%")):
            stub.add_response("describe_snapshots", {"Snapshots": [answer(state=state, Progress=progress)]}, {"SnapshotIds": ["snap-1"]})
        assert gateway.wait_until_completed("snap-1", 60).progress == "100%"


def test_waiting_bears_a_snapshot_that_is_not_visible_yet_and_throttling():
    with stubbed() as (gateway, stub):
        stub.add_client_error("describe_snapshots", "InvalidSnapshot.NotFound")
        stub.add_response("describe_snapshots", {"Snapshots": [answer(state="pending")]})
        stub.add_client_error("describe_snapshots", "RequestLimitExceeded", http_status_code=503)
        stub.add_response("describe_snapshots", {"Snapshots": [answer()]})
        assert gateway.wait_until_completed("snap-1", 60).state == "completed"


def test_waiting_never_takes_an_error_for_success():
    with stubbed() as (gateway, stub):
        stub.add_response("describe_snapshots", {"Snapshots": [answer(state="error", StateMessage="key disabled")]})
        with pytest.raises(ExplainedError, match="snap-1 failed in AWS: key disabled"):
            gateway.wait_until_completed("snap-1", 60)


def test_when_time_is_up_the_message_says_how_far_it_is_and_how_to_resume():
    with stubbed() as (gateway, stub):
        for _ in range(2):
            stub.add_response("describe_snapshots", {"Snapshots": [answer(state="pending", Progress="42%")]})
        with pytest.raises(ExplainedError, match=r"pending, 42%. It goes on in AWS. Run the same task again"):
            gateway.wait_until_completed("snap-1", 0)


def test_a_volume_says_whether_somebody_may_be_writing():
    with stubbed() as (gateway, stub):
        attachments = [{"InstanceId": "i-1", "State": "attached"}]
        found = {"VolumeId": "vol-1", "Size": 8, "Attachments": attachments, "Tags": [{"Key": "petal:os", "Value": "rhel9"}]}
        stub.add_response("describe_volumes", {"Volumes": [found]}, {"VolumeIds": ["vol-1"]})
        volume = gateway.get_volume("vol-1")
    assert (volume.attached, volume.size_gib, volume.tags) == (True, 8, {"petal:os": "rhel9"})


def missing_volume(ec2_in):
    with stubbed(ec2_in=ec2_in) as (gateway, stub):
        stub.add_client_error("describe_volumes", "InvalidVolume.NotFound")
        regions = [{"RegionName": name} for name in ("us-east-1", "eu-west-1", "ap-south-1")]
        stub.add_response("describe_regions", {"Regions": regions}, {})
        with pytest.raises(ExplainedError) as refused:
            gateway.get_volume("vol-1")
    return refused.value


class Elsewhere:
    def __init__(self, has_it):
        self.has_it = has_it

    def describe_volumes(self, **_parameters):
        if self.has_it:
            return {"Volumes": [{}]}
        raise refusal("InvalidVolume.NotFound")


def test_a_volume_in_another_region_is_found_there():
    error = missing_volume(lambda region: Elsewhere(region == "eu-west-1"))
    assert "is in eu-west-1, not in us-east-1" in str(error)
    assert error.details["found_in_region"] == "eu-west-1"


def test_a_volume_that_is_nowhere_is_called_missing():
    assert "does not exist in us-east-1, nor in another region" in str(missing_volume(lambda region: Elsewhere(False)))


def test_a_volume_that_may_not_be_seen_is_not_called_missing():
    with stubbed() as (gateway, stub):
        stub.add_client_error("describe_volumes", "UnauthorizedOperation", http_status_code=403)
        with pytest.raises(ExplainedError, match="may not do it"):
            gateway.get_volume("vol-1")


def test_deleting_a_snapshot_that_is_gone_is_a_success():
    with stubbed() as (gateway, stub):
        stub.add_client_error("delete_snapshot", "InvalidSnapshot.NotFound")
        gateway.delete_snapshot("snap-1")


def test_images_made_from_a_snapshot_are_found():
    with stubbed() as (gateway, stub):
        wanted = {"Owners": ["self"], "Filters": [{"Name": "block-device-mapping.snapshot-id", "Values": ["snap-1"]}]}
        stub.add_response("describe_images", {"Images": [{"ImageId": "ami-2"}, {"ImageId": "ami-1"}]}, wanted)
        assert gateway.images_made_from("snap-1") == ["ami-1", "ami-2"]


def test_who_may_use_a_snapshot_is_listed():
    with stubbed() as (gateway, stub):
        permissions = [{"UserId": "210987654321"}, {"Group": "all"}]
        stub.add_response("describe_snapshot_attribute", {"CreateVolumePermissions": permissions}, {"SnapshotId": ANY, "Attribute": ANY})
        assert gateway.shared_with("snap-1") == ["210987654321", "all"]


def test_access_is_given_before_it_is_taken_and_never_reset():
    with stubbed() as (gateway, stub):
        common = {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"}
        stub.add_response("modify_snapshot_attribute", {}, {**common, "OperationType": "add", "UserIds": ["111122223333"]})
        stub.add_response("modify_snapshot_attribute", {}, {**common, "OperationType": "remove", "GroupNames": ["all"]})
        gateway.change_sharing("snap-1", gained={"111122223333"}, lost={"all"})


class Keys:
    def __init__(self, manager):
        self.manager = manager

    def describe_key(self, **_parameters):
        if self.manager is None:
            raise refusal("AccessDeniedException")
        return {"KeyMetadata": {"KeyManager": self.manager}}


@pytest.mark.parametrize(("manager", "managed"), [("AWS", True), ("CUSTOMER", False), (None, None)])
def test_the_key_of_an_encrypted_snapshot_is_looked_at_as_far_as_allowed(manager, managed):
    with stubbed(kms=lambda: Keys(manager)) as (gateway, _stub):
        new = Snapshot(None, "pending", encrypted=True, kms_key_id="arn:key")
        facts = gateway.sharing_facts(new, SharingRequest(share_with=("111122223333",)))
    assert facts == SharingFacts((), managed, None)


def test_the_block_on_public_access_is_asked_about_when_everybody_is_meant():
    with stubbed() as (gateway, stub):
        stub.add_response("get_snapshot_block_public_access_state", {"State": "block-new-sharing"}, {})
        facts = gateway.sharing_facts(Snapshot(None, "pending"), SharingRequest(public=True))
    assert facts.public_access == "block-new-sharing"


def test_a_copy_is_asked_for_in_its_own_region_with_tags_and_key():
    copy = Snapshot(None, "pending", description="text", kms_key_id="alias/software", tags={"petal:copied-from": "eu-west-1/snap-1"})
    with stubbed() as (gateway, stub):
        wanted = {
            "SourceRegion": "eu-west-1",
            "SourceSnapshotId": "snap-1",
            "Description": "text",
            "Encrypted": True,
            "KmsKeyId": "alias/software",
            "TagSpecifications": [{"ResourceType": "snapshot", "Tags": [{"Key": "petal:copied-from", "Value": "eu-west-1/snap-1"}]}],
        }
        stub.add_response("copy_snapshot", {"SnapshotId": "snap-2"}, wanted)
        assert gateway.copy_snapshot("eu-west-1", copy, find_made=list).snapshot_id == "snap-2"


def test_a_refusal_to_share_names_the_way_out():
    with stubbed() as (gateway, stub):
        stub.add_client_error(
            "modify_snapshot_attribute", "OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared"
        )
        with pytest.raises(ExplainedError, match="copy the snapshot with a key of your own") as refused:
            gateway.change_sharing("snap-1", gained={"111122223333"}, lost=set())
    assert refused.value.details["aws_code"] == "OperationNotPermitted"


def test_the_candidates_of_many_requests_are_found_with_one_request_for_each_kind_of_identity():
    requests = [SnapshotRequest(snapshot_id="snap-1"), SnapshotRequest(fingerprint=FINGERPRINT), SnapshotRequest(name="data*")]
    requests += [SnapshotRequest(name="other"), SnapshotRequest(snapshot_id="snap-2")]
    wanted = [
        ("snapshot-id", ["snap-1", "snap-2"]),
        ("tag:petal:fingerprint", [FINGERPRINT, BARE]),
        ("tag:pctl:fingerprint", [FINGERPRINT, BARE]),
        ("tag:Name", ["data\\*", "other"]),
    ]
    with stubbed() as (gateway, stub):
        for name, values in wanted:
            stub.add_response(
                "describe_snapshots",
                {"Snapshots": [answer()]},
                {"Filters": [{"Name": name, "Values": values}], "OwnerIds": ["self"], "MaxResults": 1000},
            )
        assert [found.snapshot_id for found in gateway.find_candidates(requests)] == ["snap-1"]


def test_many_snapshots_are_waited_for_with_one_request_at_a_time():
    with stubbed() as (gateway, stub):
        for ids, answers in (
            (["snap-1", "snap-2", "snap-3"], [answer("snap-1"), answer("snap-2", "error"), answer("snap-3", "pending", Progress="7%")]),
            (["snap-3"], [answer("snap-3")]),
        ):
            stub.add_response(
                "describe_snapshots",
                {"Snapshots": answers},
                {"Filters": filters(snapshot_id=ids), "OwnerIds": ["self"], "MaxResults": 1000},
            )
        seen = gateway.wait_for_all(["snap-1", "snap-2", "snap-3"], 60)
    assert [seen["snap-1"].state, seen["snap-3"].state] == ["completed", "completed"]
    assert "failed in AWS" in str(seen["snap-2"])


def test_when_time_is_up_each_snapshot_says_how_far_it_was():
    with stubbed() as (gateway, stub):
        stub.add_response("describe_snapshots", {"Snapshots": [answer("snap-1", "pending", Progress="7%")]})
        seen = gateway.wait_for_all(["snap-1", "snap-2"], 0)
    assert "last seen: pending, 7%" in str(seen["snap-1"])
    assert "last seen: nothing yet" in str(seen["snap-2"])


def test_a_refusal_while_waiting_is_everybodys():
    with stubbed() as (gateway, stub):
        stub.add_client_error("describe_snapshots", "UnauthorizedOperation")
        seen = gateway.wait_for_all(["snap-1", "snap-2"], 60)
    assert [type(error) for error in seen.values()] == [ExplainedError, ExplainedError]


GROUP_TAGS = {"Name": "nightly", "petal:group": "0f3a-2"}
GROUP_REQUEST = GroupRequest("i-1", "nightly", exclude_boot_volume=True, exclude_volume_ids=("vol-3",))


def test_snapshots_of_an_instance_are_one_call_with_its_exclusions():
    specification = [{"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in GROUP_TAGS.items()]}]
    wanted = {
        "InstanceSpecification": {"InstanceId": "i-1", "ExcludeBootVolume": True, "ExcludeDataVolumeIds": ["vol-3"]},
        "Description": "",
        "TagSpecifications": specification,
    }
    with stubbed() as (gateway, stub):
        stub.add_response("create_snapshots", {"Snapshots": [{"SnapshotId": "snap-1", "State": "pending", "VolumeId": "vol-1"}]}, wanted)
        assert [made.volume_id for made in gateway.create_snapshots(GROUP_REQUEST, GROUP_TAGS)] == ["vol-1"]


def test_after_a_lost_answer_a_group_is_used_once_all_of_it_is_visible():
    with stubbed() as (gateway, stub):
        stub.add_client_error("create_snapshots", "InternalError", http_status_code=500)
        for visible in (1, 2):
            found = {"Snapshots": [answer(f"snap-{number}", "pending") for number in range(visible)]}
            wanted = {"Filters": [{"Name": "tag:petal:group", "Values": ["0f3a-2"]}], "OwnerIds": ["self"], "MaxResults": 1000}
            stub.add_response("describe_snapshots", found, wanted)
        assert len(gateway.create_snapshots(GROUP_REQUEST, GROUP_TAGS)) == 2


def test_an_instance_is_read_with_its_boot_volume_and_the_tags_of_all_volumes():
    instance = {
        "State": {"Name": "running"},
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
    }
    volume = {"VolumeId": "vol-1", "Size": 8, "Tags": [{"Key": "petal:os", "Value": "rocky9"}]}
    with stubbed() as (gateway, stub):
        stub.add_response("describe_instances", {"Reservations": [{"Instances": [instance]}]}, {"Filters": filters(instance_id=["i-1"])})
        wanted = {"Filters": [{"Name": "attachment.instance-id", "Values": ["i-1"]}]}
        stub.add_response("describe_volumes", {"Volumes": [volume]}, wanted)
        found = gateway.find_instance_volumes("i-1")
    assert (found.running, found.boot_volume_id, found.volumes[0].tags) == (True, "vol-1", {"petal:os": "rocky9"})


def test_images_are_found_by_the_snapshots_they_need_disabled_ones_too():
    devices = [{"Ebs": {"SnapshotId": "snap-1"}}, {"Ebs": {"SnapshotId": "snap-other"}}, {"VirtualName": "ephemeral0"}]
    wanted = {
        "Owners": ["self"],
        "Filters": [{"Name": "block-device-mapping.snapshot-id", "Values": ["snap-1", "snap-2"]}],
        "IncludeDisabled": True,
    }
    with stubbed() as (gateway, stub):
        stub.add_response("describe_images", {"Images": [{"ImageId": "ami-1", "BlockDeviceMappings": devices}]}, wanted)
        assert gateway.images_needing(["snap-1", "snap-2"]) == {"snap-1": ["ami-1"]}


def test_snapshots_that_volumes_are_being_made_from_are_found():
    with stubbed() as (gateway, stub):
        volumes = [{"VolumeId": "vol-1", "SnapshotId": "snap-1"}, {"VolumeId": "vol-2", "SnapshotId": ""}]
        stub.add_response("describe_volumes", {"Volumes": volumes}, {"Filters": filters(status=["creating"])})
        assert gateway.snapshots_being_restored() == {"snap-1"}


def test_snapshots_shared_by_name_are_asked_for_by_account():
    with stubbed() as (gateway, stub):
        wanted = {"Filters": [], "RestorableByUserIds": ["self"], "MaxResults": 1000}
        stub.add_response("describe_snapshots", {"Snapshots": [answer()]}, wanted)
        assert list(gateway.list_snapshots(SnapshotQuery(owners=(), restorable_by=("self",))))


def test_grants_of_a_key_are_made_and_revoked_for_one_snapshot():
    key = "arn:aws-cn:kms:cn-north-1:123456789012:key/own"
    encrypted = Snapshot("snap-1", "completed", encrypted=True, kms_key_id=key)
    kms = boto3.client("kms", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")

    def grant(snapshot_id, account):
        principal = f"arn:aws-cn:iam::{account}:root"
        return {"Name": f"petal-hpc/{snapshot_id}", "GranteePrincipal": principal, "GrantId": f"grant-{account}"}

    wanted = {
        "KeyId": key,
        "GranteePrincipal": "arn:aws-cn:iam::111122223333:root",
        "Operations": ["DescribeKey", "CreateGrant", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKeyWithoutPlaintext"],
        "Name": "petal-hpc/snap-1",
    }
    listed = {"Grants": [grant("snap-1", "444455556666"), grant("snap-2", "777788889999")], "Truncated": False}
    with stubbed(kms=lambda: kms) as (gateway, _ec2), Stubber(kms) as stub:
        stub.add_response("create_grant", {}, wanted)
        stub.add_response("list_grants", listed, {"KeyId": key})
        stub.add_response("revoke_grant", {}, {"KeyId": key, "GrantId": "grant-444455556666"})
        gateway.change_key_grants(encrypted, gained=["111122223333"], lost=["444455556666", "777788889999"])
        stub.assert_no_pending_responses()


def test_changed_blocks_are_counted_over_all_pages_and_those_that_are_gone_are_not():
    ebs = boto3.client("ebs", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    asked = {"FirstSnapshotId": "snap-1", "SecondSnapshotId": "snap-2", "MaxResults": 10_000}
    told = {"BlockSize": 512 << 10, "VolumeSize": 8}
    changed, gone = {"BlockIndex": 1, "SecondBlockToken": "t"}, {"BlockIndex": 2, "FirstBlockToken": "t"}
    with Stubber(ebs) as stub:
        stub.add_response("list_changed_blocks", {**told, "ChangedBlocks": [changed] * 2048, "NextToken": "more"}, asked)
        stub.add_response("list_changed_blocks", {**told, "ChangedBlocks": [changed] * 1024 + [gone]}, {**asked, "NextToken": "more"})
        assert SnapshotGateway(client(), ebs=lambda: ebs).changed_gib("snap-2", "snap-1") == 1.5
