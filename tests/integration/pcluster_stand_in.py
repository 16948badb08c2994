"""A stand-in for the `pcluster` command where there is no real CloudFormation: it makes and deletes what is seen of a cluster from outside.

python -m tests.integration.pcluster_stand_in create-cluster|update-cluster|delete-cluster --cluster-name NAME --region REGION
    [--cluster-configuration FILE]

It prints what aws-parallelcluster 3.16.1 prints. The stack has the cluster's tags and an empty volume, the head node is an instance.
An entry of SharedStorage with the name "broken" makes the creation fail after the first resource.
"""

from __future__ import annotations

import argparse
import json
import sys

import boto3
import yaml

GROUP = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "cluster"}}
BROKEN = {"Type": "AWS::EC2::NetworkInterface", "DependsOn": "Group", "Properties": {"SubnetId": "subnet-00000000000000bad"}}


def template(config: dict) -> str:
    broken = any(entry["Name"] == "broken" for entry in config["SharedStorage"])
    resources = {"Group": GROUP, **({"Broken": BROKEN} if broken else {})}
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})


def create(options: argparse.Namespace) -> str:
    with open(options.cluster_configuration, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    own = {"parallelcluster:cluster-name": options.cluster_name, "parallelcluster:version": "3.16.1"}
    tags = [*config.get("Tags", []), *({"Key": key, "Value": value} for key, value in own.items())]
    client(options, "cloudformation").create_stack(StackName=options.cluster_name, TemplateBody=template(config), Tags=tags)
    ec2 = client(options, "ec2")
    node = [{"Key": "parallelcluster:node-type", "Value": "HeadNode"}, *tags]
    ec2.run_instances(
        ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
        InstanceType=config["HeadNode"]["InstanceType"],
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": node}],
    )
    return "CREATE_IN_PROGRESS"


def update(options: argparse.Namespace) -> str:
    client(options, "cloudformation").update_stack(StackName=options.cluster_name, UsePreviousTemplate=True)
    return "UPDATE_IN_PROGRESS"


def delete(options: argparse.Namespace) -> str:
    client(options, "cloudformation").delete_stack(StackName=options.cluster_name)
    ec2 = client(options, "ec2")
    mine = [{"Name": "tag:parallelcluster:cluster-name", "Values": [options.cluster_name]}]
    nodes = [one["InstanceId"] for found in ec2.describe_instances(Filters=mine)["Reservations"] for one in found["Instances"]]
    if nodes:
        ec2.terminate_instances(InstanceIds=nodes)
    return "DELETE_IN_PROGRESS"


def client(options: argparse.Namespace, service: str):
    return boto3.client(service, region_name=options.region)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("operation", choices=["create-cluster", "update-cluster", "delete-cluster"])
    for option in ("--cluster-name", "--region", "--cluster-configuration"):
        parser.add_argument(option)
    options = parser.parse_args()
    status = {"create-cluster": create, "update-cluster": update, "delete-cluster": delete}[options.operation](options)
    json.dump({"cluster": {"clusterName": options.cluster_name, "cloudformationStackStatus": status, "version": "3.16.1"}}, sys.stdout)


if __name__ == "__main__":
    main()
