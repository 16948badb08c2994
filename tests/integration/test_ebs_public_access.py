"""petal.hpc.ebs_public_access against the lab."""

from __future__ import annotations

import pytest

from tests.integration.targets_runner import run_target

pytestmark = pytest.mark.lab


def test_the_target_passes(lab):
    run_target("ebs_public_access", lab)
