"""What the command answers, as aws-parallelcluster 3.16.1 prints it."""

import json

import pytest

from plugins.module_utils._aws.pcluster_command import PclusterCommand
from plugins.module_utils._core.errors import ExplainedError

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


def command(status, output, errors=""):
    asked = []

    def run_command(arguments, environment):
        asked.append((arguments, environment))
        return status, output, errors

    return PclusterCommand(run_command, "/opt/pcluster/bin/pcluster", "us-east-1"), asked


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
