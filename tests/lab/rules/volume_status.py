"""A volume's health and attributes. moto has none of these actions."""

from __future__ import annotations

from typing import Any

from tests.lab.rules.rulebook import Call, fake, refuse

CREATED = ("available", "in-use")


@fake("DescribeVolumeStatus")
def volume_status_is_described(call: Call) -> dict[str, Any]:
    """A volume is ok once it is created; before, there is insufficient-data.

    Source: EC2 API Reference, DescribeVolumeStatus.
    """
    wanted = call.response._filters_from_querystring().get("volume-status.status")
    items = [_status(volume) for volume in call.backend.describe_volumes(call.get("VolumeIds", []))]
    return {"VolumeStatuses": [item for item in items if wanted is None or item["VolumeStatus"]["Status"] in wanted]}


@fake("DescribeVolumeAttribute")
def volume_attribute_is_described(call: Call) -> dict[str, Any]:
    """A volume's attributes are autoEnableIO and productCodes: InvalidParameterValue for others.

    Source: EC2 API Reference, DescribeVolumeAttribute.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    if call.get("Attribute") == "autoEnableIO":
        return {"VolumeId": volume.id, "AutoEnableIO": {"Value": getattr(volume, "lab_auto_enable_io", False)}}
    if call.get("Attribute") == "productCodes":
        return {"VolumeId": volume.id, "ProductCodes": []}
    refuse("InvalidParameterValue", f"Invalid value '{call.get('Attribute')}' for attribute.")


@fake("ModifyVolumeAttribute")
def volume_attribute_is_modified(call: Call) -> None:
    """AutoEnableIO can be set.

    Source: EC2 API Reference, ModifyVolumeAttribute.
    """
    volume = call.backend.get_volume(call.get("VolumeId"))
    volume.lab_auto_enable_io = call.get("AutoEnableIO.Value", False)


def _status(volume: Any) -> dict[str, Any]:
    state = "ok" if volume.status in CREATED else "insufficient-data"
    return {
        "VolumeId": volume.id,
        "AvailabilityZone": volume.availability_zone,
        "Actions": [],
        "Events": [],
        "VolumeStatus": {
            "Status": state,
            "Details": [{"Name": "io-enabled", "Status": "passed"}, {"Name": "io-performance", "Status": "not-applicable"}],
        },
    }
