# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far builds have come, told from the tags and states of what they have left."""

from __future__ import annotations

from .. import tags
from ..facts import instance_prices, prices
from ..facts.instance_types import find_instance_type
from .lease import parse_lease

# How the build id of a search begins: tasks/prepare_search.yml.
SEARCH = "search-"


def build_states(build_ids: list[str] | None, volumes: list[dict], hosts: list[dict], snapshots: list[dict], *, now: int) -> list[dict]:
    """Sum up how far builds are from what their resources say, the oldest first.

    build_ids: of the builds to list; None: of all that have left something. A search of a registered volume is none, though its host and
    volume are marked like those of a build.
    volumes, hosts, snapshots: as BuildGateway.find_builds returns them. now: seconds since the epoch.
    Returns dictionaries as the module build_info documents them.
    """
    groups: dict[str, tuple[list, list, list]] = {build_id: ([], [], []) for build_id in build_ids or []}
    for kind, resources in enumerate((volumes, hosts, snapshots)):
        for resource in resources:
            build_id = tags.read(resource["tags"], tags.BUILD_ID)
            groups.setdefault(build_id, ([], [], []))[kind].append(resource)
    builds = {build_id: resources for build_id, resources in groups.items() if build_ids or not build_id.startswith(SEARCH)}
    states = [build_state(build_id, *resources, now=now) for build_id, resources in builds.items()]
    return sorted(states, key=lambda state: (-state["age_seconds"], state["build_id"]))


def build_state(build_id: str, volumes: list[dict], hosts: list[dict], snapshots: list[dict], *, now: int) -> dict:
    """Sum up how far one build is; stage is "none" when nothing is found, a field is "" where there is nothing to say."""
    # The root volume of the host carries the build id too, but no fingerprint. What is known of a build is
    # on its own volume: a copy comes last.
    volumes = [volume for volume in volumes if tags.read(volume["tags"], tags.FINGERPRINT)]
    volumes.sort(key=lambda volume: tags.read(volume["tags"], tags.COPY_OF) or "")
    hosts = sorted(hosts, key=lambda host: host["created"], reverse=True)
    done = [snapshot for snapshot in snapshots if snapshot["state"] == "completed"]
    pending = [snapshot for snapshot in snapshots if snapshot["state"] == "pending"]
    volume_tags = volumes[0]["tags"] if volumes else {}
    told = {**(snapshots[0]["tags"] if snapshots else {}), **volume_tags}
    lease = parse_lease(tags.read(volume_tags, tags.LEASE))
    running = lease is not None and lease.expires > now
    stage = "complete" if done else "snapshot" if pending else tags.read(volume_tags, tags.STAGE) or ("claimed" if volumes else "none")
    failure = "" if done or running else tags.read(volume_tags, tags.FAILURE) or ""
    cost = cost_so_far(volumes, hosts, now)
    progress = tags.read(volume_tags, tags.PROGRESS) or ""
    parts = [
        *([f"failed: {failure}"] if failure else []),
        *([progress] if progress and not done else []),
        *(f"{snapshot['id']} is complete" for snapshot in done),
        *(f"{snapshot['id']} is {snapshot['progress'] or '0%'} done" for snapshot in pending),
        *(f"{host['id']} is {host['state']}" for host in hosts),
        *(f"{volume['id']} is {volume['state']}" for volume in volumes),
        *([f"{lease.holder} works on it"] if running else []),
        *([f"{cost:.2f} USD so far"] if cost else []),
    ]
    return {
        "build_id": build_id,
        "name": told.get(tags.NAME, ""),
        "seed": tags.read(told, tags.SEED) or "",
        "stage": "failed" if failure else stage,
        "progress": progress,
        "failure": failure,
        "running": running,
        "holder": lease.holder if running else "",
        "age_seconds": now - min((resource["created"] for resource in volumes + hosts + snapshots), default=now),
        "volume_id": volumes[0]["id"] if volumes else "",
        "volume_ids": [volume["id"] for volume in volumes],
        "instance_id": hosts[0]["id"] if hosts else "",
        "instance_type": hosts[0]["type"] if hosts else "",
        "host_hours": round((now - hosts[0]["created"]) / 3600, 2) if hosts else 0.0,
        "cost_usd": cost,
        "snapshot_id": (done + pending)[0]["id"] if done or pending else "",
        "os": tags.read(told, tags.OS) or "",
        "architecture": tags.read(told, tags.ARCH) or "",
        "target": tags.read(told, tags.TARGET) or "",
        "summary": "; ".join(parts) or "there is nothing: neither a snapshot nor a build",
    }


def cost_so_far(volumes: list[dict], hosts: list[dict], now: int) -> float | None:
    """Return the USD that the hosts and volumes which are there now have cost, on demand and in us-east-1; None for an unknown type.

    volumes: all are gp3, as builds make them. What is gone is not counted: nobody knows for how long it was there.
    """
    rates = []
    for host in hosts:
        kind = find_instance_type(host["type"])
        rates.append((host, instance_prices.usd_per_hour(kind) if kind else None))
    per_gib_hour = prices.PRICES["gp3_gib_month"] / prices.HOURS_PER_MONTH
    rates += [(volume, volume["size_gib"] * per_gib_hour) for volume in volumes]
    if any(rate is None for _resource, rate in rates):
        return None
    return round(sum(rate * (now - resource["created"]) / 3600 for resource, rate in rates), 2)


def build_line(state: dict) -> str:
    """Return a build as a person reads it in a list."""
    return f"{state['build_id']}  {age_text(state['age_seconds']):>8}  {state['stage']:<10}  {state['name']}  {state['summary']}"


def age_text(seconds: int) -> str:
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes:02d}" if hours else f"{minutes} min"
