"""An AWS account in moto that holds what configurations need, so that every refusal is the configuration's own fault."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws
from moto.backends import get_backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.judge.needs import Needs
from tests.lab import parallelcluster, population, world

ACCOUNT = "123456789012"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def credentials() -> None:
    """Point this process to no AWS account at all."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
    )


@contextlib.contextmanager
def in_process() -> Iterator[None]:
    """Answer the calls of this process; nothing leaves it."""
    parallelcluster.install()
    with mock_aws():
        yield


@contextlib.contextmanager
def next_id(generator: str, value: str) -> Iterator[None]:
    """Let moto give one id of our choice; generator is the name of its function, such as ec2.models.subnets.random_subnet_id."""
    with mock.patch(f"moto.{generator}", side_effect=lambda *_args, **_kwargs: value):
        yield


@functools.cache
def client(service: str, region: str) -> Any:
    """Return a client; making one takes longer than most of its calls."""
    return boto3.client(service, region_name=region)


class Region:
    """One region of the account, being filled."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.ec2 = self.client("ec2")
        self.backend = get_backend("ec2")[ACCOUNT][region]
        self.vpc_id = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.vpc_id, **{attribute: {"Value": True}})
        population.add_official_images(self.backend)

    def client(self, service: str) -> Any:
        return client(service, self.region)

    def fill(self, needs: Needs) -> None:
        """Create everything; each kind has a method of its name."""
        for kind in ("subnets", "security_groups", *sorted(set(needs) - {"subnets", "security_groups"})):
            for number, (name, properties) in enumerate(needs.get(kind, {}).items()):
                getattr(self, f"add_{kind}")(name, number, properties)

    def add_subnets(self, name: str, number: int, properties: dict) -> None:
        """properties: zone; public, whether its instances get public addresses."""
        with next_id("ec2.models.subnets.random_subnet_id", name):
            self.ec2.create_subnet(VpcId=self.vpc_id, AvailabilityZone=properties["zone"], CidrBlock=f"10.0.{8 * number}.0/21")
        self.ec2.modify_subnet_attribute(SubnetId=name, MapPublicIpOnLaunch={"Value": properties.get("public", False)})

    def add_security_groups(self, name: str, _number: int, _properties: dict) -> None:
        with next_id("ec2.models.security_groups.random_security_group_id", name):
            self.ec2.create_security_group(GroupName=name, Description="needed", VpcId=self.vpc_id)

    def add_addresses(self, name: str, _number: int, _properties: dict) -> None:
        self.ec2.allocate_address(Domain="vpc", Address=name)

    def add_keys(self, name: str, _number: int, properties: dict) -> None:
        """properties: type, ed25519 or rsa; Ubuntu's images refuse the latter."""
        self.ec2.create_key_pair(KeyName=name, KeyType=properties.get("type", "ed25519"))

    def add_volumes(self, name: str, _number: int, properties: dict) -> None:
        with next_id("ec2.models.elastic_block_store.random_volume_id", name):
            self.ec2.create_volume(Size=properties["size_gib"], AvailabilityZone=properties["zone"])

    def add_snapshots(self, name: str, _number: int, properties: dict) -> None:
        """properties: size_gib; state, completed or pending."""
        volume = self.ec2.create_volume(Size=properties["size_gib"], AvailabilityZone=f"{self.region}a")
        with next_id("ec2.models.elastic_block_store.random_snapshot_id", name):
            self.ec2.create_snapshot(VolumeId=volume["VolumeId"])
        self.backend.snapshots[name].status = properties.get("state", "completed")

    def add_images(self, name: str, _number: int, properties: dict) -> None:
        """A custom image as `pcluster build-image` makes it, for the head node's architecture. properties: os, head_node."""
        head_node = INSTANCE_TYPES.get(properties["head_node"], {})
        architectures = head_node.get("ProcessorInfo", {}).get("SupportedArchitectures", ["x86_64"])
        self.backend.amis[name] = Ami(
            self.backend,
            name,
            name=name,
            architecture="arm64" if "arm64" in architectures else "x86_64",
            tags={
                "parallelcluster:version": world.PARALLELCLUSTER_VERSION,
                "parallelcluster:build_status": "available",
                "parallelcluster:os": properties["os"],
                "parallelcluster:image_id": name,
            },
            virtualization_type="hvm",
            root_device_type="ebs",
            root_device_name="/dev/xvda",
            region_name=f"{self.region}a",
            description="custom",
        )

    def add_buckets(self, name: str, _number: int, _properties: dict) -> None:
        s3 = self.client("s3")
        place = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        # A bucket is made once for all regions, and the objects below may have made it already.
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
            s3.create_bucket(Bucket=name, **place)

    def add_objects(self, name: str, number: int, _properties: dict) -> None:
        bucket, _, key = name.partition("/")
        self.add_buckets(bucket, number, {})
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=b"#!/bin/sh\n")

    def add_kms_keys(self, name: str, _number: int, _properties: dict) -> None:
        with next_id("kms.models.generate_key_id", name.rpartition("/")[2]):
            self.client("kms").create_key()

    def add_policies(self, name: str, _number: int, _properties: dict) -> None:
        """AWS's own policies by name; moto's switch for them would load all of them a dozen times."""
        from moto.iam.aws_managed_policies import aws_managed_policies_data
        from moto.iam.models import AWSManagedPolicy

        short = name.rpartition("/")[2]
        if ":aws:policy/" not in name:
            with contextlib.suppress(self.client("iam").exceptions.EntityAlreadyExistsException):
                self.client("iam").create_policy(PolicyName=short, PolicyDocument=ANYTHING)
        elif short in (known := json.loads(aws_managed_policies_data)):
            policy = AWSManagedPolicy.from_data(short, ACCOUNT, self.region, known[short])
            get_backend("iam")[ACCOUNT]["aws"].managed_policies[policy.arn] = policy

    def add_roles(self, name: str, _number: int, _properties: dict) -> None:
        with contextlib.suppress(self.client("iam").exceptions.EntityAlreadyExistsException):
            self.client("iam").create_role(RoleName=name.rpartition("/")[2], AssumeRolePolicyDocument="{}")

    def add_instance_profiles(self, name: str, _number: int, _properties: dict) -> None:
        with contextlib.suppress(self.client("iam").exceptions.EntityAlreadyExistsException):
            self.client("iam").create_instance_profile(InstanceProfileName=name.rpartition("/")[2])

    def add_placement_groups(self, name: str, _number: int, _properties: dict) -> None:
        groups = self.backend.__dict__.setdefault("lab_placement_groups", {})
        groups[name] = {"GroupName": name, "State": "available", "Strategy": "cluster"}

    def add_capacity_reservations(self, name: str, _number: int, properties: dict) -> None:
        """properties: keys of DescribeCapacityReservations, such as InstanceType and TotalInstanceCount."""
        reservations = self.backend.__dict__.setdefault("lab_capacity_reservations", {})
        reservations[name] = {
            "CapacityReservationId": name,
            "InstancePlatform": "Linux/UNIX",
            "State": "active",
            "Tenancy": "default",
            "AvailabilityZone": f"{self.region}a",
            "TotalInstanceCount": 1000,
            "AvailableInstanceCount": 1000,
            "ReservationType": "default",
            "InstanceType": "c5.xlarge",
            "Tags": [],
            **properties,
        }

    def add_reservation_groups(self, name: str, _number: int, properties: dict) -> None:
        """A resource group of capacity reservations, one for each type. properties: instance_types; EC2's own kind of group."""
        from moto.resourcegroups import urls
        from moto.resourcegroups.responses import ResourceGroupsResponse

        reservations = [f"cr-{position:017x}" for position, _type in enumerate(properties["instance_types"])]
        for reservation, instance_type in zip(reservations, properties["instance_types"], strict=True):
            self.add_capacity_reservations(reservation, 0, {"InstanceType": instance_type})
        get_backend("resource-groups")[ACCOUNT][self.region].__dict__.setdefault("judge_groups", {})[name] = reservations
        urls.url_paths["{0}/list-group-resources$"] = ResourceGroupsResponse.dispatch
        ResourceGroupsResponse.list_group_resources = _list_group_resources
        ResourceGroupsResponse.get_group_configuration = _get_group_configuration

    def add_efs(self, name: str, _number: int, _properties: dict) -> None:
        """An existing file system with a mount target in every subnet, reachable from everywhere."""
        efs, backend = self.client("efs"), get_backend("efs")[ACCOUNT][self.region]
        made = efs.create_file_system(CreationToken=name)["FileSystemId"]
        system = backend.file_systems_by_id[name] = backend.file_systems_by_id.pop(made)
        system.file_system_id = name
        for subnet in self._subnet_ids():
            efs.create_mount_target(FileSystemId=name, SubnetId=subnet, SecurityGroups=[self._open_group()])

    def add_fsx(self, name: str, _number: int, _properties: dict) -> None:
        """An existing Lustre file system, reachable from everywhere; moto makes none that lies in a VPC."""
        from moto.fsx.responses import FSxResponse

        subnet = self._subnet_ids()[0]
        interface = self.ec2.create_network_interface(SubnetId=subnet, Groups=[self._open_group()])["NetworkInterface"]
        system = {
            "FileSystemId": name,
            "FileSystemType": "LUSTRE",
            "VpcId": self.vpc_id,
            "SubnetIds": [subnet],
            "StorageCapacity": 1200,
            "DNSName": "fs.example",
            "NetworkInterfaceIds": [interface["NetworkInterfaceId"]],
            "LustreConfiguration": {"MountName": "fsx"},
        }
        get_backend("fsx")[ACCOUNT][self.region].__dict__.setdefault("judge_file_systems", {})[name] = system
        FSxResponse.describe_file_systems = _describe_file_systems

    def _subnet_ids(self) -> list[str]:
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc_id]}])["Subnets"]
        return list({subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in subnets}.values())

    def _open_group(self) -> str:
        if not hasattr(self, "_open_group_id"):
            group = self.ec2.create_security_group(GroupName="open", Description="open", VpcId=self.vpc_id)["GroupId"]
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everything)
            self._open_group_id = group
        return self._open_group_id


def _describe_file_systems(self: Any) -> str:
    """Answer DescribeFileSystems of FSx from what add_fsx has kept."""
    systems = getattr(self.fsx_backend, "judge_file_systems", {})
    asked = json.loads(self.body).get("FileSystemIds") or list(systems)
    return json.dumps({"FileSystems": [systems[name] for name in asked if name in systems]})


def _list_group_resources(self: Any) -> str:
    """Answer ListGroupResources from what add_reservation_groups has kept; moto has no such groups."""
    reservations = self.resourcegroups_backend.judge_groups[self._get_param("Group")]
    prefix = f"arn:aws:ec2:{self.region}:{ACCOUNT}:capacity-reservation/"
    kind = "AWS::EC2::CapacityReservation"
    return json.dumps({"Resources": [{"Identifier": {"ResourceArn": prefix + one, "ResourceType": kind}} for one in reservations]})


def _get_group_configuration(_self: Any) -> str:
    """Answer GetGroupConfiguration as for a group that EC2 Capacity Reservations has made."""
    return json.dumps({"GroupConfiguration": {"Configuration": [{"Type": "AWS::EC2::CapacityReservationPool"}]}})
