"""The tasks of verify_cluster on this machine: a volume's tree of files, a module command and an sbatch that are a few lines each.

What Slurm and a real head node add is not shown here; tests/chain uses the same volume layout on hosts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from plugins.module_utils._core.software.layout import layout
from tests.chain.playbook import ROOT

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: {root}/playbooks/tasks/verify_software.yml
"""
# Runs the script that it is given and writes where it is told to, as sbatch does; on the nodes of a queue, what the queue is named after
# is broken.
SBATCH = """\
#!/bin/bash
echo 17
for argument in "$@"; do case $argument in --output=*) output=${argument#*=} ;; --partition=*) export BROKEN=${argument#*=} ;; esac; done
[ "$BROKEN" != silent ] || { echo "sbatch: error: invalid partition" >&2; exit 1; }
[ "$BROKEN" != waits ] || exec sleep 60
"${@: -1}" >"$output" 2>&1
"""
SCANCEL = """\
#!/bin/bash
echo "$@" >>"$(dirname "$0")/cancelled"
"""
PROFILE = """\
BROKEN=${BROKEN:-}
zlib-demo() { [ "$loaded" = zlib/1.3 ] && [ "$BROKEN" != program ] && echo zlib works; }
module() {
  case $1 in
    avail) [ "$BROKEN" = avail ] || echo "zlib/1.3" ;;
    load) [ "$BROKEN" != load ] && loaded=$2 ;;
  esac
}
[ "$BROKEN" != listing ] || ls() { return 2; }
findmnt() { [ "$BROKEN" != mount ]; }
[ "$BROKEN" != fingerprint ] || grep() { case $* in *manifest*) return 1 ;; *) command grep "$@" ;; esac }
"""
BROKEN = ["mount", "listing", "fingerprint", "avail", "load", "program"]
FINGERPRINT = f"sha256:{'a' * 64}"


@pytest.fixture
def verify(tmp_path):
    """Run the tasks for some queues; return (exit status, output)."""
    mount_path, home, programs = tmp_path / "shared", tmp_path / "home", tmp_path / "bin"
    packages = layout(str(mount_path))["packages"]
    for folder in (os.path.dirname(packages), home, programs):
        os.makedirs(folder)
    with open(packages, "w", encoding="utf-8") as file:
        json.dump([{"root": True, "module": "zlib/1.3", "needs": ["it's"]}, {"root": False, "module": "hidden/1"}], file)
    with open(layout(str(mount_path))["manifest"], "w", encoding="utf-8") as file:
        json.dump({"fingerprint": FINGERPRINT}, file)
    # As on a head node: a login shell finds Slurm by its profile, and Ansible's shell does not.
    (home / ".bash_profile").write_text(f"PATH=$PATH:{programs}\nLMOD_CMD=lmod\n{PROFILE}")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    play = tmp_path / "play.yml"
    play.write_text(textwrap.dedent(PLAY).format(root=ROOT))

    def run(*queues, slurm=True, timeout=60):
        if not slurm:
            (programs / "sbatch").unlink()
        variables = {
            "verify_mount_path": str(mount_path),
            "verify_programs": ["zlib-demo"],
            "verify_queues": list(queues),
            "verify_folder": str(home),
            "verify_fingerprint": FINGERPRINT,
            "verify_timeout": timeout,
        }
        environment = {
            **os.environ,
            "HOME": str(home),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        command = [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), str(play), "-e", json.dumps(variables)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr, list(home.glob("petal-verify-*"))

    return run


def test_software_that_works_everywhere_is_said_to(verify):
    status, output, left = verify("compute")
    assert status == 0, output[-3000:]
    assert output.count("every module loads and every program runs") == 2
    assert left == []


def test_each_queue_that_something_is_missing_on_is_named(verify):
    status, output, left = verify("compute", *BROKEN)
    assert status != 0
    for queue in BROKEN:
        assert f"- {queue}: host" in output
    assert "- compute:" not in output and "- head node:" not in output
    assert "nothing is mounted there" in output and "does not hold the software of the cluster" in output
    assert "module avail does not list zlib/1.3" in output
    assert left == []


def test_a_cluster_without_slurm_is_told_so_and_not_that_jobs_print_nothing(verify):
    status, output, left = verify("compute", slurm=False)
    assert status != 0
    assert "- compute: there is no sbatch" in output and "/opt/slurm/bin" in output
    assert left == []


def test_a_job_that_slurm_refuses_is_told_in_slurm_s_words(verify):
    status, output, _left = verify("silent")
    assert status != 0
    assert "sbatch ended with 1: 17 sbatch: error: invalid partition" in " ".join(output.split())


def test_a_job_that_never_starts_is_cancelled_and_told(verify, tmp_path):
    status, output, left = verify("waits", timeout=2)
    assert status != 0
    assert "- waits: the job did not end within 2 seconds and was cancelled" in output
    assert (tmp_path / "bin/cancelled").read_text() == "17\n"
    assert left == []
