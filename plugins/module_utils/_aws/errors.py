# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS error codes turned into what happened and what to do next."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

try:
    from botocore import exceptions as sdk
except ImportError:  # AnsibleAWSModule reports the missing library before anything here is used.
    sdk = None

from .._core.errors import ExplainedError

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
# AWS failed, not the request: the same request may succeed a moment later.
SERVER_CODES = frozenset(
    {"InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "Unavailable", "ConnectionProblem"}
)
TRANSIENT_CODES = THROTTLING_CODES | SERVER_CODES
# EC2 answers these for a short while about a resource that it has only just made.
NOT_YET_VISIBLE_CODES = frozenset({"InvalidVolume.NotFound", "InvalidSnapshot.NotFound", "InvalidInstanceID.NotFound"})

_CREDENTIALS = "Check the credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID or the role of this host, and that they have not expired."
_PERMISSION = "Ask for the permission to call this action, or use a profile that has it; aws_message says which one was refused."
_REGION = "Check the region (option region or AWS_REGION) and that it is enabled for this account."
_THROTTLED = "Run the task again in a minute; for long lists, ask AWS to raise the account's request limit."
_SERVER = "Run the task again; it continues where this run stopped. See health.aws.amazon.com if it lasts."
_MISSING = "Check the id and the region: a resource exists in one region only, and may have been deleted."
_QUOTA = "Delete what is no longer needed, or ask for a higher quota in the Service Quotas console."

# code: (why, next step); the source of the codes is the EC2 API reference, "Error codes for the Amazon EC2 API".
_ADVICE: dict[str, tuple[str, str]] = {
    "AuthFailure": ("AWS does not accept the credentials in this region", f"{_CREDENTIALS} {_REGION}"),
    "ExpiredToken": ("the credentials have expired", "Log in again, then run the task again."),
    "ExpiredTokenException": ("the credentials have expired", "Log in again, then run the task again."),
    "InvalidClientTokenId": ("AWS does not know the access key", _CREDENTIALS),
    "RequestExpired": ("the request was too old, or the credentials have expired", "Check the clock of this host, then log in again."),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", f"{_CREDENTIALS} Check the clock of this host as well."),
    "UnrecognizedClientException": ("AWS does not know the access key", _CREDENTIALS),
    "AccessDenied": ("these credentials may not do it", _PERMISSION),
    "AccessDeniedException": ("these credentials may not do it", _PERMISSION),
    "UnauthorizedOperation": ("these credentials may not do it", _PERMISSION),
    "OptInRequired": ("the account is not subscribed to this service or region", _REGION),
    "Blocked": ("the account is blocked", "Contact AWS support."),
    "AttachmentLimitExceeded": ("the instance has no attachment left", "Detach a volume, or use an instance type that takes more."),
    "ConcurrentSnapshotLimitExceeded": (
        "too many snapshots of this volume or account are in progress",
        "Wait until one is complete, then run the task again.",
    ),
    "IdempotentParameterMismatch": (
        "the same request was made before with other parameters",
        "Another run asks for this resource with other values: let them agree, or choose another name.",
    ),
    "IncorrectModificationState": ("a modification of the volume is still running", "Wait until it is complete, then run the task again."),
    "InsufficientVolumeCapacity": (
        "the zone has no capacity for such a volume now",
        "Try another zone or volume type, or try again later.",
    ),
    "InvalidInstanceID.Malformed": ("this is no instance id", "An instance id looks like i-0123456789abcdef0."),
    "InvalidInstanceID.NotFound": ("the instance does not exist here", _MISSING),
    "InvalidSnapshot.NotFound": ("the snapshot does not exist here, or is not shared with this account", _MISSING),
    "InvalidVolume.NotFound": ("the volume does not exist here", _MISSING),
    "InvalidVolume.ZoneMismatch": (
        "the volume and the instance are in different zones",
        "Use a volume in the instance's zone: a snapshot of this one can be restored there.",
    ),
    "InvalidZone.NotFound": ("the zone does not exist in this region", "Name a zone of the region, such as us-east-1a."),
    "MaxIOPSLimitExceeded": ("the account's limit of provisioned IOPS is reached", _QUOTA),
    "OperationNotPermitted": ("EC2 does not allow it in this situation", "Stop the instance first if this is its root volume."),
    "SnapshotLimitExceeded": ("the account's limit of snapshots is reached", _QUOTA),
    "TagLimitExceeded": ("a resource takes at most 50 tags", "Give fewer tags."),
    "VolumeLimitExceeded": ("the account's limit of volumes or of their size is reached", _QUOTA),
    "VolumeModificationRateExceeded": (
        "the volume was modified too often",
        "EC2 limits how often one volume may change: wait at least 6 hours, then run the task again.",
    ),
    **dict.fromkeys(THROTTLING_CODES, ("AWS receives too many requests from this account", _THROTTLED)),
    **dict.fromkeys(SERVER_CODES, ("AWS had a problem of its own", _SERVER)),
}

# Exceptions that botocore raises before or without an answer: (why, next step), by class name.
_LOCAL_ADVICE: dict[str, tuple[str, str]] = {
    "NoCredentialsError": ("no credentials were found", _CREDENTIALS),
    "PartialCredentialsError": ("the credentials are incomplete", _CREDENTIALS),
    "CredentialRetrievalError": ("the credentials could not be fetched", _CREDENTIALS),
    "TokenRetrievalError": ("the login has expired", "Log in again (aws sso login), then run the task again."),
    "ProfileNotFound": ("the profile does not exist", "Check AWS_PROFILE or the option profile against ~/.aws/config."),
    "NoRegionError": ("no region is set", "Set the option region or AWS_REGION."),
    "InvalidRegionError": ("the region's name is wrong", _REGION),
    "EndpointConnectionError": ("AWS cannot be reached", f"Check the network, the proxy and endpoint_url. {_REGION}"),
    "ConnectTimeoutError": ("AWS cannot be reached", f"Check the network, the proxy and endpoint_url. {_REGION}"),
    "ConnectionClosedError": ("the connection was closed", _SERVER),
    "ReadTimeoutError": ("AWS did not answer in time", _SERVER),
    "ResponseParserError": ("the answer could not be understood", "Check endpoint_url: the server there may not be AWS."),
    "ParamValidationError": ("a parameter has the wrong form", "Correct the value named above."),
}
_CONNECTION_PROBLEMS = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError"})


@contextlib.contextmanager
def explained(action: str, resource: str | None = None) -> Iterator[None]:
    """Turn the AWS errors of the block into ExplainedError.

    action: what is being done, as a verb phrase: "create the volume".
    resource: the id or name it is done to.
    Raises ExplainedError whose details hold aws_code, aws_message and, where there was an answer, aws_request_id.
    An ExplainedError raised inside passes unchanged.
    """
    try:
        yield
    except sdk.ClientError as error:
        raise _from_answer(error, action, resource) from error
    except sdk.BotoCoreError as error:
        raise _from_sdk(error, action, resource) from error


def aws_code(error: Exception) -> str | None:
    """Return the AWS error code that an ExplainedError carries, else None."""
    return error.details.get("aws_code") if isinstance(error, ExplainedError) else None


def _from_answer(error: sdk.ClientError, action: str, resource: str | None) -> ExplainedError:
    answer = error.response
    code = answer.get("Error", {}).get("Code", "Unknown")
    message = answer.get("Error", {}).get("Message") or ""
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    fallback = _ADVICE["InternalError"] if status >= 500 else (None, None)
    why, next_step = _ADVICE.get(code, fallback)
    return ExplainedError(
        _sentence(action, resource, why, code, message),
        resource=resource,
        next_step=next_step,
        aws_code=code,
        aws_message=message,
        aws_request_id=answer.get("ResponseMetadata", {}).get("RequestId"),
    )


def _from_sdk(error: sdk.BotoCoreError, action: str, resource: str | None) -> ExplainedError:
    name = type(error).__name__
    why, next_step = _LOCAL_ADVICE.get(name, (None, None))
    code = "ConnectionProblem" if name in _CONNECTION_PROBLEMS else name
    return ExplainedError(
        _sentence(action, resource, why, name, str(error)), resource=resource, next_step=next_step, aws_code=code, aws_message=str(error)
    )


def _sentence(action: str, resource: str | None, why: str | None, code: str, message: str) -> str:
    subject = f"{action} {resource}" if resource else action
    # AWS appends a long encoded text to refusals; it stays whole in aws_message.
    short = message.split("Encoded authorization failure message", maxsplit=1)[0].strip().rstrip(".")
    said = f"{code}: {short}" if short else code
    return f"Cannot {subject}: {why} ({said})." if why else f"Cannot {subject}: {said}."
