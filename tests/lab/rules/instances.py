"""Instances, as far as their volumes depend on them."""

from __future__ import annotations

import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.responses.instances import InstanceResponse

from tests.lab.rules.rulebook import Call, answer, check, derive, extend, refuse
from tests.lab.rules.volume_types import check_iops, check_size, check_throughput, check_type
from tests.lab.rules.volumes import check_snapshot, smaller_than_snapshot
from tests.lab.states import progress


@check("RunInstances")
def image_exists(call: Call) -> None:
    """The image exists in this region: InvalidAMIID.NotFound.

    Source: EC2 API Reference, error code InvalidAMIID.NotFound.
    """
    image = call.get("ImageId")
    if image and image not in call.backend.amis:
        refuse("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")


@check("RunInstances")
def key_pair_exists(call: Call) -> None:
    """The key pair exists in this region: InvalidKeyPair.NotFound.

    Source: EC2 API Reference, error code InvalidKeyPair.NotFound.
    """
    key = call.get("KeyName")
    if key and key not in call.backend.key_pairs:
        refuse("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")


@check("RunInstances")
def instance_type_exists(call: Call) -> None:
    """The instance type exists: InvalidParameterValue.

    Source: EC2 API Reference, RunInstances, parameter InstanceType.
    """
    kind = call.get("InstanceType")
    if kind and kind not in INSTANCE_TYPES:
        refuse("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")


@check("RunInstances")
def instance_type_runs_the_image(call: Call) -> None:
    """Instance type and image have the same architecture: InvalidParameterValue.

    Source: Amazon EC2 User Guide, "Compatibility for changing the instance type": the architecture of the AMI.
    """
    kind, image = call.get("InstanceType"), call.backend.amis.get(call.get("ImageId"))
    if kind is None or image is None:
        return
    supported = INSTANCE_TYPES[kind]["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture and image.architecture not in supported:
        refuse(
            "InvalidParameterValue",
            f"The architecture '{','.join(supported)}' of the specified instance type does not match the architecture "
            f"'{image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures.",
        )


@check("RunInstances")
def block_devices_are_possible(call: Call) -> None:
    """A volume of the launch follows the rules of CreateVolume: InvalidBlockDeviceMapping, InvalidParameterValue.

    Source: EC2 API Reference, RunInstances, parameter BlockDeviceMappings, and EbsBlockDevice.
    """
    for mapping in call.get("BlockDeviceMappings", []):
        disk = mapping.get("Ebs", {})
        size, kind = disk.get("VolumeSize"), disk.get("VolumeType", "gp2")
        check_type(kind)
        if disk.get("SnapshotId"):
            snapshot = call.backend.get_snapshot(disk["SnapshotId"])
            check_snapshot(snapshot)
            if size and size < snapshot.volume_size:
                refuse("InvalidBlockDeviceMapping", smaller_than_snapshot(size, snapshot))
        if size:
            check_size(kind, size)
            check_iops(kind, size, disk.get("Iops"))
        check_throughput(kind, disk.get("Iops"), disk.get("Throughput"))


@answer("RunInstances")
def volumes_of_the_launch_keep_their_performance(call: Call, proceed: Any) -> Any:
    """IOPS and throughput of a launch's volumes are those that were asked for.

    Source: EC2 API Reference, EbsBlockDevice, fields iops and throughput.
    """
    result = proceed()
    for instance in result.result.instances:
        for mapping in call.get("BlockDeviceMappings", []):
            disk, device = mapping.get("Ebs", {}), instance.block_device_mapping.get(mapping["DeviceName"])
            if device:
                volume = call.backend.get_volume(device.volume_id)
                volume.iops = disk.get("Iops") or volume.iops
                volume.throughput = disk.get("Throughput") or volume.throughput
    return result


@answer("RunInstances")
def template_says_how_instances_are_bought(call: Call, proceed: Any) -> Any:
    """A launch takes from its template whether it buys spot instances, unless the request says so itself.

    Source: EC2 API Reference, RunInstances, parameter LaunchTemplate; ResponseLaunchTemplateData, field instanceMarketOptions.
    """
    result = proceed()
    template = call.get("LaunchTemplate")
    if template and not call.get("InstanceMarketOptions"):
        market = call.backend._get_template_from_args(template).data.get("InstanceMarketOptions", {}).get("MarketType")
        for instance in result.result.instances:
            instance.lifecycle = market or instance.lifecycle
    return result


@answer("CreateLaunchTemplate")
def tags_of_a_template_are_its_own(call: Call, proceed: Any) -> Any:
    """Tags of the request are the template's; what its launches are tagged with is in the template's data.

    Source: EC2 API Reference, CreateLaunchTemplate, parameter TagSpecification.N.
    """
    result = proceed()
    (template,) = call.backend.describe_launch_templates(template_names=[call.get("LaunchTemplateName")])
    data = template.versions[0].data
    of_launches = [one for one in data.pop("TagSpecifications", []) if one["ResourceType"] != "launch-template"]
    data.update({"TagSpecifications": of_launches} if of_launches else {})
    return result


@extend(InstanceResponse, "_parse_block_device_mapping")
def root_disk_comes_from_the_image(original: Any, response: Any) -> list[dict[str, Any]]:
    """A launch's root disk takes from the image what the request leaves out, and ends with the instance.

    Source: Amazon EC2 User Guide, "Block device mappings for volumes on Amazon EC2 instances".
    """
    image = response.ec2_backend.amis.get(response._get_param("ImageId"))
    mappings = response._get_param("BlockDeviceMappings", [])
    if image is None or not mappings:
        return original(response)
    root = image.block_device_mappings[0]
    if root["DeviceName"] not in [mapping["DeviceName"] for mapping in mappings]:
        mappings.insert(0, {"DeviceName": root["DeviceName"], "Ebs": {}})
    for mapping in mappings:
        if "Ebs" in mapping:
            mapping["Ebs"].setdefault("DeleteOnTermination", True)
            if mapping["DeviceName"] == root["DeviceName"]:
                mapping["Ebs"].setdefault("VolumeSize", root["Ebs"]["VolumeSize"])
                mapping["Ebs"].setdefault("VolumeType", root["Ebs"]["VolumeType"])
    return original(response)


class TimedState(InstanceState):
    """An instance's state that is pending at first, and shutting-down before it is terminated."""

    def __init__(self, instance: Instance, name: str, code: int):
        self.instance, self.moto_name, self.moto_code = instance, name, code
        self.terminated: datetime.datetime | None = None

    @property
    def name(self) -> str:
        """The state as of now."""
        if self.moto_name == "terminated" and progress("termination", self.terminated) < 1:
            return "shutting-down"
        if self.moto_name == "running" and progress("instance", self.instance.launch_time) < 1:
            return "pending"
        return self.moto_name

    @name.setter
    def name(self, name: str) -> None:
        self.moto_name = name
        self.terminated = utcnow() if name == "terminated" else None

    @property
    def code(self) -> int:
        """The number of the state."""
        return {"pending": 0, "shutting-down": 32}.get(self.name, self.moto_code)

    @code.setter
    def code(self, code: int) -> None:
        self.moto_code = code

    def __copy__(self) -> InstanceState:
        return InstanceState(self.name, self.code)


@derive(Instance, "_state")
def instance_state(original: Any, instance: Instance) -> InstanceState:
    """An instance is pending before it runs, and shutting-down before it is terminated.

    Source: Amazon EC2 User Guide, "Amazon EC2 instance state changes".
    """
    state = original(instance)
    if not isinstance(state, TimedState):
        state = instance._state = TimedState(instance, state.name, state.code)
    return state
