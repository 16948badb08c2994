# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a scanner of vulnerabilities says of a bill of materials, in the form of CycloneDX, and which of it counts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

# CycloneDX 1.6, severity. Nobody has rated what is "unknown"; it counts as high until somebody does.
SEVERITIES = ("none", "info", "low", "medium", "high", "critical")
_UNRATED = "unknown"


@dataclasses.dataclass(frozen=True)
class Vulnerability:
    """One weakness of one package. package: name@version, as the scanner has matched it. severity: of SEVERITIES, or "unknown"."""

    id: str
    package: str
    severity: str

    def reaches(self, least: str) -> bool:
        """Say whether it is at least as severe."""
        return SEVERITIES.index("high" if self.severity == _UNRATED else self.severity) >= SEVERITIES.index(least)


def vulnerabilities_in(output: str) -> list[Vulnerability] | None:
    """Return what a scanner has printed, each weakness of each package once, or None for what is no CycloneDX in JSON.

    Source: CycloneDX 1.6 JSON reference, vulnerabilities: id, ratings[].severity, affects[].ref, which names a component's bom-ref.
    """
    try:
        document = json.loads(output)
        if not isinstance(document, dict) or not {"vulnerabilities", "bomFormat"} & document.keys():
            return None
        labels = {item["bom-ref"]: _label(item) for item in document.get("components") or () if "bom-ref" in item}
        found = {
            Vulnerability(str(item["id"]), labels.get(affected["ref"], str(affected["ref"])), _severity(item))
            for item in document.get("vulnerabilities") or ()
            for affected in item.get("affects") or ({"ref": "unknown"},)
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return sorted(found, key=lambda one: (one.package, one.id))


def _label(component: Mapping[str, Any]) -> str:
    return f"{component['name']}@{component['version']}" if component.get("version") else str(component["name"])


def _severity(item: Mapping[str, Any]) -> str:
    """Return the worst that anybody says of a weakness."""
    said: Iterable[str] = (str(rating.get("severity", _UNRATED)).lower() for rating in item.get("ratings") or ())
    return max((one for one in said if one in SEVERITIES), key=SEVERITIES.index, default=_UNRATED)
