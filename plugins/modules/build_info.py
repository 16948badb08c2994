#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module petal.hpc.build_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: build_info
short_description: List the builds of a region, and say how far each is
description:
  - Reads the tags of volumes, instances and snapshots, where builds keep all that is known of them, so any controller can ask.
  - A build that is finished is listed with its snapshot, one that was broken off with its volume.
options:
  build_ids:
    description: Only these builds; one that has left nothing is listed with stage V(none). Left out, all builds.
    type: list
    elements: str
  watch:
    description: Ask again every O(interval) seconds, print a line whenever something has changed, and end when no build runs any more.
    type: bool
    default: false
  interval:
    description: Seconds between two looks while watching.
    type: float
    default: 10
attributes:
  action:
    description: The action of the same name watches; without O(watch) it only runs the module.
    support: full
extends_documentation_fragment:
  - petal.hpc.ebs.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: List all builds
  petal.hpc.build_info:
    region: us-east-1

- name: Wait for the end of one
  petal.hpc.build_info:
    region: us-east-1
    build_ids: [a1b2c3d4e5f6]
    watch: true
"""

RETURN = r"""
builds:
  description: The builds, the oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    build_id:
      description: The first twelve digits of the fingerprint.
      type: str
      sample: a1b2c3d4e5f6
    name:
      description: The name of volume and snapshot.
      type: str
      sample: genomics-alinux2023-x86_64-a1b2c3d4e5f6
    seed:
      description: The name of the seed; empty when unknown.
      type: str
      sample: genomics
    stage:
      description:
        - The last stage that is finished, V(failed) when the last run gave up, V(complete) with a snapshot, V(none) when there is nothing.
      type: str
      sample: mounted
    progress:
      description: How far the stage is.
      type: str
      sample: 40% 2/5 packages
    failure:
      description: Why the last run gave up; empty while somebody works on it, and when nothing has failed.
      type: str
      sample: "Take the snapshot: You have reached the limit of snapshots."
    running:
      description: Whether somebody works on it.
      type: bool
    holder:
      description: Who works on it, a controller and its process or a build host; empty when nobody does.
      type: str
      sample: controller.example.org/4711
    age_seconds:
      description: Seconds since the first resource of the build was created.
      type: int
    volume_id:
      description: The volume; empty when there is none.
      type: str
    volume_ids:
      description: That volume, and the copy from which its snapshot is taken where the volume was too large.
      type: list
      elements: str
    instance_id:
      description: The build host; empty when there is none.
      type: str
    instance_type:
      description: The type of the build host; empty when there is none.
      type: str
    host_hours:
      description: How many hours that host has run, which is what it costs.
      type: float
    cost_usd:
      description:
        - What the host and the volume that are there now have cost so far in USD; none for an instance type without a known price.
        - On demand and in us-east-1, by prices of the day that the collection was made on; spot hosts and other regions differ.
      type: float
      sample: 1.87
    snapshot_id:
      description: The snapshot; empty when there is none.
      type: str
    os:
      description: The operating system that is built for.
      type: str
    architecture:
      description: The architecture that is built for.
      type: str
    target:
      description: The CPU target that is built for.
      type: str
    build_instance_type:
      description: The instance type to build on when nothing else is asked for; it can run the target.
      type: str
    summary:
      description: All of it in a line.
      type: str
"""

import time

from ..module_utils._aws.builds import BuildGateway
from ..module_utils._aws.run import run_module
from ..module_utils._core.build.state import build_states
from ..module_utils._core.seed.variant import choose_build_instance_type

ARGUMENT_SPEC = {
    "build_ids": {"type": "list", "elements": "str"},
    # For the action of the same name, which watches.
    "watch": {"type": "bool", "default": False},
    "interval": {"type": "float", "default": 10},
}


def run(params, gateway, now=time.time):
    """List builds; gateway is a BuildGateway or its fake."""
    builds = build_states(params["build_ids"], *gateway.find_builds(params["build_ids"]), now=int(now()))
    types = {target: choose_build_instance_type(target, ()) for target in {build["target"] for build in builds} if target}
    return {"builds": [{**build, "build_instance_type": types.get(build["target"], "")} for build in builds]}


def main():
    run_module(lambda module: {"changed": False, **run(module.params, BuildGateway(module.client("ec2")))}, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
