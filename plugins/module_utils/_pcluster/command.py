# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ParallelCluster's own command, which lives in an environment of its own, and what it answers."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

try:
    import boto3
except ImportError:  # AnsibleAWSModule reports the missing library before anything here is used.
    boto3 = None

from .._aws.errors import explained
from .._core.errors import ExplainedError, ManyProblems

# (arguments, the whole environment) -> (exit status, output, errors)
RunCommand = Callable[[list[str], Mapping[str, str]], tuple[int, str, str]]
# What says to boto3 who asks, and in which region; the rest of AWS_… says how.
# Source: Boto3 documentation, "Using environment variables"; AWS SDKs and Tools Reference Guide, "Environment variables".
WHO = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)


@dataclasses.dataclass(frozen=True)
class Access:
    """How a task reaches AWS, worked out to the end: what its options, the shell and the configuration files come to.

    credentials: access key, secret key, and session token or None. profile: None where none was named. endpoint_url, ca_bundle: None
    where the task does not say.
    """

    credentials: tuple[str, str, str | None] = dataclasses.field(repr=False)
    region: str
    profile: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None

    def environment(self, shell: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a program that has to reach AWS as the task does, whoever the shell is in AWS.

        shell: the environment of this process. Secrets go this way and never into arguments, which every user of a host can read.
        """
        key, secret, token = self.credentials
        said = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            # For what else a profile says, such as an endpoint. The keys above count more than those of the profile.
            "AWS_PROFILE": self.profile,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CA_BUNDLE": self.ca_bundle,
        }
        left_out = (*WHO, *(name for name in shell if self.endpoint_url and name.startswith("AWS_ENDPOINT_URL")))
        kept = {name: value for name, value in shell.items() if name not in left_out}
        return kept | {name: value for name, value in said.items() if value}


def find_access(region: str, endpoint_url: str | None, options: Mapping[str, Any]) -> Access:
    """Return how a task reaches AWS, with credentials that another process can be given; arguments: of get_aws_connection_info."""
    keys = ("profile_name", "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    with explained("find the credentials of the task"):
        found = boto3.session.Session(**{key: options.get(key) for key in keys}).get_credentials()
        if found is None:
            raise ExplainedError("The task has no credentials for AWS.", next_step="Give it a profile, or access_key and secret_key.")
        credentials = found.get_frozen_credentials()
    verify = options.get("verify")
    return Access(
        (credentials.access_key, credentials.secret_key, credentials.token),
        region=region,
        profile=options.get("profile_name"),
        endpoint_url=endpoint_url,
        ca_bundle=verify if isinstance(verify, str) else None,
    )


class PclusterCommand:
    """executable: the path of `pcluster`. access: that of the task, so that both act for the same account.

    Each method that changes something returns once AWS has taken the request; it does not wait for the stack.
    """

    def __init__(self, run_command: RunCommand, executable: str, access: Access) -> None:
        self.run_command, self.executable, self.access = run_command, executable, access

    def account(self) -> str:
        """Return the number of the account that the command acts for."""
        key, secret, token = self.access.credentials
        with explained("ask AWS whose credentials these are"):
            sts = boto3.session.Session(key, secret, token, profile_name=self.access.profile).client(
                "sts", region_name=self.access.region, endpoint_url=self.access.endpoint_url, verify=self.access.ca_bundle
            )
            return sts.get_caller_identity()["Account"]

    def create(self, name: str, config: str) -> dict[str, Any]:
        return self._run("create", name, ["create-cluster", "--cluster-configuration", config])

    def update(self, name: str, config: str) -> dict[str, Any]:
        return self._run("update", name, ["update-cluster", "--cluster-configuration", config])

    def delete(self, name: str) -> dict[str, Any]:
        return self._run("delete", name, ["delete-cluster"])

    def _run(self, verb: str, name: str, arguments: list[str]) -> dict[str, Any]:
        command = [self.executable, *arguments, "--cluster-name", name, "--region", self.access.region]
        # Beside the executable lies the Python that it needs, and it looks for node on the PATH.
        environment = self.access.environment(os.environ)
        path = os.pathsep.join([os.path.dirname(self.executable), environment.get("PATH", "")])
        status, output, errors = self.run_command(command, {**environment, "PATH": path, "PYTHONWARNINGS": "ignore"})
        answer = _answer(output)
        if status == 0 and answer is not None:
            return answer
        raise _refusal(verb, name, answer, (errors or output).strip())


def _answer(output: str) -> dict[str, Any] | None:
    """Return the JSON that the command prints; warnings of its libraries may stand before it."""
    start = output.find("{")
    try:
        return json.loads(output[start:]) if start >= 0 else None
    except ValueError:
        return None


def _refusal(verb: str, name: str, answer: dict[str, Any] | None, text: str) -> ExplainedError:
    what = f"aws-parallelcluster does not {verb} cluster {name}"
    if answer is None:
        return ExplainedError(f"{what}: {text[-1000:]}", resource=name, next_step="See the log of pcluster in ~/.parallelcluster.")
    validated = [f"{one.get('type')}: {one.get('message')}" for one in answer.get("configurationValidationErrors") or []]
    refused = [f"{one.get('parameter')}: {one.get('message')}" for one in answer.get("updateValidationErrors") or []]
    message = answer.get("message", "")
    return ManyProblems(f"{what}: {message}", validated + refused, resource=name)
