# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Variables that a playbook cannot do without, and how a person gives them."""

from __future__ import annotations

from collections.abc import Callable

# What follows -e on the command line.
EXAMPLES = {
    "build_host_subnet_id": "build_host_subnet_id=subnet-… (the subnet of the build host)",
    "build_id": "build_id=… (petal.hpc.build_list lists all builds of a region)",
    "cluster_config_subnet_id": "cluster_config_subnet_id=subnet-… (the subnet of the head node)",
    "cluster_name": "cluster_name=NAME (petal.hpc.list_clusters shows which there are)",
    "config": "config=FILE.yaml (what the cluster was made from; without the file, "
    "`pcluster describe-cluster --cluster-name NAME --query clusterConfiguration.url` says where ParallelCluster keeps it)",
    "description": "description='…' (what the software is for)",
    "entry": "entry=NAME (petal.hpc.registry_list lists all entries)",
    "public": "public=true (or false)",
    "publish_gate_vulnerability_command": "'{\"publish_gate_vulnerability_command\": […]}' (docs/sharing.md says what it has to print)",
    "region": "region=us-east-1",
    "regions": '\'{"regions": ["eu-west-1"]}\' (the regions to copy to)',
    "registries": "'{\"registries\": […]}' (all that there are: what none of them names counts as garbage)",
    "registry": "registry=… (docs/registry.md lists where one may lie)",
    "remove": "remove=/shared (the mount path of the old software)",
    "search": "search=TEXT (petal.hpc.registry_list lists everything)",
    "seed": "seed=FILE.yaml",
    "share_with": '\'{"share_with": ["111122223333"]}\' (accounts that may use it)',
    "snapshot_id": "snapshot_id=snap-…",
    "snapshot_schedule_tags": '\'{"snapshot_schedule_tags": {"Purpose": "checkpoints"}}\' (volumes that carry all of these)',
    "snapshot_schedule_volume_ids": '\'{"snapshot_schedule_volume_ids": ["vol-…"]}\'',
    "snapshot_sources": "'{\"snapshot_sources\": […]}'",
    "unshare_from": '\'{"unshare_from": ["111122223333"]}\'',
}


def missing_variables(required: list[str], is_given: Callable[[str], bool]) -> list[str]:
    """Return a sentence for each requirement that is not met.

    required: names, or alternatives such as "seed or build_id and region".
    """
    problems = []
    for requirement in required:
        choices = [choice.split(" and ") for choice in requirement.split(" or ")]
        if not any(all(map(is_given, choice)) for choice in choices):
            ways = [" ".join(f"-e {EXAMPLES[name]}" for name in choice) for choice in choices]
            problems.append(f"{requirement} is missing: add {', or '.join(ways)}")
    return problems
