# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users and groups of a cluster, and their ids.

Files on a shared disk carry numbers, not names. So each id is written in the seed or follows from it, is the same on every node, and
belongs to one user or group only: an id that a node chose by itself might be somebody else's on the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..facts.operating_system import OPERATING_SYSTEMS
from ..positioned_yaml import Path

# Who owns the software on every volume. It has to be known when a seed is read: root's shells source files of this owner.
SOFTWARE_OWNER, SOFTWARE_OWNER_ID = "spack", 5150

# Linux keeps these ids for people (UID_MIN and UID_MAX of login.defs). The first one is the image's own login user.
LOGIN_ID, LAST_ID = 1000, 60000
# Where a proposed group id begins to be looked for; any free one would do.
PROPOSED_ID = 6001
RESERVED_IDS = {
    SOFTWARE_OWNER_ID: "the owner of the software on the volume",
    # Source: systemd's "Users, Groups, UIDs and GIDs on systemd Systems". 65535 is -1 in 16 bits.
    65534: "nobody",
    65535: "an id that the kernel does not give to anyone",
}

LOGIN_USERS = {system.login_user for system in OPERATING_SYSTEMS.values()}
# What the images have or ParallelCluster makes. Several of the groups make their members root, or let them read the disks.
# Sources: base-passwd (Ubuntu), setup (Red Hat, Amazon Linux), systemd's basic.conf, aws-parallelcluster-cookbook, cloud-init.
SYSTEM_USERS = LOGIN_USERS | {
    SOFTWARE_OWNER,
    *("_apt", "adm", "backup", "bin", "chrony", "_chrony", "daemon", "dbus", "ftp", "games", "halt", "irc", "landscape", "list", "lp"),
    *("mail", "man", "messagebus", "news", "nobody"),
    *("operator", "polkitd", "proxy", "root", "rpc", "rpcuser", "shutdown", "sshd", "sssd", "sync", "sys", "syslog", "tcpdump", "tss"),
    *("uucp", "uuidd", "www-data"),
    *("centos", "cwagent", "debian", "ec2-instance-connect", "fedora", "nfsnobody", "ssm-user"),
    *("dcv", "dcvextauth", "munge", "pcluster-admin", "slurm", "slurmdbd", "slurmrestd"),
}
SYSTEM_GROUPS = {
    *("admin", "audio", "cdrom", "crontab", "dialout", "dip", "disk", "docker", "fax", "floppy", "gnats", "input", "kmem", "kvm"),
    *("libvirt", "lock", "lxc", "lxd", "mem", "netdev"),
    *("nogroup", "plugdev", "podman", "render", "sasl", "sgx", "shadow", "src", "ssh", "_ssh", "ssh_keys", "staff", "sudo", "tape"),
    *("tty", "users", "utempter", "utmp", "video", "voice", "wheel"),
}

# Mappings of a seed, each with its path.
Found = list[tuple[Path, dict[str, Any]]]


def people_problems(users: Found, groups: Found) -> Iterator[tuple[Path, str]]:
    """Yield (path, sentence) for users and groups that no cluster may have; values of a wrong type are the schema's affair.

    users, groups: the mappings of a seed's lists, each with its path.
    """
    for path, item in [*users, *groups]:
        if isinstance(item.get("name"), str) and _is_of_the_image(item["name"]):
            kind = "group" if item["name"] in SYSTEM_GROUPS else "user"
            yield (*path, "name"), f"{item['name']} is a {kind} that the nodes' image brings along; choose another name"
        for key in ("uid", "gid"):
            if _integer(item.get(key)) in RESERVED_IDS:
                yield (*path, key), f"{item[key]} is {RESERVED_IDS[item[key]]}; choose another, from {LOGIN_ID + 1} to {LAST_ID}"
    yield from _shared_ids(users, groups)
    yield from _memberships(users, groups)


def people_warnings(users: Found, groups: Found) -> Iterator[tuple[Path, str]]:
    """Yield (path, sentence) for what looks wrong in users and groups without problems."""
    for path, item in [*users, *groups]:
        for key in ("uid", "gid"):
            if item.get(key, 0) > LAST_ID:
                yield (*path, key), f"{item[key]} is outside {LOGIN_ID} to {LAST_ID}, the range that Linux keeps for people"


def _is_of_the_image(name: str) -> bool:
    return name in SYSTEM_USERS | SYSTEM_GROUPS or name.startswith("systemd-")


def own_gid(user: dict[str, Any]) -> Any:
    """Return the id of a user's first group."""
    return user.get("gid", user.get("uid"))


def _shared_ids(users: Found, groups: Found) -> Iterator[tuple[Path, str]]:
    """A gid that equals the uid is the user's own group: no other user has it, and no group of another name."""
    own = {user["uid"]: user for _path, user in users if _integer(user.get("uid")) is not None and user["uid"] == own_gid(user)}
    for path, user in users:
        owner = own.get(_integer(user.get("gid")))
        if owner and owner["uid"] != user.get("uid"):
            whose = f"{user['gid']} is the own group of {owner.get('name')}, whose files {user.get('name')} could change"
            yield (*path, "gid"), f"{whose}; a group that both are to share needs another gid, such as {_free_gid(users, groups)}"
    gids = {user["name"]: own_gid(user) for _path, user in users if isinstance(user.get("name"), str)}
    for path, group in groups:
        name, gid = group.get("name"), _integer(group.get("gid"))
        if gid in own and own[gid].get("name") != name:
            whose = f"{gid} is the own group of {own[gid].get('name')}, whose files all of {name} could change"
            yield (*path, "gid"), f"{whose}; choose another gid, such as {_free_gid(users, groups)}"
        if isinstance(name, str) and gid is not None and gids.get(name, gid) != gid:
            yield (*path, "name"), f"the user {name} has the gid {gids[name]}, not {gid}; choose another name, or that gid"


def _memberships(users: Found, groups: Found) -> Iterator[tuple[Path, str]]:
    """A group without a gid would get the next free one, which differs between nodes and may be a user's own."""
    declared = {group["name"] for _path, group in groups if isinstance(group.get("name"), str)}
    proposed = {user["name"]: own_gid(user) for _path, user in users if isinstance(user.get("name"), str)}
    for path, user in users:
        named = user.get("groups")
        for index, name in enumerate(named if isinstance(named, list) else []):
            place = (*path, "groups", index)
            if not isinstance(name, str) or name in declared:
                continue
            if _is_of_the_image(name):
                yield place, f"{name} is a group that the nodes' image brings along, and a seed gives nobody its rights; leave it out"
                continue
            gid = proposed.setdefault(name, _free_gid(users, groups, list(proposed.values())))
            yield place, f"there is no group {name}; add it, with an id of its own, to the seed's groups: - {{name: {name}, gid: {gid}}}"


def _free_gid(users: Found, groups: Found, taken: list[Any] | None = None) -> int:
    used = [*(item.get(key) for _path, item in [*users, *groups] for key in ("uid", "gid")), *(taken or [])]
    return next(number for number in range(PROPOSED_ID, LAST_ID) if number not in used)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
