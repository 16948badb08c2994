"""Instances that are real hosts: systemd-nspawn machines with their own network, sshd and devices.

RunInstances boots one, StopInstances and StartInstances switch it off and on, TerminateInstances removes it, and a host
that powers itself off stops or terminates its instance, as InstanceInitiatedShutdownBehavior says.

Network: one namespace `petal-<lab>` with a bridge, and one namespace `petal-<lab>.<host>` for each host. Nothing of it is
visible in the machine's own network: who wants to reach a host runs a program inside `petal-<lab>`.
Files: `<state dir>/hosts/<instance id>/` holds the host's overlay over the image, its console and its folders.
"""

from __future__ import annotations

import base64
import functools
import itertools
import logging
import os
import random
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance

from . import image, metadata, places
from .devices import link_name, loop_device, mounts_of, run
from .world import GATEWAY, NETWORK

MOST_HOSTS = 1000  # in the life of one lab
USERS = ("root", "ec2-user", "ubuntu", "rocky")
SHUTDOWN_TIMEOUT = 15  # seconds; a host needs half a second, unless the machine is busy
logger = logging.getLogger(__name__)


def namespace(lab_name: str) -> str:
    """Return the network namespace of a lab. Those of its hosts are called the same, a dot, and more."""
    return f"petal-{lab_name}"


def ip(*arguments: str) -> str:
    """Run iproute2's ip."""
    return run("ip", *arguments)


def make_network(lab_name: str, state_dir: Path) -> None:
    """Make the lab's namespace and bridge. The bridge's alias names the state folder, so that a lost one can be traced."""
    lab = namespace(lab_name)
    ip("netns", "add", lab)
    ip("-n", lab, "link", "set", "lo", "up")
    ip("-n", lab, "link", "add", "hosts", "type", "bridge")
    ip("-n", lab, "link", "set", "hosts", "alias", str(state_dir))
    ip("-n", lab, "link", "set", "hosts", "up")
    ip("-n", lab, "address", "add", f"{metadata.ADDRESS}/32", "dev", "hosts")
    ip("-n", lab, "address", "add", f"{GATEWAY}/{NETWORK.prefixlen}", "dev", "hosts")
    # Forwarding to nowhere: a host that tries to reach the world hears "unreachable" at once and need not time out.
    run("nsenter", f"--net={places.network(lab)}", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


@dataclass(frozen=True)
class PluggedVolume:
    """A volume in a host: its name there, such as nvme1n1, and the loop device of the machine that it is."""

    volume_id: str
    name: str
    loop: str

    def tmpfiles(self) -> str:
        """Return the lines for systemd-tmpfiles that make the device and its by-id link: now, and at each boot."""
        device = os.stat(self.loop).st_rdev
        return (
            f"b+ /dev/{self.name} 0660 root disk - {os.major(device)}:{os.minor(device)}\n"
            f"L+ /dev/disk/by-id/{link_name(self.volume_id)} - - - - ../../{self.name}\n"
        )


class Host:
    """One systemd-nspawn machine. Exists from `create` to `remove`; runs from `boot` to `power_off`."""

    def __init__(self, instance: Instance, address: str, folder: Path, lab_name: str) -> None:
        self.instance, self.address = instance, address
        self._id, self._folder, self._lab = instance.id, folder, namespace(lab_name)
        self._namespace = f"{self._lab}.{self._id[-11:]}"
        self._root = folder / "root"
        self._volumes: dict[str, PluggedVolume] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def create(self, rootfs: Path, public_key: str, user_data: bytes) -> None:
        """Make the host's file system, network and identity."""
        for name in ("upper", "work", "root"):
            (self._folder / name).mkdir(parents=True)
        layers = f"lowerdir={rootfs},upperdir={self._folder}/upper,workdir={self._folder}/work"
        run("mount", "-t", "overlay", "petal-lab", "-o", layers, str(self._root))
        self._make_network()
        self._make_identity(public_key)
        self._write("var/lib/cloud/instance/user-data.txt", user_data)
        if user_data.startswith(b"#!"):
            self._write("var/lib/cloud/instance/scripts/part-001", user_data, mode=0o700)

    def boot(self, on_power_off: Callable[[], None]) -> None:
        """Start the machine and return at once. `on_power_off` is called when it goes off by its own doing."""
        binds = [f"--bind-ro={places.cache()}:/srv/petal"] if places.cache().is_dir() else []
        command = [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--directory={self._root}",
            f"--machine={self._id}",
            # This machine need not run systemd itself.
            "--register=no",
            "--keep-unit",
            f"--network-namespace-path=/run/netns/{self._namespace}",
            # nfs-ganesha opens files by handle; without these calls it answers NFS4ERR_PERM.
            "--system-call-filter=name_to_handle_at open_by_handle_at",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            *binds,
        ]
        with (self._folder / "console").open("ab") as console:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True)
        self._process = process
        threading.Thread(target=self._watch, args=(process, on_power_off), daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes], on_power_off: Callable[[], None]) -> None:
        process.wait()
        if self._process is process:
            self._process = None
            on_power_off()

    def begin_power_off(self) -> subprocess.Popen[bytes] | None:
        """Ask the machine to shut down; returns what to wait for."""
        process, self._process = self._process, None
        if process:
            process.terminate()
        return process

    def power_off(self) -> None:
        """Shut the machine down; its files stay."""
        _wait_for_end(self.begin_power_off())

    def remove(self) -> None:
        """Remove what `create` made, after `power_off`."""
        for volume in list(self._volumes.values()):
            run("losetup", "--detach", volume.loop)
        run("umount", str(self._root))
        ip("netns", "delete", self._namespace)
        shutil.rmtree(self._folder)

    def plug(self, volume_id: str, image_file: Path) -> None:
        """Make a volume's image file appear as a block device of the host, as /dev/nvme?n1 and below /dev/disk/by-id."""
        taken = {volume.name for volume in self._volumes.values()}
        name = next(name for n in itertools.count(1) if (name := f"nvme{n}n1") not in taken)
        loop = loop_device(image_file)
        self._volumes[volume_id] = PluggedVolume(volume_id, name, loop)
        self._write_device_list()
        if self._process:
            self._enter("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/lab-volumes.conf")

    def unplug(self, volume_id: str, image_file: Path) -> None:
        """Take the block device away; nothing happens when there is none."""
        volume = self._volumes.pop(volume_id, None)
        if volume is None:
            return
        self._write_device_list()
        if self._process:
            self._enter("rm", "-f", f"/dev/{volume.name}", f"/dev/disk/by-id/{link_name(volume_id)}")
        run("losetup", "--detach", volume.loop)

    def busy(self, volume_id: str) -> bool:
        """Whether a file system on the volume is mounted in the host."""
        volume = self._volumes.get(volume_id)
        return volume is not None and any(True for _ in mounts_of(volume.loop))

    def _write_device_list(self) -> None:
        self._write("etc/tmpfiles.d/lab-volumes.conf", "".join(volume.tmpfiles() for volume in self._volumes.values()))

    def _make_network(self) -> None:
        cable = f"v{self._id[-11:]}"
        ip("netns", "add", self._namespace)
        ip("-n", self._lab, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", self._namespace)
        ip("-n", self._lab, "link", "set", cable, "master", "hosts", "up")
        ip("-n", self._namespace, "link", "set", "lo", "up")
        ip("-n", self._namespace, "link", "set", "eth0", "up")
        ip("-n", self._namespace, "address", "add", f"{self.address}/{NETWORK.prefixlen}", "dev", "eth0")
        ip("-n", self._namespace, "route", "add", "default", "via", str(GATEWAY))

    def _make_identity(self, public_key: str) -> None:
        hostname = f"ip-{self.address.replace('.', '-')}"
        self._write("etc/hostname", f"{hostname}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost\n{self.address} {hostname}\n")
        self._write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        # As cloud-init does it: the image has none that another host shares.
        for key in (self._root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", hostname, "-f", str(self._root / "etc/ssh/ssh_host_ed25519_key"))
        for user in USERS:
            home = "root" if user == "root" else f"home/{user}"
            owner = (self._root / home).stat()
            keys = self._write(f"{home}/.ssh/authorized_keys", f"{public_key.strip()}\n", mode=0o600)
            for path in (keys, keys.parent):
                os.chown(path, owner.st_uid, owner.st_gid)

    def _write(self, path: str, content: str | bytes, mode: int = 0o644) -> Path:
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)
        return file

    def _enter(self, *command: str) -> None:
        """Run a command among the host's files and processes, but with this machine's rights."""
        run("nsenter", "--mount", "--pid", "--target", str(self._init_process()), *command)

    def _init_process(self) -> int:
        """Return the process id of the host's systemd; waits for it while the host starts."""
        for _ in range(200):
            for child in _children(self._process):
                if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return child
            time.sleep(0.05)
        raise TimeoutError(f"lab: host {self._id} did not start, see {self._folder}/console")


def _children(process: subprocess.Popen[bytes] | None) -> Iterator[int]:
    if process:
        yield from map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())


def _wait_for_end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    try:
        process.wait(SHUTDOWN_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Fleet:
    """The hosts of one lab, by instance id, kept in step with moto's instances."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir, self._lab_name = state_dir, state_dir.name
        self._hosts: dict[str, Host] = {}
        # At random: ansible shares ssh connections by address, so two labs must not use the same ones.
        self._addresses = (str(NETWORK[n]) for n in random.SystemRandom().sample(range(2, NETWORK.num_addresses - 1), MOST_HOSTS))

    def install(self) -> None:
        """Make the lab's network, and from now on a host for each instance of the moto in this process."""
        self._image = image.ensure()
        make_network(self._lab_name, self._state_dir)
        _wrap(Instance, "__init__", after=self._launch)
        _wrap(Instance, "start", after=self._boot)
        _wrap(Instance, "stop", before=self._power_off)
        _wrap(Instance, "reboot", before=self._power_off, after=self._boot)
        _wrap(Instance, "terminate", before=self._power_off, after=self._remove)

    def serve(self, api: Callable[..., Any]) -> list[Any]:
        """Let hosts reach the API at the gateway and the instance metadata service; returns the servers to shut down."""
        return metadata.serve(namespace(self._lab_name), str(GATEWAY), api, self._instance_at)

    def _instance_at(self, address: str) -> Instance | None:
        return next((host.instance for host in list(self._hosts.values()) if host.address == address), None)

    def host_for(self, instance_id: str) -> Host:
        """Return the host of an instance that is not terminated."""
        return self._hosts[instance_id]

    def stop(self) -> None:
        """Remove all hosts; the shutdowns run side by side."""
        hosts, self._hosts = self._hosts, {}
        for process in [host.begin_power_off() for host in hosts.values()]:
            _wait_for_end(process)
        for host in hosts.values():
            host.remove()

    def _launch(self, instance: Instance) -> None:
        host = Host(instance, next(self._addresses), self._state_dir / "hosts" / instance.id, self._lab_name)
        self._hosts[instance.id] = host
        interface = instance.nics[0]
        interface.private_ip_address = interface.public_ip = host.address
        interface.private_ip_addresses[0]["PrivateIpAddress"] = host.address
        try:
            host.create(self._image, self._public_key(instance), base64.b64decode(str(instance.user_data or "")))
            self._boot(instance)
        except (OSError, subprocess.CalledProcessError) as error:
            logger.exception("the host of %s", instance.id)
            del self._hosts[instance.id]
            raise EC2ClientError("InternalError", f"lab: the host did not start, see the server's log. {error}") from error

    def _public_key(self, instance: Instance) -> str:
        """Return the key of the instance's key pair, else the lab's own."""
        pair = instance.ec2_backend.key_pairs.get(instance.key_name)
        return pair.public_key if pair else (self._state_dir / "key.pub").read_text()

    def _boot(self, instance: Instance) -> None:
        self._hosts[instance.id].boot(on_power_off=functools.partial(self._went_off, instance))

    def _went_off(self, instance: Instance) -> None:
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            instance.stop()

    def _power_off(self, instance: Instance) -> None:
        if instance.id in self._hosts:
            self._hosts[instance.id].power_off()

    def _remove(self, instance: Instance) -> None:
        host = self._hosts.pop(instance.id, None)
        if host:
            host.remove()


def _wrap(
    cls: type, name: str, before: Callable[[Any], None] = lambda instance: None, after: Callable[[Any], None] = lambda instance: None
) -> None:
    """Let a method of moto call us first, last, or both."""
    original = getattr(cls, name)

    @functools.wraps(original)
    def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        before(self)
        result = original(self, *arguments, **named)
        after(self)
        return result

    setattr(cls, name, wrapped)
