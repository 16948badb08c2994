# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a seed and a snapshot to everything the templates of templates/cluster need.

All decisions are taken here and in the cluster_*.py files beside it; the templates only lay them out.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .. import tags
from ..errors import ExplainedError
from ..facts.instance_types import InstanceType, find_instance_type
from ..facts.operating_system import find_os
from ..seed.variant import can_run
from ..software.fingerprint import short_fingerprint
from . import limits
from .hooks import hook_scripts, hooks_url_problems, own_scripts, s3_access, script_problems
from .queues import Group, plan_groups
from .storage import (
    HOME,
    BucketMount,
    SoftwareVolume,
    bucket_problems,
    new_lustre,
    place_buckets,
    shared_storage_problems,
    software_volume_problems,
)


@dataclasses.dataclass(frozen=True)
class ClusterOptions:
    """What the role is told beside the seed; each is the role variable of that name behind cluster_config_.

    "" and 0 mean: not given.
    """

    cluster_name: str = ""
    region: str = ""
    os: str = ""
    subnet_id: str = ""
    compute_subnet_ids: tuple[str, ...] = ()
    key_name: str = ""
    allowed_ips: str = ""
    elastic_ip: str = ""
    security_group_ids: tuple[str, ...] = ()
    custom_ami: str = ""
    head_node: str = ""
    head_node_root_volume_size_gib: int = 0
    unsupported_types: str = "refuse"
    efa: str = "auto"
    target: str = ""
    mount_path: str = "/shared"
    snapshot_id: str = ""
    snapshot_size_gib: int = 0
    volume_id: str = ""
    volume_size_gib: int = 0
    volume_type: str = "gp3"
    volume_iops: int = 0
    volume_throughput: int = 0
    volume_encrypted: bool = True
    volume_kms_key_id: str = ""
    deletion_policy: str = "Delete"
    shared_storage: tuple[dict, ...] = ()
    hooks: str = ""
    scripts: tuple[dict, ...] = ()
    capacity_reservations: dict = dataclasses.field(default_factory=dict)
    login_nodes: tuple[dict, ...] = ()
    iam_policies: tuple[str, ...] = ()
    slurm_settings: dict = dataclasses.field(default_factory=dict)
    monitoring: dict = dataclasses.field(default_factory=dict)
    fingerprint: str = ""
    seed_name: str = ""
    tags: dict = dataclasses.field(default_factory=dict)
    migration_phase: int = 1


@dataclasses.dataclass(frozen=True)
class ClusterPlan:
    """What to render.

    model: the variables of the templates, as plain values.
    problems: why ParallelCluster, or the nodes, would refuse it; empty when it can be rendered.
    notes: what a person should know although nothing is wrong.
    """

    model: dict[str, Any]
    problems: list[str]
    notes: list[str]


@dataclasses.dataclass(frozen=True)
class _Queue:
    """A queue of the seed with its instance types looked up."""

    name: str
    kinds: tuple[InstanceType, ...]
    min_count: int
    max_count: int
    capacity_type: str
    strategy: str
    efa: bool | None
    placement_group: bool | None
    disable_smt: bool
    custom_ami: str
    reservation: str

    @property
    def where(self) -> str:
        return f"Queue {self.name!r}"

    @property
    def can_be_planned(self) -> bool:
        """Whether its problems, if any, leave something to share out."""
        return bool(self.kinds) and not limits.count_problems(self.where, self.min_count, self.max_count)


def plan_cluster(seed: dict[str, Any], options: ClusterOptions) -> ClusterPlan:
    """Decide on a whole cluster.

    seed: what the lookup petal.hpc.seed returns.
    Never raises for a seed that ParallelCluster would refuse: every problem is in the plan, so that all are mended in one go.
    """
    options = _with_seed(seed, options)
    notes: list[str] = []
    problems: list[str] = []
    queues, type_problems = _read_queues(seed, options, notes)
    problems += type_problems
    volume = _software_volume(options)
    mount_path = options.mount_path if volume else ""
    exported = [HOME, *([mount_path] if mount_path else []), *(str(entry.get("MountDir", "")) for entry in options.shared_storage)]
    buckets = place_buckets(seed["data"]["s3_mounts"], exported)
    users, groups = seed["users"], seed.get("groups", [])

    problems += _cluster_problems(seed, options, volume)
    problems += limits.network_problems(options.elastic_ip, options.security_group_ids)
    problems += _head_node_problems(queues, options)
    problems += limits.queue_name_problems(queue["name"] for queue in seed["compute"]["queues"])
    for queue in queues:
        problems += _queue_problems(queue, options)
    problems += shared_storage_problems(mount_path, list(options.shared_storage))
    problems += bucket_problems(buckets, mount_path, exported)
    problems += _login_node_problems(options, buckets)
    problems += _zone_storage_problems(options) + _reservation_name_problems(queues, options)

    rendered = [_queue_model(queue, options, notes) for queue in queues if queue.can_be_planned]
    resources = sum(len(queue["resources"]) for queue in rendered)
    if resources > limits.COMPUTE_RESOURCES:
        problems.append(
            f"The queues need {resources} compute resources, one for each group of like instance types; ParallelCluster takes at most "
            f"{limits.COMPUTE_RESOURCES} in a cluster (MaxCountValidator). List fewer different sizes in the queues."
        )
    notes += _hook_notes(options, mount_path, users, buckets) + _bucket_notes(options, buckets) + _volume_notes(volume, queues, options)
    cluster_tags = _tags(options)
    problems += limits.tag_problems(cluster_tags)
    scripts = hook_scripts(options.hooks, mount_path, users, buckets, groups) + own_scripts(options.scripts)
    access = s3_access(buckets, [script["script"] for script in scripts])
    model = {
        "cluster_name": options.cluster_name,
        "region": options.region,
        "os": options.os,
        "custom_ami": options.custom_ami,
        "seed_name": options.seed_name,
        "fingerprint": options.fingerprint,
        "short_fingerprint": short_fingerprint(options.fingerprint),
        "notes": notes,
        "head_node": {
            "instance_type": options.head_node,
            "subnet_id": options.subnet_id,
            "key_name": options.key_name,
            "allowed_ips": options.allowed_ips,
            # ParallelCluster makes an address of its own for true.
            "elastic_ip": options.elastic_ip.lower() == "true" or options.elastic_ip,
            "root_volume_size_gib": options.head_node_root_volume_size_gib,
        },
        "queues": rendered,
        "security_group_ids": list(options.security_group_ids),
        "scripts": scripts,
        "s3_access": access,
        "iam_policies": list(options.iam_policies),
        "login_nodes": _login_nodes(options, mount_path, users, groups, buckets),
        "software": _software_model(volume),
        "shared_storage": list(options.shared_storage),
        "slurm_settings": options.slurm_settings,
        "monitoring": options.monitoring,
        "tags": cluster_tags,
    }
    return ClusterPlan(model, list(dict.fromkeys(problems)), notes)


def _with_seed(seed: dict, options: ClusterOptions) -> ClusterOptions:
    """Fill in from the seed what the options leave open: the options win."""
    cluster, compute = seed["cluster"], seed["compute"]
    login = compute["login_nodes"]
    return dataclasses.replace(
        options,
        cluster_name=options.cluster_name or cluster["name"],
        region=options.region or cluster["region"],
        os=_os_name(options.os or cluster["os"]),
        custom_ami=options.custom_ami or cluster["custom_ami"] or "",
        seed_name=options.seed_name or cluster["name"],
        head_node=options.head_node or compute["head_node"],
        head_node_root_volume_size_gib=options.head_node_root_volume_size_gib or compute["head_node_root_volume_gib"] or 0,
        login_nodes=options.login_nodes or (({"name": "login", **login},) if login else ()),
    )


def _os_name(written: str) -> str:
    """Return ParallelCluster's name of the operating system; an unknown one as it is written."""
    try:
        return find_os(written).name
    except ExplainedError:
        return written


def _software_volume(options: ClusterOptions) -> SoftwareVolume | None:
    if not (options.snapshot_id or options.volume_id):
        return None
    return SoftwareVolume(
        mount_path=options.mount_path,
        snapshot_id=options.snapshot_id,
        snapshot_size_gib=options.snapshot_size_gib,
        volume_id=options.volume_id,
        size_gib=options.volume_size_gib,
        volume_type=options.volume_type,
        iops=options.volume_iops,
        throughput=options.volume_throughput,
        encrypted=options.volume_encrypted,
        kms_key_id=options.volume_kms_key_id,
        deletion_policy=options.deletion_policy,
    )


def _software_model(volume: SoftwareVolume | None) -> dict | None:
    if volume is None:
        return None
    return {**dataclasses.asdict(volume), "size_gib": volume.requested_size_gib}


def _cluster_problems(seed: dict, options: ClusterOptions, volume: SoftwareVolume | None) -> list[str]:
    """Check what concerns the cluster as a whole."""
    problems = limits.cluster_name_problems(options.cluster_name)
    problems += limits.accounting_problems(options.cluster_name, options.slurm_settings)
    if not options.subnet_id:
        problems.append("cluster_config_subnet_id is not set: ParallelCluster needs the subnet of the head node, subnet-…")
    try:
        system = find_os(options.os)
        if not system.official_image and not options.custom_ami:
            problems.append(
                f"AWS publishes no ParallelCluster image for {system.name} (OsCustomAmiValidator). Set cluster_config_custom_ami, or use "
                "another operating system, such as rhel9."
            )
    except ExplainedError as error:
        problems.append(str(error))
    if volume:
        problems += software_volume_problems(volume)
    elif seed["software"]["spack_packages"] and not options.custom_ami:
        problems.append(
            "Nothing brings the seed's software onto the cluster. Set cluster_config_snapshot_id to the snapshot that petal.hpc.build_seed "
            "made, cluster_config_volume_id to an existing volume, or cluster_config_custom_ami to an image that contains it."
        )
    if options.custom_ami and options.migration_phase >= 3:
        problems.append(
            "cluster_config_custom_ami is no longer taken in migration phase 3. Build a snapshot with "
            "`ansible-playbook petal.hpc.build_seed -e seed=…` and remove the image, or set cluster_config_migration_phase to 2."
        )
    return problems + hooks_url_problems(options.hooks) + script_problems(options.scripts)


def _head_node_problems(queues: list[_Queue], options: ClusterOptions) -> list[str]:
    name = options.head_node
    kind = find_instance_type(name)
    if kind is None:
        return limits.instance_type_problems(name, "Head node")
    total = sum(queue.max_count for queue in queues)
    return [
        *limits.image_problems([kind], options.custom_ami, "Head node"),
        *limits.head_node_problems(name, total),
        *limits.architecture_problems(kind, [kind for queue in queues for kind in queue.kinds]),
    ]


def _read_queues(seed: dict, options: ClusterOptions, notes: list[str]) -> tuple[list[_Queue], list[str]]:
    """Look the instance types up; returns the queues and the problems of unknown types."""
    queues, problems = [], []
    for queue in seed["compute"]["queues"]:
        where = f"Queue {queue['name']!r}"
        kinds = []
        for name in dict.fromkeys(queue["instance_types"]):
            problems += limits.instance_type_problems(name, where)
            kind = find_instance_type(name)
            if kind:
                kinds.append(kind)
        if options.unsupported_types == "drop" and not (queue["custom_ami"] or options.custom_ami):
            kinds = _without_refused(kinds, where, notes)
        queues.append(
            _Queue(
                name=queue["name"],
                kinds=tuple(kinds),
                min_count=queue["min_count"],
                max_count=queue["max_count"],
                capacity_type=queue["capacity_type"],
                strategy=queue["allocation_strategy"] or "",
                efa=queue["efa"],
                placement_group=queue["placement_group"],
                disable_smt=queue["disable_smt"],
                custom_ami=queue["custom_ami"] or "",
                reservation=options.capacity_reservations.get(queue["name"], ""),
            )
        )
    return queues, problems


def _without_refused(kinds: list[InstanceType], where: str, notes: list[str]) -> list[InstanceType]:
    """Leave out the types that official images refuse, unless none would remain."""
    kept = [kind for kind in kinds if not limits.needs_closed_driver(kind)]
    if not kept or len(kept) == len(kinds):
        return kinds
    dropped = ", ".join(kind.name for kind in kinds if kind not in kept)
    notes.append(f"{where}: {dropped} left out, because ParallelCluster's official images refuse them since 3.8.")
    return kept


def _queue_problems(queue: _Queue, options: ClusterOptions) -> list[str]:
    return [
        *limits.count_problems(queue.where, queue.min_count, queue.max_count),
        *limits.image_problems(queue.kinds, queue.custom_ami or options.custom_ami, queue.where),
        *limits.capacity_problems(queue.where, queue.kinds, queue.capacity_type, queue.strategy, (queue.min_count, queue.max_count)),
        *limits.reservation_problems(queue.where, queue.kinds, queue.reservation),
        *_zone_problems(queue, options),
        *_target_problems(queue, options.target),
    ]


def _zone_problems(queue: _Queue, options: ClusterOptions) -> list[str]:
    """EfaMultiAzValidator and MultiAzPlacementGroupValidator: several zones exclude what needs nodes close together."""
    wanted = [name for name, value in (("efa", queue.efa), ("placement_group", queue.placement_group)) if value]
    if not wanted or len(options.compute_subnet_ids) < 2:
        return []
    return [
        f"{queue.where}: {' and '.join(wanted)} cannot be had across several zones. Give one subnet in cluster_config_compute_subnet_ids."
    ]


def _zone_storage_problems(options: ClusterOptions) -> list[str]:
    """ManagedFsxMultiAzValidator: a Lustre file system made with the cluster lies in one zone."""
    made = new_lustre(options.shared_storage)
    if not made or len(options.compute_subnet_ids) < 2:
        return []
    return [
        f"Shared storage {', '.join(made)}: ParallelCluster makes a Lustre file system for one zone only. Give one subnet in "
        "cluster_config_compute_subnet_ids, or name an existing file system."
    ]


def _reservation_name_problems(queues: list[_Queue], options: ClusterOptions) -> list[str]:
    unknown = sorted(set(options.capacity_reservations) - {queue.name for queue in queues})
    if not unknown:
        return []
    return [f"cluster_config_capacity_reservations names queues that the seed does not have: {', '.join(unknown)}. Correct the names."]


def _target_problems(queue: _Queue, target: str) -> list[str]:
    """Types whose CPU lacks instructions that the software volume uses; ParallelCluster knows nothing of it."""
    if not target:
        return []
    unfit = [kind.name for kind in queue.kinds if not can_run(target, kind)]
    if not unfit:
        return []
    return [
        f"{queue.where}: the software was built for {target}, which {', '.join(unfit)} cannot run. Use newer types, or build the seed with "
        "these types in it: its target is then one that all of them run."
    ]


def _queue_model(queue: _Queue, options: ClusterOptions, notes: list[str]) -> dict:
    groups, dropped = plan_groups(queue.kinds, queue.min_count, queue.max_count, smt=not queue.disable_smt)
    if dropped:
        notes.append(
            f"{queue.where}: max_count {queue.max_count} is less than its number of different sizes, each of which needs a compute "
            f"resource with at least one node. Left out: {', '.join(kind.name for kind in dropped)}. Raise max_count to have them."
        )
    subnets = list(options.compute_subnet_ids) or [options.subnet_id]
    return {
        "name": queue.name,
        "custom_ami": queue.custom_ami,
        "capacity_type": queue.capacity_type,
        "allocation_strategy": queue.strategy,
        "capacity_reservation": _reservation_model(queue.reservation),
        "subnet_ids": subnets,
        "resources": [_resource_model(group, queue, efa=_uses_efa(queue, group, options)) for group in groups],
    }


def _reservation_model(reservation: str) -> dict:
    """Return {"id"} or {"group"}: a reservation goes with one InstanceType, a group of them with Instances too."""
    if not reservation:
        return {}
    return {"id": reservation} if reservation.startswith("cr-") else {"group": reservation}


def _uses_efa(queue: _Queue, group: Group, options: ClusterOptions) -> bool:
    """Say whether a group of types gets EFA: by the seed, else where its types have it and all nodes are in one zone."""
    if queue.efa is not None:
        return queue.efa
    return options.efa == "auto" and group.efa and len(options.compute_subnet_ids) < 2


def _resource_model(group: Group, queue: _Queue, *, efa: bool) -> dict:
    return {
        "name": group.name,
        "instance_types": [kind.name for kind in group.types],
        "min_count": group.min_count,
        "max_count": group.max_count,
        "disable_smt": queue.disable_smt,
        "efa": efa,
        # With EFA ParallelCluster wants the choice spelled out (EfaPlacementGroupValidator).
        "placement_group": efa or None if queue.placement_group is None else queue.placement_group,
    }


def _login_nodes(options: ClusterOptions, mount_path: str, users: list[dict], groups: list[dict], buckets: list[BucketMount]) -> list[dict]:
    """Return the pools; each node runs the hooks too, and mounts the buckets when its policies let it."""
    mounted = buckets if options.iam_policies else []
    scripts = hook_scripts(options.hooks, mount_path, users, mounted, groups) + own_scripts(options.scripts)
    return [
        {
            "name": pool["name"],
            "instance_type": pool["instance_type"],
            "count": pool.get("count", 1),
            "subnet_id": pool.get("subnet_id") or options.subnet_id,
            "grace_minutes": pool.get("grace_minutes", 10),
            "scripts": scripts,
        }
        for pool in options.login_nodes
    ]


def _login_node_problems(options: ClusterOptions, buckets: list[BucketMount]) -> list[str]:
    """Login pools have no S3Access in ParallelCluster's schema, so policies have to give them theirs."""
    problems = limits.login_pool_problems(options.login_nodes)
    for pool in options.login_nodes:
        problems += limits.instance_type_problems(pool["instance_type"], f"Login nodes {pool['name']!r}")
    if options.login_nodes and not options.iam_policies and (options.hooks.startswith("s3://") or (options.hooks and buckets)):
        problems.append(
            "Login nodes cannot be given S3Access in ParallelCluster, and theirs need it for the hooks or the seed's buckets. "
            "Set cluster_config_iam_policies to policies that allow it, such as arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess."
        )
    return problems


def _tags(options: ClusterOptions) -> dict[str, str]:
    own = {
        tags.CREATED_BY: tags.CREATOR,
        tags.key(tags.SEED): options.seed_name,
        tags.key(tags.FINGERPRINT): options.fingerprint,
        tags.key(tags.SNAPSHOT_ID): options.snapshot_id,
    }
    given = {str(key): str(value) for key, value in options.tags.items()}
    return {**given, **{key: value for key, value in own.items() if value}}


def _hook_notes(options: ClusterOptions, mount_path: str, users: list[dict], buckets: list[BucketMount]) -> list[str]:
    """Say what is missing on the nodes when no hooks are given."""
    if options.hooks:
        return []
    lost = [
        *([f"the module command for {mount_path}"] if mount_path else []),
        *([f"the users {', '.join(user['name'] for user in users)}"] if users else []),
        *([f"the S3 buckets {', '.join(f'{mount.bucket} at {mount.path}' for mount in buckets)}"] if buckets else []),
    ]
    if not lost:
        return []
    return [
        f"cluster_config_hooks is not set, so the nodes will not have {'; nor '.join(lost)}. Upload the scripts that lie beside this file "
        "(hooks/) to S3 or a web server, set cluster_config_hooks to that place, and render again."
    ]


def _bucket_notes(options: ClusterOptions, buckets: list[BucketMount]) -> list[str]:
    moved = [f"{mount.path} -> {mount.mount_point}" for mount in buckets if mount.link]
    if not moved or not options.hooks:
        return []
    return [
        "Buckets whose place lies inside a directory that the head node exports are mounted under /s3 on every node, with a link in that "
        f"place, because a mount inside an NFS export is not seen by the others: {', '.join(moved)}."
    ]


def _volume_notes(volume: SoftwareVolume | None, queues: list[_Queue], options: ClusterOptions) -> list[str]:
    notes = []
    if volume and volume.snapshot_id and volume.requested_size_gib > volume.snapshot_size_gib > 0:
        grows = (
            "the head node's hook grows the file system" if options.hooks else "nothing grows the file system without cluster_config_hooks"
        )
        notes.append(f"The volume has {volume.requested_size_gib} GiB, its snapshot {volume.snapshot_size_gib}: {grows}.")
    total = sum(queue.max_count for queue in queues)
    if volume and total > 100:
        notes.append(
            f"Up to {total} nodes read the software over NFS from one head node; ParallelCluster warns above 100. A head node with more "
            "network bandwidth helps."
        )
    if options.custom_ami and options.migration_phase == 2:
        notes.append(
            "cluster_config_custom_ami is deprecated: build a snapshot with `ansible-playbook petal.hpc.build_seed -e seed=…` instead; "
            "migration phase 3 refuses the image."
        )
    return notes
