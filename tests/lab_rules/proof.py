"""Shows that the lab's tests can fail: `python -m tests.lab_rules.proof`.

Runs the tests on stock moto, where each test that proves a rule has to fail, and without the data plane, where each
test that is marked `blocks` has to. Prints those that pass all the same; exit status 1 when there are any.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent
WITHOUT = {"PETAL_LAB_WITHOUT_RULES": "proves", "PETAL_LAB_WITHOUT_DATA_PLANE": "blocks"}


class Outcomes:
    """A pytest plugin that runs the tests of one marker, and notes which of them pass."""

    def __init__(self, marker: str):
        self.marker = marker
        self.passed: list[str] = []
        self.failed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.get_closest_marker(self.marker)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed.append(report.nodeid)


def tests_that_pass_without(switch: str, marker: str) -> list[str]:
    """Run the marked tests with a part of the lab switched off; returns those that pass, which they must not."""
    outcomes = Outcomes(marker)
    os.environ[switch] = "1"
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            pytest.main(["-q", "--tb=no", str(FOLDER)], plugins=[outcomes])
    finally:
        del os.environ[switch]
    print(f"{switch}: {len(outcomes.failed)} tests fail as they must, {len(outcomes.passed)} pass.")
    return outcomes.passed


def main() -> int:
    passed = [test for switch, marker in WITHOUT.items() for test in tests_that_pass_without(switch, marker)]
    for test in passed:
        print(f"passes without what it proves: {test}")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
