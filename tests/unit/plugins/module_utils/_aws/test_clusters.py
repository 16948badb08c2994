"""Clusters as CloudFormation and S3 answer for them."""

import pathlib

import boto3
import pytest
from botocore.stub import Stubber

from plugins.module_utils._aws.clusters import ClusterGateway
from plugins.module_utils._core.errors import ExplainedError
from tests.unit.plugins.module_utils._core.test_cluster_state import CLUSTER

# Made by aws-parallelcluster, see tests/judge/template.py.
TEMPLATE = (pathlib.Path(__file__).resolve().parents[5] / "tests/data/stacks/starter.yaml").read_text()


def client(service):
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def cloudformation():
    with Stubber(client("cloudformation")) as stub:
        yield stub


def test_storage_is_read_from_the_template_that_parallelcluster_has_uploaded(cloudformation):
    cloudformation.add_response("get_template", {"TemplateBody": TEMPLATE}, {"StackName": CLUSTER.stack_id})
    (volume,) = ClusterGateway(cloudformation.client, None).storage(CLUSTER)
    assert (volume.title, volume.snapshot_id, volume.deletion_policy) == ("software", "snap-0123456789abcdef0", "Delete")


def test_a_template_that_cannot_be_read_is_told(cloudformation):
    cloudformation.add_response("get_template", {"TemplateBody": "a: ["})
    with pytest.raises(ExplainedError, match="template of stack genomics cannot be read"):
        ClusterGateway(cloudformation.client, None).storage(CLUSTER)
