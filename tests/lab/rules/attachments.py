"""Attaching and detaching: where a volume may go, under which name, and how it leaves."""

from __future__ import annotations

import re
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.block_device import BlockDeviceType
from moto.ec2.models.elastic_block_store import EBSBackend, Volume, VolumeAttachment

from tests.lab.rules.rulebook import Call, answer, check, derive, extend, refuse
from tests.lab.states import progress

SHARED_BY_AT_MOST = 16
# /dev/sda1, xvdf and their like. Source: Amazon EC2 User Guide, "Device names for volumes on Amazon EC2 instances".
DEVICE_NAME = re.compile(r"^(/dev/)?(sd[a-z]{1,2}\d{0,2}|xvd[a-z]{1,2}\d{0,2})$")


@derive(Volume, "attachment")
def first_attachment(original: Any, volume: Volume) -> VolumeAttachment | None:
    """A volume knows all its attachments; moto, which knows one, sees the first.

    Source: Amazon EBS User Guide, "Attach an EBS volume to multiple EC2 instances using Multi-Attach".
    """
    return next(iter(volume.attachments), None)


@derive(Volume, "attachments")
def all_attachments(original: Any, volume: Volume) -> list[VolumeAttachment]:
    """A detaching volume keeps its attachment, in state detaching, until the detachment is over.

    Source: EC2 API Reference, VolumeAttachment: state is attaching, attached, detaching, detached or busy.
    """
    return [
        attachment for attachment in getattr(volume, "lab_attachments", ())
        if attachment.lab_detach_time is None or progress("detachment", attachment.lab_detach_time) < 1
    ]  # fmt: skip


@derive(VolumeAttachment, "status")
def attachment_state(original: Any, attachment: VolumeAttachment) -> str:
    """An attachment is attaching, then attached, then detaching.

    Source: EC2 API Reference, VolumeAttachment.
    """
    if attachment.lab_detach_time is not None:
        return "detaching"
    return "attaching" if progress("attachment", attachment.attach_time) < 1 else "attached"


@check("AttachVolume")
def device_name_is_valid(call: Call) -> None:
    """A device is called /dev/sd[a-z] or xvd[a-z], with or without a partition number: InvalidParameterValue.

    Source: Amazon EC2 User Guide, "Device names for volumes on Amazon EC2 instances".
    """
    device = call.get("Device", "")
    if not DEVICE_NAME.match(device):
        refuse("InvalidParameterValue", f"Value ({device}) for parameter device is invalid. {device} is not a valid EBS device name.")


@check("AttachVolume")
def volume_is_ready_to_attach(call: Call) -> None:
    """A volume that is still being created cannot be attached: IncorrectState.

    Source: Amazon EBS User Guide, "Amazon EBS volume lifecycle": attach it once it is available.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if volume.status not in ("available", "in-use"):
        refuse("IncorrectState", f"The volume '{volume.id}' is not 'available'.")


@check("AttachVolume")
def instance_can_take_a_volume(call: Call) -> None:
    """Only a running or stopped instance takes a volume: IncorrectState.

    Source: EC2 API Reference, AttachVolume: "Attaches an Amazon EBS volume to a running or stopped instance".
    """
    instance = call.backend.get_instance(call.get("InstanceId"))
    if instance.state not in ("running", "stopped"):
        refuse("IncorrectState", f"Instance '{instance.id}' is not 'running'.")


@check("AttachVolume")
def volume_and_instance_share_a_zone(call: Call) -> None:
    """Volume and instance lie in the same Availability Zone: InvalidVolume.ZoneMismatch.

    Source: EC2 API Reference, AttachVolume, parameter VolumeId.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    instance = call.backend.get_instance(call.get("InstanceId"))
    if volume.availability_zone != instance.availability_zone:
        refuse(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'",
        )


@check("AttachVolume")
def volume_is_attached_once(call: Call) -> None:
    """A volume without Multi-Attach is attached to one instance, and no volume twice to the same: VolumeInUse.

    Source: EC2 API Reference, error code VolumeInUse.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    holders = [attachment.instance.id for attachment in volume.attachments]
    if call.get("InstanceId") in holders or (holders and not volume.multi_attach_enabled):
        refuse("VolumeInUse", f"{volume.id} is already attached to an instance")


@check("AttachVolume")
def sixteen_instances_share_a_volume(call: Call) -> None:
    """A volume with Multi-Attach is attached to at most 16 instances: VolumeInUse.

    Source: EC2 API Reference, CreateVolume, parameter MultiAttachEnabled.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if len(volume.attachments) >= SHARED_BY_AT_MOST:
        refuse("VolumeInUse", f"{volume.id} is already attached to {SHARED_BY_AT_MOST} instances")


@check("AttachVolume")
def device_name_is_free(call: Call) -> None:
    """An instance has one volume under each device name: InvalidParameterValue.

    Source: Amazon EC2 User Guide, "Device name considerations".
    """
    device = call.get("Device")
    if device in call.backend.get_instance(call.get("InstanceId")).block_device_mapping:
        refuse("InvalidParameterValue", f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use")


@extend(EBSBackend, "attach_volume")
def attach_beside_the_others(
    original: Any, backend: Any, volume_id: str, instance_id: str, device_path: str, *options: bool
) -> VolumeAttachment:
    """Attaching a volume to a second instance leaves the first attachment as it is.

    Source: Amazon EBS User Guide, "Attach an EBS volume to multiple EC2 instances using Multi-Attach".
    """
    delete_on_termination = any(options)
    volume, instance = backend.get_volume(volume_id), backend.get_instance(instance_id)
    attachment = VolumeAttachment(volume, instance, device_path, "attached")
    attachment.lab_detach_time = None
    attachment.delete_on_termination = delete_on_termination
    volume.lab_attachments = [*volume.attachments, attachment]
    instance.block_device_mapping[device_path] = BlockDeviceType(
        volume_id=volume_id,
        status=volume.status,
        size=volume.size,
        attach_time=attachment.attach_time,
        delete_on_termination=delete_on_termination,
    )
    return attachment


@check("DetachVolume")
def detached_volume_is_attached(call: Call) -> None:
    """Only an attached volume can be detached: IncorrectState.

    Source: EC2 API Reference, error code IncorrectState.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if not volume.attachments:
        refuse("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")


@check("DetachVolume")
def shared_volume_names_the_instance(call: Call) -> None:
    """Detaching a volume with Multi-Attach takes an instance id: MissingParameter.

    Source: EC2 API Reference, DetachVolume, parameter InstanceId.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if volume.multi_attach_enabled and not call.get("InstanceId"):
        refuse("MissingParameter", f"Specify the instance: volume '{volume.id}' is enabled for Multi-Attach.")


@check("DetachVolume")
def detached_from_the_instance_that_has_it(call: Call) -> None:
    """The named instance and device are those of the attachment: InvalidAttachment.NotFound.

    Source: EC2 API Reference, error code InvalidAttachment.NotFound.
    """
    if _attachment(call) is None:
        refuse(
            "InvalidAttachment.NotFound",
            f"The volume '{call.get('VolumeId')}' is not attached to instance '{call.get('InstanceId')}' as device '{call.get('Device')}'.",
        )


@check("DetachVolume")
def root_volume_stays_while_running(call: Call) -> None:
    """The root volume of a running instance cannot be detached: OperationNotPermitted.

    Source: EC2 API Reference, DetachVolume: "To detach the root volume, stop the instance first."
    """
    attachment = _attachment(call)
    if attachment.device == attachment.instance.root_device_name and attachment.instance.state == "running":
        refuse("OperationNotPermitted", f"Unable to detach root volume '{attachment.volume.id}' from instance '{attachment.instance.id}'")


@check("DetachVolume")
def volume_is_not_leaving_already(call: Call) -> None:
    """A volume that is being detached cannot be detached again, except by force: IncorrectState.

    Source: EC2 API Reference, error code IncorrectState.
    """
    if _attachment(call).status == "detaching" and not call.flag("Force"):
        refuse("IncorrectState", f"Volume '{call.get('VolumeId')}' is in the 'detaching' state.")


@answer("DetachVolume")
def detach_without_an_instance(call: Call, proceed: Any) -> Any:
    """Only the volume has to be named; the answer says from which instance and device it goes.

    Source: EC2 API Reference, DetachVolume: InstanceId and Device are not required.
    """
    call.response.error_on_dryrun()
    attachment = _attachment(call)
    call.backend.detach_volume(attachment.volume.id, attachment.instance.id, attachment.device)
    return {
        "VolumeId": attachment.volume.id,
        "InstanceId": attachment.instance.id,
        "Device": attachment.device,
        "State": "detaching",
        "AttachTime": attachment.attach_time,
    }


@extend(EBSBackend, "detach_volume")
def detach_from_one(original: Any, backend: Any, volume_id: str, instance_id: str, device_path: str | None = None) -> VolumeAttachment:
    """Detaching a volume from one instance leaves its other attachments as they are.

    Source: Amazon EBS User Guide, "Attach an EBS volume to multiple EC2 instances using Multi-Attach".
    """
    volume = backend.get_volume(volume_id)
    attachment = next(found for found in volume.attachments if found.instance.id == instance_id)
    attachment.instance.block_device_mapping.pop(attachment.device, None)
    attachment.lab_detach_time = utcnow()
    return attachment


def _attachment(call: Call) -> VolumeAttachment | None:
    """The attachment that a DetachVolume request names."""
    instance_id, device = call.get("InstanceId"), call.get("Device")
    return next(
        (
            attachment for attachment in call.backend.get_volume(call.get("VolumeId")).attachments
            if instance_id in (None, attachment.instance.id) and device in (None, attachment.device)
        ),
        None,
    )  # fmt: skip
