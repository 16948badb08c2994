"""pytest fixtures for tests that need a lab: import them in the conftest of a test folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.client import Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab for one test module: the API server, with block devices when the tests run as root."""
    with Lab.start() as running:
        yield running


@pytest.fixture(scope="session")
def lab_hosts() -> Iterator[Lab]:
    """A lab with real hosts, for the whole session; skipped where the machine cannot run them."""
    from tests.lab import control

    missing = control.missing()
    if missing:
        pytest.skip("lab hosts: " + "; ".join(missing))
    with Lab.start(hosts=True) as running:
        yield running
