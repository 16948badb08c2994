"""The lab that the integration tests talk to, and what the tests of volumes share."""

import itertools

import pytest

from tests.integration.volumes import Account
from tests.lab.fixtures import lab

__all__ = ["lab"]

NUMBERS = itertools.count(1)


@pytest.fixture
def account(lab):
    lab.reset_calls()
    yield Account(lab, f"volume-{next(NUMBERS)}")
    lab.faults([])
    lab.slow({"volume": 0, "attachment": 0, "detachment": 0, "modification": 0})


@pytest.fixture(scope="module")
def instances(lab):
    return [lab.run_instance() for _ in range(6)]
