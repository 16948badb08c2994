# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a software volume may be shared: secrets on it, the licences of all packages, and what is allowed all the same."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..errors import ExplainedError, ManyProblems
from .vulnerabilities import vulnerabilities_in

REPORT_FORMAT = 1
SBOM_MISSING, SBOM_EMPTY = "sbom-missing", "sbom-empty"
LICENCE_PROPRIETARY, LICENCE_UNKNOWN = "licence-proprietary", "licence-unknown"
VULNERABILITIES, UNREADABLE = "vulnerability-scan", "unreadable-file"
# SPDX's words for a licence that nobody has looked up.
_UNKNOWN_LICENCES = {"", "NONE", "NOASSERTION"}
# What a build's own SBOM calls the volume itself, which is no software that somebody licenses.
_VOLUME = "SPDXRef-Volume"
_CLOSED = re.compile(r"proprietary|commercial|eula|all.rights.reserved", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that speaks against sharing.

    path: the file on the volume, relative to its top; for a package, name@version. line: counted from 1; None where there is none.
    secret: the beginning of the secret's SHA-256, never the secret itself. why: more words, if there is more to say.
    """

    rule: str
    path: str
    line: int | None = None
    secret: str | None = None
    why: str | None = None

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{self.rule}: {where}" + (f" ({self.why})" if self.why else "")

    def to_result(self) -> dict[str, Any]:
        return {field: value for field, value in dataclasses.asdict(self).items() if value is not None}


@dataclasses.dataclass(frozen=True)
class Allowance:
    """A finding that is none. rule, path: patterns in which * stands for any text. reason: for those who read the report."""

    rule: str
    path: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        return fnmatchcase(finding.rule, self.rule) and fnmatchcase(finding.path, self.path)


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


def packages_of(sbom_text: str | None) -> list[Package]:
    """Return the packages of an SBOM, SPDX 2 as JSON. Raises ExplainedError for a text that is none; None has no packages."""
    if sbom_text is None:
        return []
    try:
        listed = json.loads(sbom_text)["packages"]
        return [_package(item) for item in listed if item.get("SPDXID") != _VOLUME]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExplainedError(
            f"The SBOM cannot be read as SPDX in JSON: {error!r}.", next_step="Build the volume again, or write the SBOM again."
        ) from error


def _package(item: Mapping[str, Any]) -> Package:
    known = [item.get(field) or "" for field in ("licenseConcluded", "licenseDeclared")]
    licence = next((text for text in known if text not in _UNKNOWN_LICENCES), "")
    return Package(str(item["name"]), str(item.get("versionInfo") or ""), licence)


def licence_findings(packages: Iterable[Package], proprietary: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return what the licences of packages say against sharing.

    proprietary: groups of software that must not be handed on: {"names": patterns, "except": names, "why": words}.
    """
    groups = list(proprietary)
    findings = []
    for package in packages:
        group = next((group for group in groups if _is_in(package.name, group)), None)
        if group or _CLOSED.search(package.licence):
            findings.append(Finding(LICENCE_PROPRIETARY, package.label, why=group["why"] if group else f"its licence is {package.licence}"))
        elif not package.licence:
            findings.append(Finding(LICENCE_UNKNOWN, package.label, why="the SBOM names no licence"))
    return findings


def _is_in(name: str, group: Mapping[str, Any]) -> bool:
    # Spack wrote some names with underscores and some with dashes.
    name = name.lower().replace("_", "-")
    return name not in group.get("except", ()) and any(fnmatchcase(name, pattern) for pattern in group["names"])


def allowances_from(listed: Iterable[Mapping[str, Any]]) -> list[Allowance]:
    """Return the allowances that a user lists; raises ManyProblems for those that lack a part."""
    allowances, problems = [], []
    for position, item in enumerate(listed, start=1):
        texts = {field: str(item.get(field) or "").strip() for field in ("rule", "path", "reason")}
        missing = [field for field, text in texts.items() if not text]
        if missing:
            problems.append(
                f"entry {position} ({texts['rule'] or 'no rule'}: {texts['path'] or 'no path'}) has no {' and no '.join(missing)}."
            )
        allowances.append(Allowance(**texts))
    if problems:
        raise ManyProblems("What is allowed needs a rule, a path and a reason:", problems)
    return allowances


def judge(
    scan: Mapping[str, Any],
    sbom_text: str | None,
    *,
    proprietary: Iterable[Mapping[str, Any]],
    allow: Iterable[Mapping[str, Any]],
    public: bool,
    vulnerabilities: Mapping[str, Any] | None = None,
    severity: str = "high",
) -> dict[str, Any]:
    """Decide whether a volume may be shared, and return the report.

    scan: what files/scan.py of the role publish_gate has printed. sbom_text: None where the volume has no SBOM.
    public: everybody will be able to read it; then a package whose licence nobody knows blocks, else it is a warning.
    vulnerabilities: {"command", "rc", "output", "errors"} of a scan of the SBOM, if there was one. severity: what blocks at least.
    The report has `passed`, and every finding in one of `blocking`, `allowed` (with the reason) and `warnings`.
    """
    packages = packages_of(sbom_text)
    vulnerable, milder = vulnerability_findings(vulnerabilities, severity)
    findings = [
        *_sbom_findings(sbom_text, packages),
        *(Finding(item["rule"], item["path"], item.get("line"), item.get("secret")) for item in scan["findings"]),
        *(Finding(UNREADABLE, path, why="it could not be searched") for path in scan["unreadable"]),
        *licence_findings(packages, proprietary),
        *vulnerable,
        *milder,
    ]
    tolerable = {*milder, *(one for one in findings if one.rule == LICENCE_UNKNOWN and not public)}
    sorted_out = sort_out(findings, tolerable, allow)
    return {
        "format": REPORT_FORMAT,
        "passed": not sorted_out["blocking"],
        "public": public,
        "files": scan["files"],
        "bytes": scan["bytes"],
        "packages": len(packages),
        **sorted_out,
    }


def sort_out(
    findings: Iterable[Finding], tolerable: Collection[Finding], allow: Iterable[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Return what blocks, what is allowed, with the reason, and what is only worth a warning."""
    allowances = allowances_from(allow)
    sorted_out: dict[str, list[dict[str, Any]]] = {"blocking": [], "allowed": [], "warnings": []}
    for finding in findings:
        allowance = next((one for one in allowances if one.covers(finding)), None)
        if allowance:
            sorted_out["allowed"].append({**finding.to_result(), "reason": allowance.reason})
        else:
            sorted_out["warnings" if finding in tolerable else "blocking"].append(finding.to_result())
    return sorted_out


def judge_vulnerabilities(outcome: Mapping[str, Any], allow: Iterable[Mapping[str, Any]], severity: str) -> dict[str, Any]:
    """Return what a scan of a bill of materials alone comes to, sorted as in a report; see judge.

    vulnerable: whether something severe was found; a scan that failed has not passed either, and says nothing about the software.
    """
    blocking, milder = vulnerability_findings(outcome, severity)
    sorted_out = sort_out([*blocking, *milder], milder, allow)
    vulnerable = any(one["rule"] != VULNERABILITIES for one in sorted_out["blocking"])
    return {"passed": not sorted_out["blocking"], "vulnerable": vulnerable, **sorted_out, "problems": problems_of(sorted_out)}


def _sbom_findings(sbom_text: str | None, packages: list[Package]) -> list[Finding]:
    if sbom_text is None:
        return [Finding(SBOM_MISSING, ".petal/sbom.spdx.json", why="nobody can tell whose software it is")]
    return [] if packages else [Finding(SBOM_EMPTY, ".petal/sbom.spdx.json", why="it names no package")]


def vulnerability_findings(outcome: Mapping[str, Any] | None, severity: str) -> tuple[list[Finding], list[Finding]]:
    """Return what a scan has found that blocks, and what is milder.

    A scan that fails without naming a cause that blocks has not answered, so its failure blocks.
    """
    if not outcome:
        return [], []
    output = outcome.get("output") or ""
    # Older releases of Ansible read what looks like JSON.
    text = output if isinstance(output, str) else json.dumps(output)
    found = vulnerabilities_in(text) or []
    severe = [Finding(one.id, one.package, why=one.severity) for one in found if one.reaches(severity)]
    milder = [Finding(one.id, one.package, why=one.severity) for one in found if not one.reaches(severity)]
    if outcome["rc"] != 0 and not severe:
        said = [] if found else text.strip().splitlines()
        said += str(outcome.get("errors") or "").strip().splitlines()
        severe.append(
            Finding(VULNERABILITIES, ".petal/sbom.spdx.json", why=f"{outcome['command']} ended with {outcome['rc']}: {' '.join(said[-5:])}")
        )
    return severe, milder


def problems_of(report: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each finding that keeps a volume from being shared; none for a report that has passed."""
    known = {field.name for field in dataclasses.fields(Finding)}
    return [str(Finding(**{key: value for key, value in item.items() if key in known})) for item in report["blocking"]]


def why_not_enough(reports: Mapping[str, Mapping[str, Any]], *, fingerprint: str | None, manifest: str | None, public: bool) -> str | None:
    """Return why no report that was kept allows a share, or None when one does.

    reports: of an entry, by what was searched. Each is as judge returned it, with fingerprint and manifest of what was searched.
    fingerprint, manifest: of what is to be shared. Equal fingerprints are equal wishes; only the manifest says that it is the same content.
    """
    if manifest is None:
        return "it has not been searched yet, and nothing says which files it holds"
    report = reports.get(manifest)
    if report is None or report.get("manifest") != manifest:
        return f"it has not been searched yet: no report is about its content, {manifest}"
    if report.get("format") != REPORT_FORMAT:
        return f"its report has format {report.get('format')}, not {REPORT_FORMAT}"
    if report.get("fingerprint") != fingerprint:
        return f"its report is about {report.get('fingerprint')}, not about {fingerprint}"
    if public and not report.get("public"):
        return "it was searched for a share with accounts, not with everybody"
    if not report.get("passed"):
        return "it did not pass: " + "; ".join(problems_of(report))
    return None
