# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import pathlib

import pytest
import yaml

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.publish_gate import judge, judge_vulnerabilities, packages_of, problems_of, why_not_enough

ROLE = pathlib.Path(__file__).resolve().parents[6] / "roles" / "publish_gate"
DATA = yaml.safe_load((ROLE / "vars/main.yml").read_text())
PROPRIETARY = DATA["__publish_gate_proprietary"]
FINGERPRINT = "sha256:" + "5a" * 32
MANIFEST = "sha256:" + "3" * 64
KEY = {"rule": "private-key", "path": "home/key", "line": 3, "secret": "0123456789abcdef"}


def scanned(*findings, unreadable=()):
    return {"findings": list(findings), "unreadable": list(unreadable), "files": 10, "bytes": 1000}


def sbom(*packages):
    listed = [{"name": name, "versionInfo": "1.0", "licenseDeclared": licence} for name, licence in packages]
    return json.dumps({"spdxVersion": "SPDX-2.3", "packages": listed})


CLEAN = sbom(("zlib", "Zlib"), ("hdf5", "BSD-3-Clause"))


def report_of(scan=None, text=CLEAN, allow=(), public=False, **more):
    return judge(scan or scanned(), text, proprietary=PROPRIETARY, allow=allow, public=public, **more)


def test_a_clean_volume_passes():
    report = report_of()
    assert report["passed"] and report["packages"] == 2 and problems_of(report) == []


def test_a_secret_blocks_and_is_named_by_rule_file_and_line():
    report = report_of(scanned(KEY))
    assert not report["passed"]
    assert problems_of(report) == ["private-key: home/key:3"]


@pytest.mark.parametrize(
    "name", ["intel-oneapi-mkl", "intel_oneapi_compilers", "aocc", "nvhpc", "cuda", "cudnn", "matlab", "vasp", "ansys-fluent", "CUDA"]
)
def test_proprietary_software_blocks_wherever_it_is_in_the_dag(name):
    report = report_of(text=sbom(("zlib", "Zlib"), (name, "NOASSERTION")))
    assert [(one["rule"], one["path"]) for one in report["blocking"]] == [("licence-proprietary", f"{name}@1.0")]


@pytest.mark.parametrize("name", ["intel-oneapi-tbb", "intel-llvm", "nccl", "openmpi", "aocl-sparse"])
def test_open_software_of_the_same_makers_passes(name):
    assert report_of(text=sbom((name, "Apache-2.0")))["passed"]


def test_a_licence_that_says_so_itself_blocks():
    assert not report_of(text=sbom(("tool", "LicenseRef-Proprietary")))["passed"]


@pytest.mark.parametrize(("public", "passed", "where"), [(True, False, "blocking"), (False, True, "warnings")])
def test_an_unknown_licence_blocks_only_what_everybody_may_use(public, passed, where):
    report = report_of(text=sbom(("tool", "NOASSERTION")), public=public)
    assert report["passed"] is passed
    assert [one["rule"] for one in report[where]] == ["licence-unknown"]


def test_a_volume_without_an_sbom_is_refused():
    assert problems_of(report_of(text=None)) == ["sbom-missing: .petal/sbom.spdx.json (nobody can tell whose software it is)"]
    assert [one["rule"] for one in report_of(text=sbom())["blocking"]] == ["sbom-empty"]


def test_the_volume_itself_is_no_package_of_its_sbom():
    document = {"documentDescribes": ["SPDXRef-Volume"], "packages": [{"SPDXID": "SPDXRef-Volume", "name": "software under /shared"}]}
    assert packages_of(json.dumps(document)) == []


def test_what_is_no_sbom_is_explained():
    with pytest.raises(ExplainedError, match="cannot be read as SPDX"):
        report_of(text="[]")


def test_a_file_that_was_not_searched_blocks():
    assert [one["rule"] for one in report_of(scanned(unreadable=["home/secret"]))["blocking"]] == ["unreadable-file"]


@pytest.mark.parametrize(("outcome", "passed"), [(None, True), ({"rc": 0}, True), ({"rc": 1, "command": "grype", "output": "CVE"}, False)])
def test_a_vulnerability_scan_blocks_by_its_exit_code(outcome, passed):
    assert report_of(vulnerabilities=outcome)["passed"] is passed


def cyclonedx(severity):
    weakness = {"id": "CVE-2026-1", "ratings": [{"severity": severity}], "affects": [{"ref": "zlib@1.3"}]}
    return {"command": "grype", "rc": 0, "output": json.dumps({"bomFormat": "CycloneDX", "vulnerabilities": [weakness]})}


def test_vulnerabilities_block_by_their_severity_unless_they_are_allowed():
    assert problems_of(report_of(vulnerabilities=cyclonedx("critical"))) == ["CVE-2026-1: zlib@1.3 (critical)"]
    milder = report_of(vulnerabilities=cyclonedx("medium"))
    assert milder["passed"] and [one["rule"] for one in milder["warnings"]] == ["CVE-2026-1"]
    allow = [{"rule": "CVE-2026-1", "path": "zlib@*", "reason": "not reachable"}]
    assert report_of(vulnerabilities=cyclonedx("critical"), allow=allow)["passed"]


def test_a_scan_that_fails_with_nothing_severe_has_not_answered():
    outcome = {**cyclonedx("low"), "rc": 2, "errors": "the database is too old"}
    judged = judge_vulnerabilities(outcome, [], "high")
    assert judged["problems"] == ["vulnerability-scan: .petal/sbom.spdx.json (grype ended with 2: the database is too old)"]
    assert (judged["passed"], judged["vulnerable"]) == (False, False)
    assert judge_vulnerabilities(cyclonedx("high"), [], "high")["vulnerable"]


def test_an_allowance_covers_what_it_names_and_is_kept_with_its_reason():
    allow = [{"rule": "private-key", "path": "home/*", "reason": "a key for tests"}]
    other = {**KEY, "rule": "aws-access-key-id"}
    report = report_of(scanned(KEY, other), allow=allow)
    assert report["allowed"] == [{**KEY, "reason": "a key for tests"}]
    assert report["blocking"] == [other]


def test_an_allowance_without_a_reason_is_refused_and_all_of_them_are_named():
    with pytest.raises(ExplainedError, match=r"(?s)entry 1 .*has no reason.*entry 2 .*has no rule and no reason"):
        report_of(allow=[{"rule": "*", "path": "*"}, {"path": "home/*", "reason": " "}])


@pytest.mark.parametrize(
    ("change", "public", "reason"),
    [
        ({}, False, None),
        ({"public": True}, True, None),
        ({}, True, "for a share with accounts, not with everybody"),
        ({"fingerprint": "sha256:00"}, False, "its report is about sha256:00"),
        # What an entry of an earlier release holds: nobody knows which of the snapshots with that fingerprint was searched.
        ({"manifest": None}, False, "it has not been searched yet"),
        ({"manifest": "sha256:01"}, False, "it has not been searched yet"),
        ({"format": 0}, False, "has format 0"),
        ({"passed": False, "blocking": [KEY]}, False, "private-key: home/key:3"),
    ],
)
def test_a_kept_report_counts_for_what_it_was_made_for(change, public, reason):
    report = {**report_of(), "fingerprint": FINGERPRINT, "manifest": MANIFEST, **change}
    found = why_not_enough({MANIFEST: report, FINGERPRINT: report}, fingerprint=FINGERPRINT, manifest=MANIFEST, public=public)
    assert (found is None) if reason is None else (reason in found)


def test_without_a_report_nothing_is_shared():
    for manifest in (None, MANIFEST):
        assert "it has not been searched yet" in why_not_enough({}, fingerprint=FINGERPRINT, manifest=manifest, public=False)
