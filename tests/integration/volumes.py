"""Run ebs_volume in this process, as Ansible would, against the lab."""

from __future__ import annotations

import dataclasses
import datetime
import time
from typing import Any

from plugins.module_utils._aws.snapshot_making import SnapshotMaker
from plugins.module_utils._aws.volumes import VolumeGateway
from plugins.modules.ebs_volume import VOLUME_OPTIONS, run
from tests.lab.client import Lab

ZONE = "us-east-1a"
# The lab is quicker than AWS: pauses, and the time limits they count towards, are a tenth of what the module asks for.
HASTE = 10


@dataclasses.dataclass
class Account:
    """The lab's account, and a volume name that nobody else uses."""

    lab: Lab
    name: str

    def volume(self, check_mode: bool = False, client: Any = None, **given: Any) -> dict[str, Any]:
        """Run the module and return its result; what is not given is a volume of 1 GiB with this name.

        client: a boto3 EC2 client; None: one that repeats failed calls.
        """
        asked = {"wait_timeout": 120, "availability_zone": ZONE, "size": "1", **given}
        if not asked.keys() & {"volumes", "volume_id"}:
            asked.setdefault("name", self.name)

        def snapshots() -> SnapshotMaker:
            return SnapshotMaker(self.lab.client("ec2"), sleep=short_pause)

        return run(parameters(**asked), hasty_gateway(client or self.lab.client("ec2")), check_mode, now(), snapshots)

    def in_aws(self, name: str | None = None) -> list[dict[str, Any]]:
        wanted = [{"Name": "tag:Name", "Values": [name or self.name]}]
        return self.lab.client("ec2").describe_volumes(Filters=wanted)["Volumes"]


def parameters(volumes: list[dict[str, Any]] | None = None, **given: Any) -> dict[str, Any]:
    """Return the module's parameters as Ansible passes them: what is not given is None."""
    blank = dict.fromkeys(VOLUME_OPTIONS)
    items = None if volumes is None else [{**blank, **item} for item in volumes]
    return {**blank, "wait": True, **given, "volumes": items}


def hasty_gateway(client: Any) -> VolumeGateway:
    return VolumeGateway(client, clock=lambda: time.monotonic() * HASTE, sleep=short_pause)


def short_pause(seconds: float) -> None:
    time.sleep(seconds / HASTE)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
