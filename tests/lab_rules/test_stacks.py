"""Stacks take their time, and one that cannot be made is undone."""

import json

from tests.lab_rules.expectations import NEVER, proves

GROUP = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "made first"}}
BROKEN = {"Type": "AWS::EC2::NetworkInterface", "DependsOn": "Group", "Properties": {"SubnetId": "subnet-00000000000000bad"}}


def create(lab, name, **resources):
    body = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    lab.client("cloudformation").create_stack(StackName=name, TemplateBody=body)


def status(lab, name):
    return lab.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


@proves("failed_stack_is_rolled_back")
def test_a_stack_that_cannot_be_made_is_undone_and_tells_why(lab, ec2):
    create(lab, "broken", Group=GROUP, Broken=BROKEN)
    assert status(lab, "broken") == "ROLLBACK_COMPLETE"
    assert ec2.describe_security_groups(Filters=[{"Name": "description", "Values": ["made first"]}])["SecurityGroups"] == []
    events = lab.client("cloudformation").describe_stack_events(StackName="broken")["StackEvents"]
    (failed,) = (event for event in events if event["ResourceStatus"] == "CREATE_FAILED")
    assert (failed["LogicalResourceId"], "subnet-00000000000000bad" in failed["ResourceStatusReason"]) == ("Broken", True)


@proves("template_is_kept_as_it_was_given")
def test_a_template_is_answered_as_text_and_only_partly_made(lab):
    body = """# by ParallelCluster
Resources:
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: part of yaml}}
  Node: {Type: AWS::EC2::Instance, Properties: {ImageId: ami-00000000000000bad}}
Outputs:
  Address: {Value: {"Fn::GetAtt": [Node, PrivateIp]}}
"""
    lab.client("cloudformation").create_stack(StackName="yaml", TemplateBody=body)
    assert lab.client("cloudformation").get_template(StackName="yaml")["TemplateBody"] == body
    assert status(lab, "yaml") == "CREATE_COMPLETE"


@proves("stack_is_created_slowly")
def test_a_stack_is_in_progress_before_it_is_there(lab):
    lab.slow({"stack": NEVER})
    create(lab, "slow", Group=GROUP)
    assert status(lab, "slow") == "CREATE_IN_PROGRESS"
    lab.slow({"stack": 0})
    assert status(lab, "slow") == "CREATE_COMPLETE"
