"""How tests reach the judge, which runs in the environment that has aws-parallelcluster."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterable

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = pathlib.Path(os.environ.get("PETAL_PCLUSTER_PYTHON", ROOT / ".venv-pcluster/bin/python"))

needs_judge = pytest.mark.skipif(
    not PYTHON.exists(), reason="aws-parallelcluster is missing: run `sh scripts/bootstrap.sh .venv-pcluster requirements/pcluster.txt`"
)


def judged(files: Iterable[pathlib.Path], *options: str, world: dict | None = None) -> dict[str, list[dict[str, str]]]:
    """Judge files in one process; return {file: [{"level", "validator", "message"}]}."""
    with tempfile.TemporaryDirectory() as folder:
        answer, account = pathlib.Path(folder) / "answer.json", pathlib.Path(folder) / "world.json"
        account.write_text(json.dumps(world or {}))
        command = [str(PYTHON), "-m", "tests.judge", "--json", str(answer), "--world", str(account), *options, *map(str, files)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert answer.exists(), run.stderr
        return {file["file"]: file["findings"] for file in json.loads(answer.read_text())}
