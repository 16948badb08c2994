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
  - EC2 has no conditional tag write. The lease is written, read again until AWS shows it, and held by whoever is then named. AWS may show
    different tags to two readers for a moment, so this is an agreement between runs that keep to it, and not a lock by itself. Two runs of
    one build share a volume that was created once, and EC2 attaches it to one host at a time.
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
    description:
      - How many seconds to wait for a lease that another run holds. With V(0) another holder is an error at once.
      - Whatever it is, a lease that AWS does not show two minutes after it was written is an error.
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

from ..module_utils._aws.builds import BuildGateway
from ..module_utils._aws.run import run_module
from ..module_utils._core import tags
from ..module_utils._core.build.lease import Lease, has_been_written, may_take, parse_lease, refuse_lease, unseen_lease

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
# Between two looks at a lease that another run holds: often at first, for it may be about to end.
POLL_SECONDS = 5, 60
# Between two looks at what was just written. Two runs that write at the same moment both see the later value after the first, as a rule.
SETTLE_SECONDS = 1, 15
# How long AWS may take to show what was written; mostly it is less than a second.
SHOWN_WITHIN_SECONDS = 120


GONE = {"changed": False, "held": False, "gone": True, "stage": ""}


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
    for pause in pauses(*POLL_SECONDS):
        found_tags = gateway.volume_tags(params["volume_id"])
        if found_tags is None:
            return GONE
        found = parse_lease(tags.read(found_tags, tags.LEASE))
        wanted = Lease(params["holder"], int(now()) + params["lease_seconds"])
        if params["take_over"] or may_take(found, wanted, int(now()), is_dead(found, gateway)):
            holder = wanted if check_mode else take(params, gateway, wanted, found, now, sleep)
            if holder is None:
                return GONE
            if holder == wanted:
                forget_failure(params, gateway, found_tags, check_mode)
                stage = params["stage"] or tags.read(found_tags, tags.STAGE) or ""
                held = {"held": not check_mode, "gone": False, "holder": wanted.holder, "expires": wanted.expires}
                return {"changed": True, **held, "stage": stage}
            found = holder
        if now() >= deadline:
            raise refuse_lease(params["build_id"], found, int(now()))
        sleep(min(pause, max(1, deadline - now())))


def take(params, gateway, wanted, before, now, sleep):
    """Write the lease, once; return whose it is when AWS shows it, or None when the volume is gone.

    before: the lease that was there. Raises ExplainedError when AWS goes on showing what was there before.
    """
    gateway.tag(params["volume_id"], {tags.key(tags.LEASE): wanted.to_tag(), **said(params)})
    deadline = now() + SHOWN_WITHIN_SECONDS
    for pause in pauses(*SETTLE_SECONDS):
        sleep(pause)
        shown_tags = gateway.volume_tags(params["volume_id"])
        if shown_tags is None:
            return None
        shown = parse_lease(tags.read(shown_tags, tags.LEASE))
        if has_been_written(shown, wanted, before, int(now())):
            return shown
        if now() >= deadline:
            raise unseen_lease(params["build_id"], params["volume_id"], SHOWN_WITHIN_SECONDS)


def pauses(shortest, longest):
    """Yield seconds between two looks, for ever: each time half as long again."""
    while True:
        yield shortest
        shortest = min(shortest * 1.5, longest)


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
    run_module(lambda module: run(module.params, BuildGateway(module.client("ec2")), module.check_mode), ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
