# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A build in progress: how its resources are marked and found, and who holds it.

Everything lies in tags, so that any controller can find a build that another one left behind.
"""

from __future__ import annotations

import dataclasses

from . import tags
from .errors import ExplainedError


def build_tags(
    build_id: str,
    variant: dict | None = None,
    stage: str | None = None,
    lock: str | None = None,
    package_count: int | None = None,
    seed: str | None = None,
) -> dict[str, str]:
    """Return the tags of a resource that belongs to a build.

    variant: what the filter seed_variants returns; its platform and fingerprint become tags.
    stage: the last stage that the build has finished.
    lock, package_count: what was built. seed: the name of the seed.
    """
    variant = variant or {}
    values = {
        tags.BUILD_ID: build_id,
        tags.FINGERPRINT: variant.get("fingerprint"),
        tags.OS: variant.get("os"),
        tags.ARCH: variant.get("arch"),
        tags.TARGET: variant.get("target"),
        tags.SPACK: variant.get("spack_version"),
        tags.STAGE: stage,
        tags.LOCK: lock,
        tags.PACKAGE_COUNT: package_count,
        tags.SEED: seed,
    }
    return tags.managed(extra={tags.key(name): str(value) for name, value in values.items() if value not in (None, "")})


def build_filters(build_id: str) -> dict[str, str]:
    """Return the EC2 filters that find a build's resources, and only ours."""
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


def build_state(build_id: str, volumes: list[dict], hosts: list[dict], snapshots: list[dict]) -> dict:
    """Sum up how far a build is from what its tags say.

    volumes, snapshots: as ebs_volume_info and ebs_snapshot_info return them. hosts: as amazon.aws.ec2_instance_info does.
    Returns build_id, stage ("none" when nothing is found), summary, holder, volume_id, instance_id and snapshot_id; "" where there is none.
    """
    # The root volume of the host carries the build id too, but no fingerprint.
    volumes = [volume for volume in volumes if tags.read(volume["tags"], tags.FINGERPRINT)]
    done = [snapshot for snapshot in snapshots if snapshot["state"] == "completed"]
    pending = [snapshot for snapshot in snapshots if snapshot["state"] == "pending"]
    volume_tags = volumes[0]["tags"] if volumes else {}
    lease = parse_lease(tags.read(volume_tags, tags.LEASE))
    stage = "complete" if done else "snapshot" if pending else tags.read(volume_tags, tags.STAGE) or ("claimed" if volumes else "none")
    parts = [
        *(f"{snapshot['snapshot_id']} is complete" for snapshot in done),
        *(f"{snapshot['snapshot_id']} is {snapshot['progress'] or '0%'} done" for snapshot in pending),
        *(f"{host['instance_id']} is {host['state']['name']}" for host in hosts),
        *(f"{volume['volume_id']} is {volume['state']}" for volume in volumes),
        *([f"{lease.holder} works on it"] if lease else []),
    ]
    return {
        "build_id": build_id,
        "stage": stage,
        "summary": "; ".join(parts) or "there is nothing: neither a snapshot nor a build",
        "holder": lease.holder if lease else "",
        "volume_id": volumes[0]["volume_id"] if volumes else "",
        "instance_id": hosts[0]["instance_id"] if hosts else "",
        "snapshot_id": (done + pending)[0]["snapshot_id"] if done or pending else "",
    }
