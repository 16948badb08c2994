"""Real bytes behind moto's EBS: each volume and snapshot is a sparse file, an attached volume is a block device.

The files lie in `<state dir>/ebs/<resource id>.img`. Which machine an instance is, the `host_for` function says: it takes
an instance id and returns a Host. Without one, every instance is this machine.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable
from typing import Any, Protocol

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.responses import EC2Response

from tests.lab import direct
from tests.lab.devices import LocalHost, loop_devices_of, run

FOLDER = "ebs"
GIB = 1 << 30
LARGEST_FILE = (1 << 44) - GIB  # ext4 ends at 16 TiB; no test writes beyond


class Host(Protocol):
    """The machine that plays an instance."""

    def plug(self, volume_id: str, image: pathlib.Path) -> None:
        """Make the image file appear as a block device."""

    def unplug(self, volume_id: str, image: pathlib.Path) -> None:
        """Take the block device away; nothing happens when there is none."""

    def busy(self, volume_id: str) -> bool:
        """Whether a file system on the device is mounted."""


def image_of(state_dir: pathlib.Path, resource_id: str) -> pathlib.Path:
    """The file of a volume or snapshot."""
    return state_dir / FOLDER / f"{resource_id}.img"


class DataPlane:
    """Follows what moto does to volumes and snapshots, and does the same to their files."""

    def __init__(self, state_dir: pathlib.Path, host_for: Callable[[str], Host] | None = None):
        self._state_dir = state_dir
        (state_dir / FOLDER).mkdir(parents=True, exist_ok=True)
        self._lineages: dict[str, str] = {}
        local = LocalHost()
        self.host_for = host_for or (lambda instance_id: local)

    def image(self, resource_id: str) -> pathlib.Path:
        return image_of(self._state_dir, resource_id)

    def lineage(self, resource_id: str) -> str:
        """What volumes and snapshots have in common that were made of each other: the id of the first; a copy begins anew."""
        return self._lineages.get(resource_id, resource_id)

    def install(self) -> None:
        """Follow moto's EBS backend in this process; volumes of RunInstances and TerminateInstances pass there too."""
        for name in (
            "create_volume", "modify_volume", "attach_volume", "detach_volume", "delete_volume",
            "create_snapshot", "copy_snapshot", "delete_snapshot",
        ):  # fmt: skip
            _after(name, getattr(self, f"_{name}"))
        _before_detach(self._refuse_while_mounted)
        direct.install(self.image, self.lineage)

    def _create_volume(self, volume: Any) -> None:
        if volume.snapshot_id:
            self._copy(volume.snapshot_id, volume.id)
            self._lineages[volume.id] = self.lineage(volume.snapshot_id)
        self._size(volume.id, volume.size)

    def _modify_volume(self, volume: Any) -> None:
        self._size(volume.id, volume.size)
        for device in loop_devices_of(self.image(volume.id)):
            run("losetup", "--set-capacity", device)

    def _attach_volume(self, attachment: Any) -> None:
        if _is_data(attachment):
            self.host_for(attachment.instance.id).plug(attachment.volume.id, self.image(attachment.volume.id))

    def _detach_volume(self, attachment: Any) -> None:
        if _is_data(attachment):
            self.host_for(attachment.instance.id).unplug(attachment.volume.id, self.image(attachment.volume.id))

    def _refuse_while_mounted(self, attachment: Any) -> None:
        if _is_data(attachment) and self.host_for(attachment.instance.id).busy(attachment.volume.id):
            raise EC2ClientError(
                "IncorrectState",
                f"lab: {attachment.volume.id} is still mounted on {attachment.instance.id}. EC2 would leave it in state 'busy'.",
            )

    def _delete_volume(self, volume: Any) -> None:
        self.image(volume.id).unlink(missing_ok=True)

    def _create_snapshot(self, snapshot: Any) -> None:
        self._copy(snapshot.volume_id, snapshot.id)
        self._lineages[snapshot.id] = self.lineage(snapshot.volume_id)

    def _copy_snapshot(self, snapshot: Any, source_snapshot_id: str) -> None:
        self._copy(source_snapshot_id, snapshot.id)

    def _delete_snapshot(self, snapshot: Any) -> None:
        self.image(snapshot.id).unlink(missing_ok=True)

    def _copy(self, source_id: str, target_id: str) -> None:
        source = self.image(source_id)
        if source.exists():
            run("cp", "--reflink=auto", "--sparse=always", str(source), str(self.image(target_id)))

    def _size(self, resource_id: str, size_gib: int) -> None:
        size = min(size_gib * GIB, LARGEST_FILE)
        with self.image(resource_id).open("ab") as file:
            if file.tell() < size:
                file.truncate(size)


def _is_data(attachment: Any) -> bool:
    return attachment.device != attachment.instance.root_device_name


def _after(name: str, effect: Callable[..., None]) -> None:
    """Call `effect` with what the backend's method returned, once moto has accepted the call."""
    original = getattr(EBSBackend, name)

    @functools.wraps(original)
    def followed(self: EBSBackend, *arguments: Any, **named: Any) -> Any:
        result = original(self, *arguments, **named)
        if name == "copy_snapshot":
            effect(result, named["source_snapshot_id"])
        elif not (name == "create_snapshot" and result.from_ami):
            effect(result)
        return result

    setattr(EBSBackend, name, followed)


def _before_detach(check: Callable[[Any], None]) -> None:
    """Call `check` with the attachments that a DetachVolume request would end, unless the request forces it."""
    original = EC2Response.detach_volume

    @functools.wraps(original)
    def guarded(self: EC2Response) -> Any:
        instance_id = self._get_param("InstanceId")
        volume = self.ec2_backend.volumes.get(self._get_param("VolumeId"))
        if volume and not self._get_bool_param("Force", False):
            for attachment in volume.attachments:
                if instance_id in (None, attachment.instance.id):
                    check(attachment)
        return original(self)

    EC2Response.detach_volume = guarded
