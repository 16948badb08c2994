import json

import pytest

from plugins.module_utils._core.registry.vulnerabilities import Vulnerability, vulnerabilities_in

ZLIB = {"bom-ref": "a1", "name": "zlib", "version": "1.3"}


def report(*vulnerabilities, components=(ZLIB,)):
    return json.dumps({"bomFormat": "CycloneDX", "components": list(components), "vulnerabilities": list(vulnerabilities)})


def weakness(name, *severities, affects=("a1",)):
    return {"id": name, "ratings": [{"severity": one} for one in severities], "affects": [{"ref": one} for one in affects]}


def test_each_weakness_of_each_package_is_named_once_with_its_worst_rating():
    text = report(weakness("CVE-2026-2", "low", "critical", affects=("a1", "gone")), weakness("CVE-2026-1"), weakness("CVE-2026-1"))
    assert vulnerabilities_in(text) == [
        Vulnerability("CVE-2026-2", "gone", "critical"),
        Vulnerability("CVE-2026-1", "zlib@1.3", "unknown"),
        Vulnerability("CVE-2026-2", "zlib@1.3", "critical"),
    ]


def test_a_scan_that_finds_nothing_is_told_from_one_that_says_nothing():
    assert vulnerabilities_in('{"bomFormat": "CycloneDX"}') == []
    assert [vulnerabilities_in(text) for text in ("", "no such file", "[]", '{"matches": []}')] == [None] * 4


@pytest.mark.parametrize(("severity", "least", "reached"), [
    ("high", "high", True), ("medium", "high", False), ("unknown", "high", True), ("unknown", "critical", False), ("critical", "low", True),
])  # fmt: skip
def test_what_nobody_has_rated_counts_as_high(severity, least, reached):
    assert Vulnerability("CVE-2026-1", "zlib@1.3", severity).reaches(least) is reached
