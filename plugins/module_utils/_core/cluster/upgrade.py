# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""New software for a cluster that runs: a second software volume beside the first, then the first taken away.

ParallelCluster changes neither the snapshot nor the size of a storage entry that exists (update policy UNSUPPORTED), so new software
has a name and a mount path of its own. It never changes a head node's OnNodeConfigured either, but its OnNodeUpdated.
Source: aws-parallelcluster 3.16.1, schemas.cluster_schema and config.update_policy.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from .. import tags
from ..errors import ExplainedError, ManyProblems
from ..software.fingerprint import short_fingerprint
from .hooks import SOFTWARE
from .storage import SoftwareVolume, shared_storage_problems, software_volume_problems

NAME = "software"
# ParallelCluster's own names: what becomes of jobs when their nodes get a new configuration.
STRATEGIES = ("DRAIN", "TERMINATE", "COMPUTE_FLEET_STOP")
VERSIONED_ROOT = "/sw"
# ParallelCluster takes 25 characters, and "-sw-012345" is added to a pool's name.
POOL_NAME = 15


def versioned_path(seed_name: str, fingerprint: str) -> str:
    """Return the mount path of one version of a seed's software: "/sw/genomics-01234567"."""
    slug = re.sub(r"[^a-z0-9]+", "-", seed_name.lower()).strip("-")
    return f"{VERSIONED_ROOT}/{slug}-{fingerprint.removeprefix('sha256:')[:8]}"


def add_software(config: dict[str, Any], volume: SoftwareVolume, fingerprint: str, strategy: str = "DRAIN") -> dict[str, Any]:
    """Return a cluster's configuration with a second software volume, which new shells then use.

    config: what the cluster runs with. fingerprint: of the new software.
    strategy: one of STRATEGIES; with COMPUTE_FLEET_STOP the compute fleet has to be stopped first.
    The nodes of queues come up with the new software when they are replaced, as the strategy says; the head node at once; login nodes
    in new pools, because ParallelCluster never changes what a pool runs.
    Raises ManyProblems when the configuration cannot take it.
    """
    check_strategy(strategy)
    changed = copy.deepcopy(config)
    entries = changed.setdefault("SharedStorage", [])
    short = short_fingerprint(fingerprint)
    name = f"{NAME}-{short}"
    if any(entry.get("Name") == name or entry.get("MountDir") == volume.mount_path for entry in entries):
        raise ExplainedError(
            f"The cluster has {name} or a volume at {volume.mount_path} already.",
            resource=name,
            next_step="There is nothing to upgrade; petal.hpc.cluster_status says what it runs with.",
        )
    settings: dict[str, Any] = {"VolumeId": volume.volume_id} if volume.volume_id else _from_snapshot(volume)
    entries.append({"Name": name, "MountDir": volume.mount_path, "StorageType": "Ebs", "EbsSettings": settings})
    problems = software_volume_problems(volume) + shared_storage_problems("", entries) + _hook_problems(config)
    if problems:
        raise ManyProblems("The cluster cannot be given new software:", list(dict.fromkeys(problems)), resource=name)
    _use(changed, volume.mount_path, short)
    _tag(changed, volume, fingerprint)
    _set_strategy(changed, strategy)
    return changed


def remove_software(config: dict[str, Any], mount_path: str, strategy: str = "DRAIN") -> dict[str, Any]:
    """Return a cluster's configuration without the software volume at a mount path.

    Raises ExplainedError for a path that holds no software of ours, and for the one that new shells use.
    """
    check_strategy(strategy)
    changed = copy.deepcopy(config)
    entries = changed.get("SharedStorage") or []
    mine = [entry for entry in entries if entry.get("MountDir") == mount_path and str(entry.get("Name", "")).startswith(NAME)]
    if not mine:
        others = [entry["MountDir"] for entry in software_entries(config)]
        raise ExplainedError(
            f"The cluster has no software volume at {mount_path}.", resource=mount_path, next_step=f"It has {', '.join(others) or 'none'}."
        )
    if mount_path == current_path(config):
        raise ExplainedError(
            f"The software at {mount_path} is what new shells use.",
            resource=mount_path,
            next_step="Upgrade to other software first; then this volume can go.",
        )
    changed["SharedStorage"] = [entry for entry in entries if entry not in mine]
    _set_strategy(changed, strategy)
    return changed


def software_entries(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the storage entries that hold software of ours, in the order they were added."""
    return [entry for entry in config.get("SharedStorage") or [] if str(entry.get("Name", "")).startswith(NAME)]


def current_path(config: dict[str, Any]) -> str | None:
    """Return the mount path that new shells on compute nodes use: the argument of the queues' script."""
    paths = [step["Args"][0] for queue in config["Scheduling"]["SlurmQueues"] for step in _software_steps(queue) if step.get("Args")]
    entries = software_entries(config)
    return paths[0] if paths else entries[-1]["MountDir"] if entries else None


def check_strategy(strategy: str) -> None:
    if strategy not in STRATEGIES:
        raise ExplainedError(f"Update strategy {strategy!r} is unknown.", next_step=f"Choose from {', '.join(STRATEGIES)}.")


def _from_snapshot(volume: SoftwareVolume) -> dict[str, Any]:
    settings = {
        "SnapshotId": volume.snapshot_id,
        "Size": volume.requested_size_gib,
        "VolumeType": volume.volume_type,
        "Iops": volume.iops,
        "Throughput": volume.throughput,
        "Encrypted": volume.encrypted,
        "KmsKeyId": volume.kms_key_id,
        "DeletionPolicy": volume.deletion_policy,
    }
    return {key: value for key, value in settings.items() if value or isinstance(value, bool)}


def _hook_problems(config: dict[str, Any]) -> list[str]:
    """New software is of no use where no script makes nodes look for it."""
    without = [queue["Name"] for queue in config["Scheduling"]["SlurmQueues"] if not _software_steps(queue)]
    if not without:
        return []
    return [
        f"Queues {', '.join(without)} do not run {SOFTWARE}, which makes nodes use the software. Create a cluster with "
        "cluster_config_hooks, or add the script to the configuration first."
    ]


def _use(config: dict[str, Any], mount_path: str, short: str) -> None:
    """Let every kind of node look for modules under the path."""
    pools = (config.get("LoginNodes") or {}).get("Pools") or []
    for node in [*config["Scheduling"]["SlurmQueues"], *pools]:
        for step in _software_steps(node):
            step["Args"] = [mount_path]
    for pool in pools:
        # What a pool runs never changes; a pool of another name is a new one.
        pool["Name"] = f"{pool['Name'].partition('-sw-')[0][:POOL_NAME]}-sw-{short[:6]}"
    script = _software_steps(config["Scheduling"]["SlurmQueues"][0])[0]["Script"]
    actions = config["HeadNode"].setdefault("CustomActions", {})
    others = [step for step in _steps(actions.get("OnNodeUpdated")) if not _is_software(step)]
    actions["OnNodeUpdated"] = {"Sequence": [*others, {"Script": script, "Args": [mount_path]}]}


def _tag(config: dict[str, Any], volume: SoftwareVolume, fingerprint: str) -> None:
    """Let the cluster's tags say what software it has: its state is read from them."""
    now = {tags.key(tags.FINGERPRINT): fingerprint, tags.key(tags.SNAPSHOT_ID): volume.snapshot_id}
    others = [tag for tag in config.get("Tags") or [] if tag.get("Key") not in now]
    config["Tags"] = others + [{"Key": key, "Value": value} for key, value in now.items() if value]


def _set_strategy(config: dict[str, Any], strategy: str) -> None:
    config["Scheduling"].setdefault("SlurmSettings", {})["QueueUpdateStrategy"] = strategy


def _software_steps(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in _steps((node.get("CustomActions") or {}).get("OnNodeConfigured")) if _is_software(step)]


def _steps(action: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the scripts of one custom action, which ParallelCluster lets be one or a sequence."""
    if not action:
        return []
    return action.get("Sequence") or [action]


def _is_software(step: dict[str, Any]) -> bool:
    return str(step.get("Script", "")).rpartition("/")[2] == SOFTWARE
