"""Run the integration targets as ansible-test does, against a lab."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any

from tests.chain.playbook import program

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_target(name: str, lab: Any, **variables: Any) -> None:
    """Run tests/integration/targets/NAME; a failed task fails the test with the whole output."""
    command = [program("ansible-playbook"), str(ROOT / "tests/integration/run_target.yml")]
    environment = {
        **os.environ,
        **lab.environment(),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(ROOT / "tests/integration/targets"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
    }
    done = subprocess.run(
        [*command, "-e", json.dumps({"target": name, **variables})], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
