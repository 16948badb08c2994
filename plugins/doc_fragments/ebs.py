# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation of all modules about volumes and snapshots has in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
author:
  - petal.hpc contributors (@petal-hpc)
requirements:
  - python >= 3.11
  - boto3 >= 1.38.10
  - botocore >= 1.38.10
notes:
  - The module runs where it finds credentials and boto3, usually on the controller (C(delegate_to=localhost)).
    E(AWS_ENDPOINT_URL) sends it to another endpoint, such as a test server.
attributes:
  check_mode:
    description: Says what would be changed without changing anything; both kinds of run take the same decision.
    support: full
  diff_mode:
    description: Returns the resource before and after, in check mode too.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""

    INFO = r"""
author:
  - petal.hpc contributors (@petal-hpc)
requirements:
  - python >= 3.11
  - boto3 >= 1.38.10
  - botocore >= 1.38.10
notes:
  - The module runs where it finds credentials and boto3, usually on the controller (C(delegate_to=localhost)).
    E(AWS_ENDPOINT_URL) sends it to another endpoint, such as a test server.
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It only reads.
    support: none
  idempotent:
    description: It only reads.
    support: full
"""
