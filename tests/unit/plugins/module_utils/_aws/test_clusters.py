"""Clusters as CloudFormation and S3 answer for them."""

import dataclasses
import io
import pathlib

import boto3
import pytest
from botocore.stub import Stubber

from plugins.module_utils._aws.clusters import ClusterGateway
from plugins.module_utils._core.errors import ExplainedError
from tests.unit.plugins.module_utils._core.cluster.test_state import CLUSTER

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


PLACE = {"ResourcesS3Bucket": "bucket", "ArtifactS3RootDirectory": "parallelcluster/3.16.1/clusters/genomics-1", "ConfigVersion": "v2"}
OBJECT = {"Bucket": "bucket", "Key": f"{PLACE['ArtifactS3RootDirectory']}/configs/cluster-config.yaml", "VersionId": "v2"}


@pytest.fixture
def s3():
    with Stubber(client("s3")) as stub:
        yield stub


def test_the_configuration_in_use_is_the_version_that_the_stack_names(s3):
    s3.add_response("get_object", {"Body": io.BytesIO(b"Region: us-east-1\n")}, OBJECT)
    running = dataclasses.replace(CLUSTER, parameters=PLACE)
    assert ClusterGateway(None, None, s3.client).config(running) == "Region: us-east-1\n"


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchKey", "NoSuchBucket"])
def test_a_configuration_that_cannot_be_read_is_told(s3, code):
    s3.add_client_error("get_object", code, "no")
    with pytest.raises(ExplainedError, match="read the configuration that the cluster runs with"):
        ClusterGateway(None, None, s3.client).config(dataclasses.replace(CLUSTER, parameters=PLACE))


def test_a_stack_without_the_parameters_says_so(s3):
    with pytest.raises(ExplainedError, match="does not say where its configuration lies"):
        ClusterGateway(None, None, s3.client).config(CLUSTER)
