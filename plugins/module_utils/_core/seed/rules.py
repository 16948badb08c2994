# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules of a seed that a JSON Schema cannot say: what compares two values, or needs knowledge of EC2, Linux or Spack.

The rules run on seeds that may break the schema too, so that a user sees all problems at once: each looks only at values of the type it
expects and leaves the rest to the schema. A rule refuses only what no cluster could be made of; what merely looks wrong is a warning.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import ExplainedError
from ..facts.buckets import is_bucket_name
from ..facts.instance_types import find_instance_type, nearest_instance_types
from ..facts.mount_points import RESERVED_MOUNT_DIRS, SYSTEM_TREES, canonical_mount_point
from ..facts.operating_system import find_os
from ..positioned_yaml import Path
from ..software.spec import canonical_spec, spec_name
from ..software.version import check_spack
from .people import people_problems, people_warnings

Problem = tuple[Path, str]

# Source: aws-parallelcluster 3.16.1, InstancesAllocationStrategyValidator.
ALLOCATION_STRATEGIES = {
    "ONDEMAND": ("lowest-price", "prioritized"),
    "SPOT": ("lowest-price", "capacity-optimized", "price-capacity-optimized", "capacity-optimized-prioritized"),
    "CAPACITY_BLOCK": (),
}

# /home would hide everyone's files.
SYSTEM_DIRECTORIES = {"/", "/home", *RESERVED_MOUNT_DIRS}


def problems_of(data: Any) -> Iterator[Problem]:
    """Yield (path, sentence) for everything that makes a seed unusable, beyond what the schema says."""
    for rule in (_check_single_lines, _check_os, _check_instance_types, _check_queues, _check_software, _check_people, _check_mounts):
        yield from rule(data)


def warnings_of(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield (path, sentence) for what looks wrong in a seed that is otherwise valid."""
    for path, name in instance_types_of(data):
        known = find_instance_type(name)
        if known and known.retired:
            nearest = " or ".join(nearest_instance_types(name))
            yield path, f"EC2 no longer lists {name}, so a cluster with it will probably be refused; consider {nearest}"
    for path, queue in _mappings(data, "compute", "queues"):
        for index, name in _repeated(_texts(queue, "instance_types")):
            yield (*path, "instance_types", index), f"{name} is listed twice; once is enough"
    yield from people_warnings(list(_mappings(data, "users")), list(_mappings(data, "groups")))


def canonical_capacity_type(written: str) -> str | None:
    """Return ONDEMAND, SPOT or CAPACITY_BLOCK for any spelling of it (on-demand, Spot), else None."""
    letters = re.sub(r"[\s_-]", "", written).upper()
    return next((name for name in ALLOCATION_STRATEGIES if name.replace("_", "") == letters), None)


def at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _mappings(data: Any, *keys: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the mappings of the list under `keys`, each with its path."""
    items = at(data, *keys)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield (*keys, index), item


def _texts(data: Any, *keys: str) -> list[tuple[int, str]]:
    """Return the texts of the list under `keys`, each with its index."""
    items = at(data, *keys)
    return [(index, item) for index, item in enumerate(items if isinstance(items, list) else []) if isinstance(item, str)]


def _repeated(items: list[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield those (place, value) whose value stood at an earlier place already."""
    seen = set()
    for place, value in items:
        if value in seen:
            yield place, value
        seen.add(value)


def _explained(path: Path, check: Callable[[str], object], value: str) -> Iterator[Problem]:
    try:
        check(value)
    except ExplainedError as error:
        yield path, str(error)


def _check_single_lines(data: Any, path: Path = ()) -> Iterator[Problem]:
    """Only a smoke command may have several lines: everything else ends up in a line of a configuration or a script."""
    if isinstance(data, str) and not data.isprintable():
        yield path, f"{data!r} holds a line break or another control character"
    elif isinstance(data, (dict, list)) and path != ("software", "smoke"):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _check_single_lines(item, (*path, key))


def _check_os(data: Any) -> Iterator[Problem]:
    written = at(data, "cluster", "os")
    if isinstance(written, str):
        yield from _explained(("cluster", "os"), find_os, written)


def instance_types_of(data: Any) -> Iterator[tuple[Path, str]]:
    """Yield every instance type that a seed names, with its path."""
    head_node = at(data, "compute", "head_node")
    path: Path = ("compute", "head_node")
    if isinstance(head_node, dict):
        head_node, path = head_node.get("instance_type"), (*path, "instance_type")
    single = [(path, head_node), (("compute", "login_nodes", "instance_type"), at(data, "compute", "login_nodes", "instance_type"))]
    yield from ((path, name) for path, name in single if isinstance(name, str))
    for queue_path, queue in _mappings(data, "compute", "queues"):
        yield from (((*queue_path, "instance_types", index), name) for index, name in _texts(queue, "instance_types"))


def _check_instance_types(data: Any) -> Iterator[Problem]:
    for path, name in instance_types_of(data):
        if name and not find_instance_type(name):
            nearest = nearest_instance_types(name)
            yield path, f"EC2 has no instance type {name!r}" + (f"; the nearest are {', '.join(nearest)}" if nearest else "")


def _check_queues(data: Any) -> Iterator[Problem]:
    queues = list(_mappings(data, "compute", "queues"))
    names = [((*path, "name"), queue["name"]) for path, queue in queues if isinstance(queue.get("name"), str)]
    yield from ((path, f"another queue is called {name!r} too") for path, name in _repeated(names))
    for path, queue in queues:
        least, most = queue.get("min_count", 0), queue.get("max_count")
        if isinstance(least, int) and isinstance(most, int) and least > most:
            yield (*path, "min_count"), f"{least} is more than max_count, {most}"
        yield from _check_capacity(path, queue)
        if queue.get("efa") is True:
            yield from _check_each_type(path, queue, lambda kind: kind.efa, "has no Elastic Fabric Adapter; leave efa out or the type")


def _check_capacity(path: Path, queue: dict[str, Any]) -> Iterator[Problem]:
    written = queue.get("capacity_type", "ONDEMAND")
    if not isinstance(written, str):
        return
    capacity_type = canonical_capacity_type(written)
    if capacity_type is None:
        yield (*path, "capacity_type"), f"{written!r} is not one of {', '.join(ALLOCATION_STRATEGIES)}"
        return
    strategy, allowed = queue.get("allocation_strategy"), ALLOCATION_STRATEGIES[capacity_type]
    if any(strategy in known for known in ALLOCATION_STRATEGIES.values()) and strategy not in allowed:
        choices = f"choose from {', '.join(allowed)}" if allowed else "leave it out"
        yield (*path, "allocation_strategy"), f"{strategy} does not go with capacity_type {capacity_type}; {choices}"
    sold = {"ONDEMAND": "on_demand", "SPOT": "spot", "CAPACITY_BLOCK": "capacity_block"}[capacity_type]
    yield from _check_each_type(path, queue, lambda kind: getattr(kind, sold), f"is not sold as {capacity_type}")


def _check_each_type(path: Path, queue: dict[str, Any], holds: Callable[[Any], bool], otherwise: str) -> Iterator[Problem]:
    for index, name in _texts(queue, "instance_types"):
        known = find_instance_type(name)
        if known and not holds(known):
            yield (*path, "instance_types", index), f"{name} {otherwise}"


def _check_software(data: Any) -> Iterator[Problem]:
    packages = set()
    for index, spec in _texts(data, "software", "spack_packages"):
        problems = list(_explained(("software", "spack_packages", index), canonical_spec, spec))
        yield from problems
        if not problems:
            packages.add(spec_name(spec))
    for key, check in (("compiler", canonical_spec), ("spack_version", check_spack)):
        value = at(data, "software", key)
        if isinstance(value, str):
            yield from _explained(("software", key), check, value)
    for keys in (("smoke",), ("modules", "defaults")):
        named = at(data, "software", *keys)
        for package in named if isinstance(named, dict) else ():
            if package not in packages:
                yield ("software", *keys, package), f"{package} is not among spack_packages"


def _check_people(data: Any) -> Iterator[Problem]:
    users, groups = list(_mappings(data, "users")), list(_mappings(data, "groups"))
    for kind, found, keys in (("user", users, ("name", "uid")), ("group", groups, ("name", "gid"))):
        for key in keys:
            values = [((*path, key), item[key]) for path, item in found if isinstance(item.get(key), (str, int))]
            yield from ((path, f"another {kind} has the {key} {value} too") for path, value in _repeated(values))
    yield from people_problems(users, groups)


def _check_mounts(data: Any) -> Iterator[Problem]:
    mounts = list(_mappings(data, "data", "s3_mounts"))
    for path, mount in mounts:
        if isinstance(mount.get("bucket"), str):
            yield from (((*path, "bucket"), sentence) for sentence in _bucket_problems(mount["bucket"]))
        if isinstance(mount.get("mount_point"), str):
            yield from (((*path, "mount_point"), sentence) for sentence in _mount_point_problems(mount["mount_point"]))
    places = [
        ((*path, "mount_point"), canonical_mount_point(mount["mount_point"]))
        for path, mount in mounts
        if isinstance(mount.get("mount_point"), str)
    ]
    yield from ((path, f"another bucket is mounted at {place} too") for path, place in _repeated(places))


def _bucket_problems(name: str) -> Iterator[str]:
    """Source: S3 user guide, general purpose bucket naming rules."""
    if name.startswith("s3://"):
        yield f"{name!r} is a URL; give the bucket's name alone, {name.removeprefix('s3://').partition('/')[0]!r}"
    elif not is_bucket_name(name):
        yield f"{name!r} is no bucket name: 3 to 63 lower-case letters, digits, dots and dashes, with a letter or digit at either end"
    elif is_address(name) or name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(("-s3alias", "--ol-s3", ".mrap")):
        yield f"{name!r} is no bucket name: S3 keeps IP addresses, such beginnings and such endings for itself"


def is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _mount_point_problems(written: str) -> Iterator[str]:
    if not re.fullmatch(r"/[A-Za-z0-9._/-]*", written) or ".." in written.split("/"):
        yield f"{written!r} must be an absolute path of letters, digits, dots, dashes and underscores, without .."
        return
    place = canonical_mount_point(written)
    if place in SYSTEM_DIRECTORIES or place.startswith(tuple(f"{tree}/" for tree in SYSTEM_TREES)):
        yield f"{place} belongs to the system; mount the bucket elsewhere, such as /data or under /shared"
