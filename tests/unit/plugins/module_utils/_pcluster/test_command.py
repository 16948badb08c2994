"""What the command answers, as aws-parallelcluster 3.16.1 prints it."""

import json

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._pcluster.command import Access, PclusterCommand

CREATED = {
    "cluster": {"clusterName": "genomics", "cloudformationStackStatus": "CREATE_IN_PROGRESS", "region": "us-east-1", "version": "3.16.1"}
}
REFUSED = {
    "configurationValidationErrors": [{"level": "ERROR", "type": "NameValidator", "message": "Invalid name 'X'."}],
    "message": "Invalid cluster configuration.",
}
NOT_UPDATED = {
    "message": "Update failure",
    "updateValidationErrors": [{"parameter": "SharedStorage", "message": "All login nodes must be stopped."}],
}
ACCESS = Access(("key", "secret", None), "us-east-1")


def command(status, output, errors=""):
    asked = []

    def run_command(arguments, environment):
        asked.append((arguments, environment))
        return status, output, errors

    return PclusterCommand(run_command, "/opt/pcluster/bin/pcluster", ACCESS), asked


def test_the_command_is_run_beside_its_own_python():
    pcluster, asked = command(0, "a warning\n" + json.dumps(CREATED))
    assert pcluster.create("genomics", "genomics.yaml") == CREATED
    arguments, environment = asked[0]
    named = ["--cluster-name", "genomics", "--region", "us-east-1"]
    assert arguments == ["/opt/pcluster/bin/pcluster", "create-cluster", "--cluster-configuration", "genomics.yaml", *named]
    assert environment["PATH"].startswith("/opt/pcluster/bin:")


@pytest.mark.parametrize(
    ("verb", "answer", "text"),
    [
        ("create", REFUSED, "NameValidator: Invalid name 'X'"),
        ("update", NOT_UPDATED, "SharedStorage: All login nodes must be stopped"),
    ],
)
def test_a_refusal_names_every_reason(verb, answer, text):
    pcluster, _asked = command(1, json.dumps(answer))
    with pytest.raises(ExplainedError, match=text):
        getattr(pcluster, verb)("genomics", "genomics.yaml")


def test_a_command_that_breaks_off_is_told():
    pcluster, _asked = command(1, "", "Traceback: node is not on the PATH")
    with pytest.raises(ExplainedError, match="does not delete cluster genomics: Traceback: node is not"):
        pcluster.delete("genomics")


# A shell that is someone else in AWS, by each of the ways that boto3 knows.
SHELL = {
    "PATH": "/bin",
    "HOME": "/root",
    "AWS_PROFILE": "own",
    "AWS_ACCESS_KEY_ID": "own",
    "AWS_SECRET_ACCESS_KEY": "own",
    "AWS_SESSION_TOKEN": "own",
    "AWS_ROLE_ARN": "own",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "own",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "own",
    "AWS_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/etc/aws/config",
    "AWS_ENDPOINT_URL_STS": "https://sts.own",
}


def test_the_command_is_who_the_task_is_and_not_who_the_shell_is():
    said = Access(("key", "secret", "token"), "us-east-1").environment(SHELL)
    assert "own" not in said.values()
    assert {name: said.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")} == {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_REGION": "us-east-1",
    }
    assert said["AWS_CONFIG_FILE"] == "/etc/aws/config" and said["AWS_ENDPOINT_URL_STS"] == "https://sts.own"


def test_a_task_without_a_token_leaves_none_of_the_shell():
    assert "AWS_SESSION_TOKEN" not in ACCESS.environment(SHELL)


def test_profile_endpoint_and_certificates_of_the_task_reach_the_command():
    access = Access(("key", "secret", None), "us-east-1", profile="research", endpoint_url="https://aws.test", ca_bundle="/ca.pem")
    said = access.environment(SHELL)
    assert (said["AWS_PROFILE"], said["AWS_ENDPOINT_URL"], said["AWS_CA_BUNDLE"]) == ("research", "https://aws.test", "/ca.pem")
    assert "AWS_ENDPOINT_URL_STS" not in said


def test_no_secret_stands_in_the_arguments_or_in_what_is_printed():
    pcluster, asked = command(0, json.dumps(CREATED))
    pcluster.create("genomics", "genomics.yaml")
    arguments, environment = asked[0]
    assert "secret" not in " ".join(arguments) and environment["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert "secret" not in repr(ACCESS)
