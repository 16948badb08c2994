"""The lab that the integration tests talk to, and what the tests of volumes and of clusters share."""

import itertools
import sys

import pytest

from tests.chain.playbook import ROOT
from tests.integration.volumes import Account
from tests.judge.running import PYTHON
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


@pytest.fixture(scope="module")
def pcluster(tmp_path_factory):
    """The path of the stand-in."""
    command = tmp_path_factory.mktemp("bin") / "pcluster"
    command.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m tests.integration.pcluster_stand_in "$@"\n')
    command.chmod(0o755)
    # Beside the real command lies the Python that has aws-parallelcluster, which checks updates.
    (command.parent / "python").write_text(f'#!/bin/sh\nexec "{PYTHON}" "$@"\n')
    (command.parent / "python").chmod(0o755)
    return command
