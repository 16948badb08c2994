"""Templates as CloudFormation hands them back, the one that ParallelCluster writes among them."""

import datetime
import json
import pathlib

import pytest

from plugins.module_utils._core.cluster.stack_template import parse_template
from plugins.module_utils._core.cluster.state import Storage, storage_of
from plugins.module_utils._core.errors import ExplainedError

# Made by aws-parallelcluster, see tests/judge/template.py.
REAL = (pathlib.Path(__file__).resolve().parents[6] / "tests/data/stacks/starter.yaml").read_text()


def test_what_parallelcluster_keeps_data_on_is_read_from_its_own_template():
    (volume,) = storage_of(parse_template(REAL, "starter"))
    assert volume == Storage(volume.name, "EBS volume", "Delete", "snap-0123456789abcdef0", "software")
    assert volume.name.startswith("EBS")


@pytest.mark.parametrize("write", [json.dumps, lambda body: json.dumps(body, indent="\t"), lambda body: body])
def test_json_is_read_as_text_and_as_what_boto3_makes_of_it(write):
    body = {"Resources": {"Scratch": {"Type": "AWS::EC2::Volume", "Properties": {"Size": 8}}}}
    assert parse_template(write(body), "s") == body


SHORT_AND_LONG = [
    ("!Ref Volume", {"Ref": "Volume"}),
    ("!Condition Large", {"Condition": "Large"}),
    ("!GetAtt Node.Outputs.Address", {"Fn::GetAtt": ["Node", "Outputs.Address"]}),
    ("!GetAtt [Node, PrivateIp]", {"Fn::GetAtt": ["Node", "PrivateIp"]}),
    ("!Sub 'a-${Name}'", {"Fn::Sub": "a-${Name}"}),
    ("!Sub ['${a}', {a: !Ref B}]", {"Fn::Sub": ["${a}", {"a": {"Ref": "B"}}]}),
    ("!Join ['-', [a, !GetAtt B.C]]", {"Fn::Join": ["-", ["a", {"Fn::GetAtt": ["B", "C"]}]]}),
    ("!Transform {Name: 'AWS::Include', Parameters: {Location: !Ref L}}", None),
    ("!If [Large, 500, !Ref 'AWS::NoValue']", {"Fn::If": ["Large", 500, {"Ref": "AWS::NoValue"}]}),
]


@pytest.mark.parametrize(("short", "long"), SHORT_AND_LONG)
def test_a_short_tag_means_its_long_form(short, long):
    long = long or {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": {"Ref": "L"}}}}
    assert parse_template(f"Resources:\n  V:\n    Value: {short}\n", "s")["Resources"]["V"]["Value"] == long


def test_anchors_and_dates_are_read():
    text = "A: &a {Version: 2012-10-17}\nB: *a\n"
    assert parse_template(text, "s")["B"] == {"Version": datetime.date(2012, 10, 17)}


@pytest.mark.parametrize(
    "text", ["", "just words", "- a\n- b\n", "a: [", "{not json", "x: !!python/object/apply:os.system [id]", "[" * 2000, "a: *nowhere"]
)
def test_what_is_no_template_is_told_with_the_stack(text):
    with pytest.raises(ExplainedError, match=r"The template of stack genomics cannot be read: .*get-template --stack-name genomics"):
        parse_template(text, "genomics")
