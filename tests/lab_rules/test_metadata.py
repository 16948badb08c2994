"""A host knows who it is, and may do what its role allows: see tests/lab/metadata.py."""

import json

import pytest

from tests.chain.instance import Instance
from tests.lab.fixtures import lab_hosts  # noqa: F401
from tests.lab.roles import make_profile

pytestmark = pytest.mark.hosts
ASK = 'TOKEN=$(curl -sX PUT http://169.254.169.254/latest/api/token); curl -sH "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/'
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeVolumes"], "Resource": "*"}]}
CALL = (
    "curl -s http://10.77.0.1/ -d Action={action}\\&Version=2016-11-15"
    " -H 'Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/ec2/aws4_request, x'"
)


@pytest.fixture(scope="module")
def host(lab_hosts):  # noqa: F811
    make_profile(lab_hosts, "reader", POLICY)
    instance = Instance(lab_hosts, IamInstanceProfile={"Name": "reader"})
    yield instance
    instance.terminate()


def test_metadata_is_about_the_instance_that_asks(host):
    assert host.run(f"{ASK}meta-data/instance-id") == host.id
    assert host.run(f"{ASK}meta-data/placement/region") == "us-east-1"


def test_metadata_needs_a_token(host):
    assert host.run("curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id") == "401"


def test_a_role_may_do_what_its_policy_allows_and_nothing_else(host):
    key = json.loads(host.run(f"{ASK}meta-data/iam/security-credentials/reader"))["AccessKeyId"]
    assert "<volumeSet" in host.run(CALL.format(action="DescribeVolumes", key=key))
    assert "UnauthorizedOperation" in host.run(CALL.format(action="DescribeInstances", key=key))
    assert "UnauthorizedOperation" in host.run(CALL.format(action="DescribeVolumes", key="petal-lab"))
