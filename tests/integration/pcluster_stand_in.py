"""A stand-in for the `pcluster` command where there is no real CloudFormation: it makes and deletes what is seen of a cluster from outside.

python -m tests.integration.pcluster_stand_in create-cluster|update-cluster|delete-cluster --cluster-name NAME --region REGION
    [--cluster-configuration FILE]

It prints what aws-parallelcluster 3.16.1 prints, and leaves in the account what the package leaves there: the configuration as it was
given, in a bucket that keeps versions, and a stack with the cluster's tags. The stack's template is one that the package itself has made
(tests/data/stacks), with the storage of this configuration; the lab makes its volumes and groups. The head node is an instance.
An entry of SharedStorage with the name "broken" makes the creation fail after the first resource.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import pathlib
import sys

import boto3
import yaml

VERSION = "3.16.1"
MADE = pathlib.Path(__file__).resolve().parents[1] / "data/stacks/starter.yaml"
BROKEN = {
    "Type": "AWS::EC2::NetworkInterface",
    "DependsOn": "HeadNodeSecurityGroup",
    "Properties": {"SubnetId": "subnet-00000000000000bad"},
}


class Cluster:
    """One cluster: what the package would write for it, and where."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.name, self.region = options.cluster_name, options.region
        self.text = pathlib.Path(options.cluster_configuration).read_text(encoding="utf-8") if options.cluster_configuration else ""
        self.config = yaml.safe_load(self.text) or {}

    def client(self, service: str):
        return boto3.client(service, region_name=self.region)

    def create(self) -> str:
        # Source: aws-parallelcluster 3.16.1, S3Bucket.get_bucket_name and Cluster._generate_artifact_dir.
        account = self.client("sts").get_caller_identity()["Account"]
        suffix = hashlib.sha256((account + self.region).encode()).hexdigest()[:16]
        bucket = f"parallelcluster-{suffix}-v1-do-not-delete"
        s3 = self.client("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        folder = f"parallelcluster/{VERSION}/clusters/{self.name}-{os.urandom(8).hex()}"
        self.client("cloudformation").create_stack(StackName=self.name, Tags=self.tags(), **self.stack(bucket, folder))
        self.run_head_node()
        return "CREATE_IN_PROGRESS"

    def update(self) -> str:
        self.client("cloudformation").update_stack(StackName=self.name, Tags=self.tags(), **self.stack(*self.place()))
        return "UPDATE_IN_PROGRESS"

    def delete(self) -> str:
        bucket, folder = self.place()
        self.client("cloudformation").delete_stack(StackName=self.name)
        if bucket:
            boto3.resource("s3", region_name=self.region).Bucket(bucket).object_versions.filter(Prefix=f"{folder}/").delete()
        ec2 = self.client("ec2")
        mine = [{"Name": "tag:parallelcluster:cluster-name", "Values": [self.name]}]
        nodes = [one["InstanceId"] for found in ec2.describe_instances(Filters=mine)["Reservations"] for one in found["Instances"]]
        if nodes:
            ec2.terminate_instances(InstanceIds=nodes)
        return "DELETE_IN_PROGRESS"

    def place(self) -> tuple[str, str]:
        """Return the bucket and the folder of a cluster that exists, as the package finds them: in its stack's parameters.

        A stack that a test has made has none.
        """
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", ())}
        return parameters.get("ResourcesS3Bucket", ""), parameters.get("ArtifactS3RootDirectory", "")

    def stack(self, bucket: str, folder: str) -> dict:
        """Put the configuration into the bucket; return the template that belongs to it, and values for what it leaves open."""
        s3 = self.client("s3")
        version = s3.put_object(Bucket=bucket, Key=f"{folder}/configs/cluster-config.yaml", Body=self.text.encode())["VersionId"]
        template = yaml.safe_load(MADE.read_text(encoding="utf-8"))
        parameters = template["Parameters"]
        for name, value in {"ResourcesS3Bucket": bucket, "ArtifactS3RootDirectory": folder, "ConfigVersion": version}.items():
            parameters[name]["Default"] = value
        subnet = self.config["HeadNode"]["Networking"]["SubnetId"]
        vpc = self.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
        template["Resources"] = self.resources(template["Resources"], subnet, vpc)
        del template["Outputs"]["EBSIds"]
        given = [{"ParameterKey": name, "ParameterValue": name} for name, one in parameters.items() if "Default" not in one]
        # The package uploads what yaml.dump writes, and CloudFormation keeps that text.
        return {"TemplateBody": yaml.dump(template), "Parameters": given, "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]}

    def resources(self, made: dict, subnet: str, vpc: str) -> dict:
        (name,) = (name for name, one in made.items() if one["Type"] == "AWS::EC2::Volume")
        volume = made.pop(name)
        for entry in self.config["SharedStorage"]:
            if entry["Name"] == "broken":
                made["Broken"] = BROKEN
            elif "EbsSettings" in entry and "VolumeId" not in entry["EbsSettings"]:
                made[f"EBS{hashlib.sha256(entry['Name'].encode()).hexdigest()[:16]}"] = as_template(entry, volume)
        for one in made.values():
            properties = one.get("Properties") or {}
            for key, value in (("VpcId", vpc), ("SubnetId", subnet)):
                if key in properties and one is not BROKEN:
                    properties[key] = value
        return made

    def tags(self) -> list[dict]:
        own = {"parallelcluster:cluster-name": self.name, "parallelcluster:version": VERSION}
        return [*self.config.get("Tags", []), *({"Key": key, "Value": value} for key, value in own.items())]

    def run_head_node(self) -> None:
        ec2 = self.client("ec2")
        node = [{"Key": "parallelcluster:node-type", "Value": "HeadNode"}, *self.tags()]
        ec2.run_instances(
            ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
            InstanceType=self.config["HeadNode"]["InstanceType"],
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": node}],
        )


def as_template(entry: dict, volume: dict) -> dict:
    """Return the volume of an entry, in the form of the one that the package has made."""
    one, settings = copy.deepcopy(volume), entry["EbsSettings"]
    one["DeletionPolicy"] = one["UpdateReplacePolicy"] = settings.get("DeletionPolicy", "Delete")
    zone = one["Properties"]["AvailabilityZone"]
    kept = {key: value for key, value in settings.items() if key in volume["Properties"]}
    one["Properties"] = {"AvailabilityZone": zone, "Tags": [{"Key": "Name", "Value": entry["Name"]}], **kept}
    return one


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("operation", choices=["create-cluster", "update-cluster", "delete-cluster"])
    for option in ("--cluster-name", "--region", "--cluster-configuration"):
        parser.add_argument(option)
    options = parser.parse_args()
    status = getattr(Cluster(options), options.operation.partition("-")[0])()
    json.dump({"cluster": {"clusterName": options.cluster_name, "cloudformationStackStatus": status, "version": VERSION}}, sys.stdout)


if __name__ == "__main__":
    main()
