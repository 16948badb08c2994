# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: publish_report
short_description: Whether a software volume may be shared, and why
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Judges what the role C(publish_gate) has found on a volume, together with the licences that its SBOM names.
  - Each finding stands in one of the lists V(blocking), V(allowed) and V(warnings) of the report.
positional: _input, sbom
options:
  _input:
    description: What C(scan.py) of the role has printed, parsed.
    type: dict
    required: true
  sbom:
    description: The text of the SBOM, SPDX in JSON; null when the volume has none, which blocks.
    type: str
  proprietary:
    description: Software that must not be handed on, in groups, each with C(names), C(except) and C(why).
    type: list
    elements: dict
    default: []
  allow:
    description: Findings that are none, each with C(rule), C(path) and C(reason); C(*) stands for any text.
    type: list
    elements: dict
    default: []
  public:
    description: Whether everybody will be able to use the volume. Then a package without a known licence blocks.
    type: bool
    default: false
  vulnerabilities:
    description: What a scan of the SBOM came to - C(command), C(rc), C(output) and C(errors). Left out, there was none.
    type: dict
  severity:
    description: The least severity of a vulnerability that blocks, as CycloneDX names it.
    type: str
    default: high
"""

EXAMPLES = r"""
- name: Judge a volume
  ansible.builtin.debug:
    msg: "{{ (scan | petal.hpc.publish_report(sbom=sbom_text, allow=[])).blocking }}"
"""

RETURN = r"""
_value:
  description:
    - The report. C(passed) says whether the volume may be shared; C(problems) has a sentence for each finding that blocks.
    - It never contains a secret.
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.plain import plain
from ..module_utils._core.registry.publish_gate import judge, problems_of


def publish_report(scan, sbom=None, proprietary=(), allow=(), public=False, vulnerabilities=None, severity="high"):
    try:
        report = judge(
            plain(scan),
            None if sbom is None else str(sbom),
            proprietary=plain(proprietary),
            allow=plain(allow),
            public=bool(public),
            vulnerabilities=plain(vulnerabilities),
            severity=str(severity),
        )
    except ExplainedError as error:
        raise AnsibleFilterError(str(error)) from error
    return {**report, "problems": problems_of(report)}


class FilterModule:
    def filters(self):
        return {"publish_report": publish_report}
