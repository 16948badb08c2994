"""The floor under the benchmark of volumes: a script with nothing but boto3 that makes what is missing and waits for it.

python benchmarks/plain_boto3.py NAME ...
"""

import sys

import boto3

ZONE = "us-east-1a"


def main(names: list[str]) -> None:
    ec2 = boto3.client("ec2")
    pages = ec2.get_paginator("describe_volumes").paginate(Filters=[{"Name": "tag:Name", "Values": names}])
    existing = {tag["Value"] for page in pages for volume in page["Volumes"] for tag in volume["Tags"] if tag["Key"] == "Name"}
    created = [
        ec2.create_volume(
            AvailabilityZone=ZONE,
            Size=1,
            VolumeType="gp3",
            Encrypted=True,
            TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": name}]}],
        )["VolumeId"]
        for name in names
        if name not in existing
    ]
    if created:
        # boto3 would look every 15 seconds.
        ec2.get_waiter("volume_available").wait(VolumeIds=created, WaiterConfig={"Delay": 1, "MaxAttempts": 300})


if __name__ == "__main__":
    main(sys.argv[1:])
