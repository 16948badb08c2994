"""Every seed we know, rendered and put before aws-parallelcluster in one process; or refused with the rule and the fix.

The dry run is that of the real command, with an account that the judge simulates. Nothing of a seed is lost in what is rendered.
The judge runs in an environment of its own, made by `sh scripts/bootstrap.sh .venv-pcluster requirements/pcluster.txt`.
"""

from __future__ import annotations

import pytest
import yaml

from plugins.module_utils._core.cluster.losses import find_losses
from plugins.module_utils._core.errors import ManyProblems
from tests.judge.running import ROOT, judged, needs_judge
from tests.judge.seeds import REFUSED, SEEDS, cases, name_of, read, render

pytestmark = [pytest.mark.judge, needs_judge]

WHOLE = [name_of(path) for path in SEEDS if name_of(path) not in REFUSED]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What aws-parallelcluster says of every seed that we do not refuse, and of the mended ones."""
    folder = tmp_path_factory.mktemp("rendered")
    files = {}
    for name, (path, options) in cases().items():
        problems, text = render(read(path), **options)
        assert problems == [], name
        files[name] = folder / f"{name.replace('/', '-').replace(' ', '-')}"
        files[name].write_text(text)
    findings = judged(files.values(), "--level", "dryrun")
    return {name: findings[str(file)] for name, file in files.items()}


@pytest.mark.parametrize("name", cases())
def test_parallelcluster_accepts_the_seed(answers, name):
    assert [finding for finding in answers[name] if finding["level"] == "ERROR"] == []


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_of_the_seed_is_lost(name):
    seed = read(ROOT / "tests/data/seeds" / name)
    _problems, text = render(seed)
    assert find_losses(yaml.safe_load(text), seed) == []


@pytest.mark.parametrize("name", REFUSED)
def test_the_seed_is_refused_with_the_rule_and_the_fix(name):
    try:
        problems, _text = render(read(ROOT / "tests/data/seeds" / name))
    except ManyProblems as error:
        problems = [str(error)]
    assert any(REFUSED[name] in problem for problem in problems), problems
