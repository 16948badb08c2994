# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A build host that EC2 does not give: why, what stays behind and costs, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import tags
from ..cost.cost import volume_cost
from ..facts import prices

# boto3 writes the code of an answer like this, and amazon.aws passes it on.
ANSWER = re.compile(
    r"An error occurred \((?P<code>[\w.]+)\) when calling the (?P<action>\w+) operation(?: \([^)]*\))?: (?P<text>.*)", re.DOTALL
)

TYPE = "build_host_instance_type (in a playbook: build_instance_type)"
_QUOTA = f"Ask for a higher quota in the Service Quotas console, or set {TYPE} to a smaller one."
_CAPACITY = f"Run this again later, or set {TYPE} to another one. For another zone, name a subnet there with build_host_subnet_id."
_OTHER_TYPE = f"Set {TYPE} to a type that the zone offers, or name a subnet of another zone with build_host_subnet_id."
_GROUPS = "Correct build_host_security_group_ids: groups of the subnet's VPC."
_IMAGE = "Correct build_host_image_id, or leave it out for the newest official image."
_VARIABLES = "Correct the variables of the role build_host that the message is about."
_ON_DEMAND = "Set build_host_spot: false, or ask for a higher quota of spot capacity in the Service Quotas console."

# code: (why, next step); the source of the codes is the EC2 API reference, "Error codes for the Amazon EC2 API".
ADVICE: dict[str, tuple[str, str]] = {
    "VcpuLimitExceeded": ("the account may not run so many vCPUs of this family", _QUOTA),
    "InstanceLimitExceeded": ("the account may not run more instances of this type", _QUOTA),
    "MaxSpotInstanceCountExceeded": ("the account may not run more spot instances", _ON_DEMAND),
    "SpotMaxPriceTooLow": ("spot capacity costs more than the on-demand price now", "Set build_host_spot: false, or run this again later."),
    "InsufficientInstanceCapacity": ("the zone has no capacity for this instance type now", _CAPACITY),
    "InsufficientHostCapacity": ("the zone has no capacity for this instance type now", _CAPACITY),
    "InsufficientReservedInstanceCapacity": ("the zone has no capacity for this instance type now", _CAPACITY),
    "InsufficientFreeAddressesInSubnet": ("the subnet has no address left", "Name another subnet with build_host_subnet_id."),
    "Unsupported": ("the zone does not offer this instance type, or not with these options", _OTHER_TYPE),
    "UnsupportedOperation": ("the instance type does not go with these options", _OTHER_TYPE),
    "InvalidKeyPair.NotFound": ("there is no such key pair in this region", "Correct build_host_key_name, or import the key here."),
    "InvalidGroup.NotFound": ("there is no such security group here", _GROUPS),
    "InvalidSecurityGroupID.NotFound": ("there is no such security group here", _GROUPS),
    "InvalidGroupId.Malformed": ("this is no id of a security group", _GROUPS),
    "InvalidSubnetID.NotFound": ("there is no such subnet in this region", "Correct build_host_subnet_id."),
    "InvalidAMIID.NotFound": ("there is no such image in this region", _IMAGE),
    "InvalidAMIID.Malformed": ("this is no id of an image", _IMAGE),
    "InvalidAMIID.Unavailable": ("the image may not be launched any more", _IMAGE),
    "InvalidPlacementGroup.Unknown": ("there is no such placement group here", "Correct build_host_placement_group, or leave it out."),
    "InvalidParameterValue": ("a value is wrong", _VARIABLES),
    "InvalidParameterCombination": ("these values do not go together", _VARIABLES),
    "UnauthorizedOperation": ("these credentials may not do it", "Ask for the permission, or use a profile that has it."),
    "OptInRequired": ("the account has not subscribed to this image", "Accept the image's terms in AWS Marketplace, or use another image."),
    "PendingVerification": ("AWS still verifies the account", "Run this again in some hours; ask AWS support if it lasts."),
    "Blocked": ("the account is blocked", "Contact AWS support."),
}

# What became of the volume of a build whose host was not to be had.
DELETED, KEPT, UNKNOWN = "deleted", "kept", "unknown"


def launch_refusal(failed: Mapping[str, Any]) -> str:
    """Return why there is no build host, and what to do, from the result of the task that was to launch it."""
    text = str(failed.get("msg") or "the launch has failed without a word")
    answer = ANSWER.search(text)
    if not answer:
        return f"There is no build host: {text}"
    code, action = answer["code"], answer["action"]
    message = answer["text"].split("Encoded authorization failure message", maxsplit=1)[0].strip().rstrip(".")
    why, next_step = ADVICE.get(code, ("", ""))
    said = f"{action} answered {code}: {message}"
    return " ".join(part for part in (f"EC2 refuses the build host: {f'{why} ({said})' if why else said}.", next_step) if part)


def refused_claim(reason: str, volume: Mapping[str, Any], became: str, build_id: str, region: str) -> str:
    """Return what a person has to know of a build that could not be begun.

    reason: why. volume: what the module ebs_volume returns; empty when there was none yet, or another run holds it.
    became: DELETED, KEPT, or UNKNOWN when giving it back has failed too.
    """
    if not volume:
        return reason
    size, volume_id = volume["size_gib"], volume["volume_id"]
    usd = volume_cost(str(volume.get("volume_type") or "gp3"), int(size), prices=prices.PRICES).usd
    costs = f"{size} GiB, costs about {usd:.2f} USD a month"
    give_up = f"ansible-playbook petal.hpc.build_cancel -e build_id={build_id} -e region={region} -e delete_volume=true"
    left = {
        DELETED: f"The volume {volume_id} ({size} GiB), made for this build and still empty, is deleted: nothing is left.",
        KEPT: f"The volume {volume_id} of an earlier run stays ({costs}) and is free for the next one, which goes on with it. "
        f"To give it up: {give_up}",
        UNKNOWN: f"What this run has made could not be given back: look for the volume {volume_id} ({costs}) and for a host with the tag "
        f"{tags.key(tags.BUILD_ID)}={build_id}. This removes both: {give_up}",
    }
    return f"{reason} {left[became]}"
