import botocore.exceptions
import pytest

from plugins.module_utils._aws.errors import THROTTLING_CODES, aws_code, explained
from plugins.module_utils._core.errors import ExplainedError


def client_error(code, message="text from AWS", status=400):
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RequestId": "r-1", "HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "CreateVolume")


def explain(error, resource="scratch"):
    with pytest.raises(ExplainedError) as caught, explained("create the volume", resource):
        raise error
    return caught.value


def test_the_message_names_the_action_the_resource_and_what_aws_said():
    error = explain(client_error("VolumeLimitExceeded", "Maximum is 20 TiB."))
    assert str(error).startswith("Cannot create the volume scratch: the account's limit of volumes or of their size is reached")
    assert "(VolumeLimitExceeded: Maximum is 20 TiB)" in str(error)
    assert error.next_step.startswith("Delete what is no longer needed")
    assert error.resource == "scratch"


def test_the_aws_code_message_and_request_stay_machine_readable():
    result = explain(client_error("SomethingNew", "never seen")).to_result()
    assert (result["aws_code"], result["aws_message"], result["aws_request_id"]) == ("SomethingNew", "never seen", "r-1")
    assert result["msg"] == "Cannot create the volume scratch: SomethingNew: never seen."


@pytest.mark.parametrize("code", sorted(THROTTLING_CODES))
def test_every_throttling_code_is_explained_as_throttling(code):
    assert "too many requests" in str(explain(client_error(code)))


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AuthFailure", "region"),
        ("ExpiredToken", "Log in again"),
        ("InvalidClientTokenId", "AWS_PROFILE"),
        ("UnauthorizedOperation", "permission"),
        ("InvalidVolume.NotFound", "Check the id and the region"),
        ("OptInRequired", "enabled for this account"),
    ],
)
def test_a_known_code_comes_with_the_next_step(code, advice):
    assert advice in explain(client_error(code)).next_step


def test_an_unknown_code_with_a_server_status_is_aws_own_problem():
    assert "problem of its own" in str(explain(client_error("Novel", status=503)))


def test_the_encoded_authorization_text_stays_out_of_the_message():
    error = explain(client_error("UnauthorizedOperation", "You may not. Encoded authorization failure message: AbC" + "x" * 900))
    assert "AbC" not in str(error)
    assert "AbC" in error.details["aws_message"]


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (botocore.exceptions.NoCredentialsError(), "Check the credentials"),
        (botocore.exceptions.NoRegionError(), "Set the option region"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://localhost:1"), "endpoint_url"),
        (botocore.exceptions.ProfileNotFound(profile="nobody"), "AWS_PROFILE"),
    ],
)
def test_an_error_without_an_answer_comes_with_the_next_step(error, advice):
    assert advice in explain(error).next_step


def test_a_lost_connection_may_be_tried_again():
    error = explain(botocore.exceptions.ConnectionClosedError(endpoint_url="http://localhost:1"))
    assert aws_code(error) == "ConnectionProblem"


def test_an_explained_error_passes_unchanged():
    inner = ExplainedError("already clear")
    assert explain(inner) is inner


def test_an_error_of_another_kind_passes_unchanged():
    with pytest.raises(KeyError), explained("create the volume"):
        raise KeyError("a bug of ours")


def test_other_errors_carry_no_aws_code():
    assert aws_code(ExplainedError("no AWS involved")) is None
    assert aws_code(KeyError("x")) is None
