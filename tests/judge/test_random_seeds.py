"""Seeds that nobody wrote: whatever a valid seed asks for, ParallelCluster accepts what we render, and nothing is lost.

The random numbers are fixed, so that a failure can be seen again; one process judges all.
"""

from __future__ import annotations

import pytest
import yaml

from plugins.module_utils._core.cluster.losses import find_losses
from tests.judge.running import judged, needs_judge
from tests.judge.seeds import random_seed, render

pytestmark = [pytest.mark.judge, needs_judge]

SEEDS = 40


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Seed number -> its file."""
    folder = tmp_path_factory.mktemp("random")
    files = {}
    for number in range(SEEDS):
        problems, text = render(random_seed(number))
        assert problems == [], number
        files[number] = folder / f"random-{number}.yaml"
        files[number].write_text(text)
    return files


@pytest.fixture(scope="module")
def answers(rendered):
    return judged(rendered.values())


@pytest.mark.parametrize("number", range(SEEDS))
def test_parallelcluster_accepts_any_seed(rendered, answers, number):
    assert [finding for finding in answers[str(rendered[number])] if finding["level"] == "ERROR"] == []


@pytest.mark.parametrize("number", range(SEEDS))
def test_nothing_of_any_seed_is_lost(rendered, number):
    assert find_losses(yaml.safe_load(rendered[number].read_text()), random_seed(number)) == []
