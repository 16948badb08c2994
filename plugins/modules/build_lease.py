#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module petal.hpc.build_lease."""

from __future__ import annotations

DOCUMENTATION = r"""
module: build_lease
short_description: Let only one run work on a build at a time
description:
  - Writes who works on a build, until when, and how far it is, as tags of the build's volume, where every controller sees them.
  - EC2 has no conditional tag write. The lease is written, read again after a moment, and held by whoever is then named.
  - A run that was killed leaves its lease behind. On the same controller that is noticed at once, and so is the end of a build host
    that went on alone; elsewhere the lease runs out, or O(take_over) takes it.
options:
  volume_id:
    description: The volume of the build.
    type: str
    required: true
  build_id:
    description: The build.
    type: str
    required: true
  state:
    description: Whether to hold the lease or to give it up.
    type: str
    choices: [held, released]
    default: held
  stage:
    description: The last stage that is finished. Left out, the stage on the volume stays as it is.
    type: str
  progress:
    description: How far the stage is, for people. Left out, what the volume says stays as it is.
    type: str
  failure:
    description: Why the build has failed; M(petal.hpc.build_info) shows it until somebody takes the lease. Only with O(state=released).
    type: str
  holder:
    description:
      - Who asks, with a number after a slash. Left out, the controller's host name and the process id of its run.
      - The id of an instance means a build host that goes on alone; its lease ends with it.
    type: str
  lease_seconds:
    description: How long the lease lasts unless it is taken again.
    type: int
    default: 3600
  wait_timeout:
    description: How many seconds to wait for a lease that another run holds. With V(0) another holder is an error at once.
    type: int
    default: 0
  take_over:
    description: Take the lease although another run holds it. Only for a run that is known to be dead.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reports whether the lease could be had and writes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Let nobody else build this variant
  petal.hpc.build_lease:
    build_id: a1b2c3d4e5f6
    volume_id: vol-0123456789abcdef0
    stage: claimed

- name: Let the next run have it
  petal.hpc.build_lease:
    build_id: a1b2c3d4e5f6
    volume_id: vol-0123456789abcdef0
    state: released
"""

RETURN = r"""
held:
  description: Whether the lease is ours now.
  returned: always
  type: bool
gone:
  description: Whether the volume is no longer there, because another run finished the build in the meantime.
  returned: always
  type: bool
holder:
  description: Who holds the lease now.
  returned: when somebody holds it
  type: str
  sample: controller.example.org/4711
expires:
  description: When the lease runs out, in seconds since the epoch.
  returned: when somebody holds it
  type: int
  sample: 1793577600
stage:
  description: The last stage that the build has finished.
  returned: always
  type: str
  sample: installed
"""

import os
import socket
import time

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.builds import BuildGateway
from ..module_utils._core import tags
from ..module_utils._core.build import Lease, may_take, parse_lease, refuse_lease
from ..module_utils._core.errors import ExplainedError

ARGUMENT_SPEC = {
    "volume_id": {"type": "str", "required": True},
    "build_id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
    "stage": {"type": "str"},
    "progress": {"type": "str"},
    "failure": {"type": "str"},
    "holder": {"type": "str"},
    "lease_seconds": {"type": "int", "default": 3600},
    "wait_timeout": {"type": "int", "default": 0},
    "take_over": {"type": "bool", "default": False},
}
POLL_SECONDS = 5
# Two runs that write at the same moment both see the later value after this long.
SETTLE_SECONDS = 1


def died_here(lease):
    """Say whether the holder was a run on this very controller and its process is gone."""
    if lease is None or lease.host != socket.gethostname():
        return False
    try:
        os.kill(lease.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def is_over(lease, gateway):
    """Say whether the holder is known to be dead: a run that ended here, or a build host that is gone."""
    return died_here(lease) or (lease is not None and lease.host.startswith("i-") and gateway.has_ended(lease.host))


def run(params, gateway, check_mode, now=time.time, sleep=time.sleep, is_dead=is_over):
    """Take, renew or give up a lease; gateway is a BuildGateway or its fake."""
    if params["state"] == "released":
        return release(params, gateway, check_mode)
    deadline = now() + params["wait_timeout"]
    while True:
        found_tags = gateway.volume_tags(params["volume_id"])
        if found_tags is None:
            return {"changed": False, "held": False, "gone": True, "stage": ""}
        found = parse_lease(tags.read(found_tags, tags.LEASE))
        wanted = Lease(params["holder"], int(now()) + params["lease_seconds"])
        if params["take_over"] or may_take(found, wanted, int(now()), is_dead(found, gateway)):
            taken = check_mode or take(params, gateway, wanted, sleep)
            if taken:
                forget_failure(params, gateway, found_tags, check_mode)
                stage = params["stage"] or tags.read(found_tags, tags.STAGE) or ""
                held = {"held": not check_mode, "gone": False, "holder": wanted.holder, "expires": wanted.expires}
                return {"changed": True, **held, "stage": stage}
        elif now() >= deadline:
            raise refuse_lease(params["build_id"], found, int(now()))
        sleep(POLL_SECONDS)


def take(params, gateway, wanted, sleep):
    """Write the lease and say whether it is still ours a moment later."""
    gateway.tag(params["volume_id"], {tags.key(tags.LEASE): wanted.to_tag(), **said(params)})
    sleep(SETTLE_SECONDS)
    held = parse_lease(tags.read(gateway.volume_tags(params["volume_id"]) or {}, tags.LEASE))
    return held == wanted


def forget_failure(params, gateway, found_tags, check_mode):
    """Whoever takes the lease goes on: what stopped the last run is over."""
    if tags.read(found_tags, tags.FAILURE) and not check_mode:
        gateway.untag(params["volume_id"], tags.key(tags.FAILURE))


def said(params):
    """Return the tags that say how far the build is."""
    values = {tags.STAGE: params["stage"], tags.PROGRESS: params["progress"], tags.FAILURE: params["failure"]}
    return {tags.key(name): tags.value(text) for name, text in values.items() if text}


def release(params, gateway, check_mode):
    found_tags = gateway.volume_tags(params["volume_id"])
    found = parse_lease(tags.read(found_tags or {}, tags.LEASE))
    mine = found is not None and found.holder == params["holder"]
    if mine and not check_mode:
        if said(params):
            gateway.tag(params["volume_id"], said(params))
        gateway.untag(params["volume_id"], tags.key(tags.LEASE))
    return {"changed": mine, "held": False, "gone": found_tags is None, "stage": tags.read(found_tags or {}, tags.STAGE) or ""}


def main():
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params, BuildGateway(module.client("ec2")), module.check_mode)
    except ExplainedError as error:
        module.fail_json(**error.to_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
