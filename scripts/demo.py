"""Take a seed through the lab: build, snapshot, deploy, and load its modules on a compute node.

    python scripts/demo.py [SEED]

Everything happens on this machine. The full output of Ansible goes to demo-output/, the lines that matter to the screen.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.lab import control, hooks, places  # noqa: E402
from tests.lab.client import Lab  # noqa: E402
from tests.spack import toy  # noqa: E402

OUTPUT = ROOT / "demo-output"
LAB_NAME = f"demo-{os.getpid()}"
MARKS = ("petal |", "petal-build-")  # how the actions petal.hpc.stage and, with the host, petal.hpc.spack_wait begin a line
TOY_SEED = ROOT / "tests/data/seeds/toy.yaml"


class PlaybookFailedError(Exception):
    """A playbook ended with an error; its output has been shown."""


def main() -> int:
    seed = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 and sys.argv[1] else TOY_SEED
    OUTPUT.mkdir(exist_ok=True)
    began = time.monotonic()
    lacking = control.missing() + toy.lacking(seed)
    for line in lacking:
        say(f"Nothing can be built here: {line}")
    pcluster = prepare_pcluster()
    real_spack = not lacking and prepare_spack()
    if not lacking:
        say("Starting the lab (its host image is built once, which takes a minute or two)")
    # What only stands for software is not kept for the next demo.
    variables = control.start(LAB_NAME, hosts=not lacking, store=None if lacking else OUTPUT / "snapshots")
    try:
        demonstrate(seed, variables, pcluster, real_spack)
    except PlaybookFailedError as error:
        say(f"\nThe demo stopped: {error}")
        return 1
    finally:
        control.stop(LAB_NAME)
        say("The lab is stopped and nothing of it is left on this machine.")
    say(f"Total: {time.monotonic() - began:.0f} s")
    return 0


def say(text: str) -> None:
    print(text, flush=True)


def prepare_spack() -> bool:
    """Have a git mirror of Spack in the cache and return True, or say that a stand-in builds."""
    real = subprocess.run(["sh", str(ROOT / "scripts/spack_mirror.sh")], check=False).returncode == 0
    say(f"Packages are built by {'the real Spack' if real else 'a stand-in for Spack: its repository cannot be reached'}.")
    return real


def prepare_pcluster() -> pathlib.Path | None:
    """Make the environment with the real aws-parallelcluster; None when it cannot be had."""
    environment = ROOT / ".venv-pcluster"
    script = ROOT / "scripts/bootstrap.sh"
    done = subprocess.run(["sh", str(script), str(environment), str(ROOT / "requirements/pcluster.txt")], check=False)
    if done.returncode:
        say("Without aws-parallelcluster, which could not be installed, the cluster config is written but not judged.")
        return None
    return environment / "bin/python"


def demonstrate(seed: pathlib.Path, variables: dict, pcluster: pathlib.Path | None, real_spack: bool) -> None:
    options = {
        "seed": str(seed),
        "registry": str(OUTPUT / "registry"),
        "volume_size_gib": 8,
        "cluster_config_path": str(OUTPUT / f"{seed.stem}.cluster.yaml"),
        "cluster_config_hooks": hooks.publish(lab()),
        "cluster_config_validate": "validators" if pcluster else "none",
        "cluster_config_pcluster_python": str(pcluster or ""),
    }
    extra = [f"@{places.state(LAB_NAME) / 'vars.json'}", json.dumps(toy.variables(real_spack)), json.dumps(options)]
    if variables["lab_hosts"]:
        say("\nBuild the software of the seed: once")
        play("build_seed.yml", extra)
        say("\nAsk for it again: it is found by its fingerprint")
        play("build_seed.yml", extra)
    else:
        say("\nA blank snapshot stands for the software")
        play("../tests/lab/playbooks/stand_for_software.yml", extra)
    say("\nWrite the config of a cluster that mounts it")
    play("deploy_cluster.yml", extra)
    if variables["lab_hosts"]:
        say("\nMount the restored volume on a head node, and use it on a compute node that sees it over NFS only")
        play("../tests/lab/playbooks/use_software.yml", extra)
    else:
        say("\nLeft out: the build itself, and module load on a compute node.")
    summarise(options)


def play(playbook: str, extra: list[str]) -> None:
    """Run a playbook, show its stages as they happen, and keep the whole output in a file."""
    name = pathlib.Path(playbook).stem
    log_path = OUTPUT / f"{name}.log"
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(ROOT / "playbooks" / playbook)]
    for item in extra:
        command += ["-e", item]
    ours = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
        "ANSIBLE_NOCOLOR": "1",
    }
    environment = {**os.environ, **lab().environment(), **ours}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with log_path.open("w") as log, subprocess.Popen(command, env=environment, **pipes) as run:
        for line in run.stdout:
            log.write(line)
            if line.startswith(MARKS):
                say("   " + line.partition("|")[2].strip())
    if run.returncode:
        say("".join(log_path.read_text().splitlines(keepends=True)[-40:]))
        raise PlaybookFailedError(f"playbook {name} failed; {log_path.relative_to(ROOT)} has all of its output")


def lab() -> Lab:
    return Lab(json.loads((places.state(LAB_NAME) / "vars.json").read_text())["lab_endpoint"], {}, None)


def summarise(options: dict) -> None:
    say("\nWritten:")
    for path in (OUTPUT / "registry", pathlib.Path(options["cluster_config_path"])):
        say(f"  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
