# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A build in progress: how its resources are marked and found, and who holds it.

Everything lies in tags, so that any controller can find a build that another one left behind.
"""

from __future__ import annotations

import dataclasses

from . import instance_prices, prices, tags
from .build_parent import lineage_tags, parent_tags
from .errors import ExplainedError
from .instance_types import find_instance_type
from .registry_place import parse_place

# What a build host needs to go on with no controller: collections, the folders of each, and the roles whose variables go with it.
BUNDLED_COLLECTIONS = ("petal.hpc", "amazon.aws", "ansible.posix")
BUNDLED_FOLDERS = ("plugins", "roles", "playbooks", "templates", "schemas", "meta", "galaxy.yml", "MANIFEST.json", "requirements.txt")
BUNDLED_ROLES = ("shared_volume", "spack_bootstrap", "shared_snapshot", "publish_gate")
# The playbook's own variables that the host's run needs too; the others are about this run, or come with the bundle.
DETACHED_VARIABLES = (
    "encrypted",
    "from_scratch",
    "keep_host",
    "kms_key_id",
    "mount_path",
    "os",
    "public",
    "recipes_version",
    "region",
    "registry",
    "right_size",
    "search_volume",
    "share_with",
    "spack_version",
    "trusted_accounts",
    "volume_size_gib",
)
# Variables that name files of the controller: each is a list of dictionaries with such a key.
FILES_IN_VARIABLES = {"spack_bootstrap_extra_repos": "path", "spack_bootstrap_trusted_keys": "file"}


def bundle_files(variables: dict, dest: str) -> tuple[dict, dict[str, str]]:
    """Return the variables of a run for a host that has no files of the controller, and the files to send.

    dest: the folder on the host. The files are a dict of the path here to the path in that folder.
    A registry in a folder of the controller stays behind: the next run of the playbook there enters the snapshot.
    """
    kept = {name: value for name, value in variables.items() if name != "registry" or reachable_from_anywhere(value)}
    sources: dict[str, str] = {}
    for name, key in FILES_IN_VARIABLES.items():
        here = {number: entry[key] for number, entry in enumerate(kept.get(name, [])) if key in entry}
        sources |= {path: f"files/{name}-{number}/{path.rstrip('/').rpartition('/')[2]}" for number, path in here.items()}
        if here:
            kept[name] = [{**entry, **({key: f"{dest}/{sources[entry[key]]}"} if key in entry else {})} for entry in kept[name]]
    return kept, sources


def reachable_from_anywhere(registry: str) -> bool:
    """Say whether a registry is an address rather than a folder of one machine."""
    return bool(registry) and parse_place(registry).kind != "path"


def build_tags(
    build_id: str,
    variant: dict | None = None,
    stage: str | None = None,
    lock: str | None = None,
    package_count: int | None = None,
    seed: str | None = None,
    parent: dict | None = None,
    seconds: float | None = None,
    proof: str | None = None,
    hashes: dict | None = None,
    copy_of: str | None = None,
) -> dict[str, str]:
    """Return the tags of a resource that belongs to a build.

    variant: what the filter seed_variants returns; its platform and fingerprint become tags.
    stage: the last stage that the build has finished.
    lock, package_count: what was built. seed: the name of the seed. parent: one of what rank_parents returns. seconds: how long it took.
    proof: "passed" once every package was loaded and run in a clean room.
    hashes: {"manifest", "spack_lock", "sbom"} of what is on the volume. copy_of: the build's volume, for a copy of it.
    """
    hashes = hashes or {}
    variant = variant or {}
    values = {
        tags.BUILD_ID: build_id,
        tags.FINGERPRINT: variant.get("fingerprint"),
        tags.OS: variant.get("os"),
        tags.ARCH: variant.get("arch"),
        tags.TARGET: variant.get("target"),
        tags.SPACK: variant.get("spack_version"),
        tags.EXTERNALS: " ".join(f"{name}@{version}" for name, version in sorted(variant.get("externals", {}).items())),
        tags.IMAGE: variant.get("image_id"),
        tags.STAGE: stage,
        tags.LOCK: lock,
        tags.PACKAGE_COUNT: package_count,
        tags.SEED: seed,
        tags.BUILD_SECONDS: seconds,
        tags.PROOF: proof,
        tags.SPACK_LOCK: hashes.get("spack_lock"),
        tags.MANIFEST: hashes.get("manifest"),
        tags.SBOM: hashes.get("sbom"),
        tags.COPY_OF: copy_of,
        **lineage_tags(variant),
        **parent_tags(parent or {}),
    }
    return tags.managed(extra={tags.key(name): str(value) for name, value in values.items() if value not in (None, "")})


def build_filters(build_id: str | list[str]) -> dict[str, str | list[str]]:
    """Return the EC2 filters that find the resources of a build, or of several, and only ours. "*" finds all builds."""
    return {f"tag:{tags.key(tags.BUILD_ID)}": build_id, f"tag:{tags.CREATED_BY}": tags.CREATOR}


@dataclasses.dataclass(frozen=True)
class Lease:
    """Who works on a build, and until when nobody else may.

    holder: "host/process", the controller's host name and the process id of its run.
    expires: seconds since the epoch.
    """

    holder: str
    expires: int

    def to_tag(self) -> str:
        return f"{self.holder} {self.expires}"

    @property
    def host(self) -> str:
        return self.holder.rpartition("/")[0]

    @property
    def process(self) -> int:
        return int(self.holder.rpartition("/")[2])


def parse_lease(value: str | None) -> Lease | None:
    """Read a lease from its tag; None for no lease or one that nobody can read."""
    holder, _space, expires = (value or "").rpartition(" ")
    if not expires.isdigit() or not holder.rpartition("/")[2].isdigit():
        return None
    return Lease(holder, int(expires))


def may_take(found: Lease | None, wanted: Lease, now: int, holder_is_dead: bool) -> bool:
    """Decide whether a lease can be taken: it is free, ours, over, or its holder is known to be dead."""
    return found is None or found.holder == wanted.holder or found.expires <= now or holder_is_dead


def has_been_written(shown: Lease | None, wanted: Lease, before: Lease | None, now: int) -> bool:
    """Say whether what AWS shows of a lease was written with, or after, the one that is wanted; else it is what was there earlier.

    before: the lease that was there. The moment at which a lease ends tells one writing of it from the next of the same holder.
    """
    if shown is None or shown == before:
        return shown == wanted
    return shown == wanted or (shown.holder != wanted.holder and shown.expires > now)


def unseen_lease(build_id: str, volume_id: str, seconds: int) -> ExplainedError:
    return ExplainedError(
        f"AWS does not show the lease of build {build_id} {seconds} seconds after it was written to {volume_id}, so nobody knows who "
        "holds it.",
        resource=volume_id,
        next_step="Run this again; see health.aws.amazon.com if it lasts.",
    )


def refuse_lease(build_id: str, found: Lease, now: int) -> ExplainedError:
    minutes = max(1, (found.expires - now) // 60)
    return ExplainedError(
        f"Build {build_id} is being run by {found.holder}; its lease lasts {minutes} more minutes.",
        resource=build_id,
        next_step="Wait for it (set wait_for_build: true), watch it with the playbook build_status, "
        "or, if that run is known to be dead, set take_over: true.",
        holder=found.holder,
        expires=found.expires,
    )


def build_states(build_ids: list[str] | None, volumes: list[dict], hosts: list[dict], snapshots: list[dict], *, now: int) -> list[dict]:
    """Sum up how far builds are from what their resources say, the oldest first.

    build_ids: of the builds to list; None: of all that have left something.
    volumes, hosts, snapshots: as BuildGateway.find_builds returns them. now: seconds since the epoch.
    Returns dictionaries as the module build_info documents them.
    """
    groups: dict[str, tuple[list, list, list]] = {build_id: ([], [], []) for build_id in build_ids or []}
    for kind, resources in enumerate((volumes, hosts, snapshots)):
        for resource in resources:
            build_id = tags.read(resource["tags"], tags.BUILD_ID)
            groups.setdefault(build_id, ([], [], []))[kind].append(resource)
    states = [build_state(build_id, *resources, now=now) for build_id, resources in groups.items()]
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
