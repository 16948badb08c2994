"""The key of a new host is accepted once, under the id of its instance; no configuration of Ansible is needed, and none switches it off."""

import json
import os
import pathlib
import pwd
import subprocess
import sys

import pytest

from tests.lab.fixtures import lab_hosts  # noqa: F401

pytestmark = pytest.mark.hosts
ROOT = pathlib.Path(__file__).resolve().parents[2]
CONNECTION = ["host", "user", "ssh_private_key_file", "ssh_common_args", "ssh_host_key_checking", "ssh_pipelining"]
BUILD = {"build_host_build_id": "host-keys", "build_host_name": "host-keys", "build_host_os": "ubuntu2404"}
LAUNCH = {
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [
        {"include_role": {"name": "petal.hpc.build_host"}},
        {
            "add_host": {
                "name": "builder",
                **{f"ansible_{name}": f"{{{{ build_host_connection.ansible_{name} }}}}" for name in CONNECTION},
            }
        },
    ],
}
USE = {
    "hosts": "builder",
    "gather_facts": False,
    "tasks": [
        {"wait_for_connection": {"timeout": 60, "sleep": 1}},
        {"meta": "reset_connection"},
        {"ping": None, "become": True},
    ],
}
CHANGE = {
    "hosts": "builder",
    "gather_facts": False,
    "become": True,
    "tasks": [
        {"shell": "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh"},
        {"meta": "reset_connection"},
        {"ping": None, "ignore_unreachable": True, "register": "refused"},
        {"debug": {"msg": "unreachable: {{ refused.unreachable | default(false) }}"}},
    ],
}


def run(lab, folder, *plays, **settings):
    """Run plays in a folder without ansible.cfg, as somebody who has only installed the collection; return what is printed."""
    (folder / "play.yml").write_text(json.dumps(plays))
    variables = pathlib.Path(lab.variables["lab_state_dir"]) / "vars.json"
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    ours = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
        "ANSIBLE_HOME": str(folder),
        "ANSIBLE_NOCOLOR": "1",
        **settings,
    }
    command = [str(program), "play.yml", "-e", f"@{variables}", "-e", json.dumps(BUILD)]
    environment = {**inherited, **lab.environment(), **ours}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(params=[{}, {"ANSIBLE_HOST_KEY_CHECKING": "false"}], ids=["as it comes", "check switched off"])
def settings(request):
    return request.param


def known_to_the_user():
    path = pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir) / ".ssh/known_hosts"
    return path.read_bytes() if path.exists() else None


def test_a_key_is_accepted_once_and_another_one_of_the_same_host_is_refused(lab_hosts, tmp_path, settings):  # noqa: F811
    before = known_to_the_user()
    used = run(lab_hosts, tmp_path, LAUNCH, USE, USE, **settings)
    assert used.returncode == 0, used.stdout + used.stderr
    changed = run(lab_hosts, tmp_path, LAUNCH, USE, CHANGE, **settings)
    ec2 = lab_hosts.client("ec2")
    filters = [{"Name": "tag:petal:build-id", "Values": ["host-keys"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    ((instance,),) = [found["Instances"] for found in ec2.describe_instances(Filters=filters)["Reservations"]]
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert "unreachable: True" in changed.stdout, changed.stdout + changed.stderr
    assert f"Host key for {instance['InstanceId'].lower()} has changed" in changed.stdout
    assert known_to_the_user() == before
    # The list ends with the run.
    assert list(tmp_path.glob("**/petal-known-hosts")) == []
