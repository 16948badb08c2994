#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: spack_wait
short_description: Wait for a Spack build on a host, and say how it goes
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Follows a build that the role P(petal.hpc.spack_bootstrap#role) has started as a systemd unit, until it ends.
  - Prints a line whenever another package is finished, and at least once in O(heartbeat) seconds. Works in a terminal, in a log,
    under ansible-runner and in AWX.
  - Only watches. The build neither needs it nor notices when it stops, and a new run of the task goes on watching.
  - A lost connection is tried again for O(connection_timeout) seconds. After that the task fails, rather than calling the host
    unreachable, so that a C(rescue) sees it.
options:
  unit:
    description: Name of the systemd unit that builds.
    type: str
    required: true
  status:
    description: Path of the file in which the build says where it stands.
    type: path
    required: true
  log:
    description: Path of the build's log.
    type: path
    required: true
  lock:
    description: Path of C(spack.lock), which says how many packages there are.
    type: path
    required: true
  interval:
    description: Seconds between two looks at the build.
    type: float
    default: 2
  heartbeat:
    description: Seconds after which a line is printed though nothing has changed.
    type: float
    default: 60
  timeout:
    description: Seconds after which the task gives up watching and fails; the build goes on. V(0) waits for ever.
    type: float
    default: 0
  connection_timeout:
    description: Seconds for which a lost connection is tried again.
    type: float
    default: 300
  seconds_per_package:
    description: How long a package took in earlier builds, for the estimate until this build has a pace of its own. V(0) when unknown.
    type: float
    default: 0
  lease:
    description:
      - What M(petal.hpc.build_lease) takes. The module is run on the controller every O(lease_interval) seconds, with the progress, so that
        the lease outlasts the build. The task fails when another run has taken the lease.
    type: dict
    default: {}
  lease_interval:
    description: Seconds after which the lease is renewed.
    type: float
    default: 60
attributes:
  action:
    support: full
    description: Runs on the controller and reads the files through the connection.
  check_mode:
    support: full
    description: Watches in check mode too; it changes nothing.
  diff_mode:
    support: none
    description: There is nothing to compare.
"""

EXAMPLES = r"""
- name: Go on watching a build that another run has started
  petal.hpc.spack_wait:
    unit: petal-build-0123456789ab
    status: /shared/.petal/status.json
    log: /shared/.petal/build.log
    lock: /shared/.petal/spack.lock
    heartbeat: 30
"""

RETURN = r"""
progress:
  description:
    - How far the build has come, in packages that are built or fetched; externals are not counted.
    - The keys are C(total), C(done), C(percent), C(failed), C(active), C(roots_total) and C(roots_done).
  returned: once Spack has chosen the packages
  type: dict
stages:
  description: Seconds of each stage that is finished.
  returned: always
  type: dict
  sample: {"concretize": 21.4, "install": 1804.2, "modules": 6.1, "tidy": 3.0}
failures:
  description: The packages that failed, each with C(package), C(log), C(tail) and C(dependents).
  returned: always
  type: list
  elements: dict
"""
