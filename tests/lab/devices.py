"""Block devices of this machine: image files behind loop devices, and who has them mounted.

A loop device names its image file, so that `release` finds every device of a lab, also of one that was killed.
On an instance a volume appears under the name that NVMe gives it on EC2,
/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0.
Source: Amazon EC2 User Guide, "Map NVMe disks to volumes".
"""

from __future__ import annotations

import collections
import os
import pathlib
import subprocess
from collections.abc import Iterator

BY_ID = pathlib.Path("/dev/disk/by-id")


def link_name(volume_id: str) -> str:
    """The name of a volume's link in /dev/disk/by-id."""
    return f"nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}"


def run(*command: str) -> str:
    """Run a command and return what it printed; raises CalledProcessError, with the command's own message in the server's log."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def loop_device(image: pathlib.Path) -> str:
    """Return a new loop device over an image file. One that was read only in an earlier use would stay so: a new attachment never is."""
    device = run("losetup", "--find", "--show", str(image))
    run("blockdev", "--setrw", device)
    return device


class LocalHost:
    """This machine plays all instances: a volume that several of them share is one device here."""

    def __init__(self) -> None:
        self._plugged: collections.Counter[str] = collections.Counter()

    def plug(self, volume_id: str, image: pathlib.Path) -> None:
        if not self._plugged[volume_id]:
            device = loop_device(image)
            BY_ID.mkdir(parents=True, exist_ok=True)
            link = BY_ID / link_name(volume_id)
            link.unlink(missing_ok=True)
            link.symlink_to(device)
        self._plugged[volume_id] += 1

    def unplug(self, volume_id: str, image: pathlib.Path) -> None:
        if not self._plugged[volume_id]:
            return
        self._plugged[volume_id] -= 1
        if self._plugged[volume_id] == 0:
            (BY_ID / link_name(volume_id)).unlink(missing_ok=True)
            for device in loop_devices_of(image):
                run("losetup", "--detach", device)

    def busy(self, volume_id: str) -> bool:
        link = BY_ID / link_name(volume_id)
        return link.exists() and bool(_mount_points(str(link)))


def loop_devices_of(image: pathlib.Path) -> list[str]:
    """The loop devices behind which this file lies."""
    return run("losetup", "--noheadings", "--output", "NAME", "--associated", str(image)).split()


def mounts_of(device: str) -> Iterator[tuple[int, str]]:
    """(process id, mount point) of the device's mounts, one for each process that sees it, in all mount namespaces."""
    numbers = os.stat(device).st_rdev
    wanted = f"{os.major(numbers)}:{os.minor(numbers)}"
    for table in pathlib.Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            lines = table.read_text().splitlines()
        except OSError:  # the process has ended
            continue
        for line in lines:
            fields = line.split()
            if fields[2] == wanted:
                yield int(table.parent.name), fields[4]


def release(folder: pathlib.Path) -> list[str]:
    """Unmount and detach every loop device of this machine whose backing file lies in `folder`; returns the devices."""
    released = []
    for line in run("losetup", "--noheadings", "--list", "--output", "NAME,BACK-FILE").splitlines():
        device, _, backing = line.strip().partition(" ")
        image = pathlib.Path(backing.strip().removesuffix(" (deleted)"))
        if not image.is_relative_to(folder.resolve()):
            continue
        for point in _mount_points(device):
            subprocess.run(["umount", "--lazy", point], check=False)
        (BY_ID / link_name(image.stem)).unlink(missing_ok=True)
        run("losetup", "--detach", device)
        released.append(device)
    return released


def _mount_points(device: str) -> list[str]:
    """Where this process sees the device mounted. Other mount namespaces may keep a copy of a mount long after it has ended."""
    return [point for process, point in mounts_of(device) if process == os.getpid()]
