"""A head node exports a volume, and a compute node uses what is on it: NFSv4 with both ends in user space."""

import json
import os
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chain.instance import Instance
from tests.lab.fixtures import lab_hosts  # noqa: F401

pytestmark = pytest.mark.hosts
ROOT = pathlib.Path(__file__).resolve().parents[2]
# What users find in a software tree: a program, links to it, a big library, files that not everybody may read.
FILL = """
set -e
mkfs.ext4 -q {device}; mkdir -p /shared; mount {device} /shared
mkdir -p /shared/bin "/shared/a folder"; cd /shared
cp /bin/uname bin/program; ln -s program bin/link; ln -s /shared/bin/link "a folder/absolute"
head -c 20000000 /dev/urandom > library; sha256sum library > checksum
echo secret > private; chmod 600 private
"""


@pytest.fixture(scope="module")
def nodes(lab_hosts, tmp_path_factory):  # noqa: F811
    """(head, compute), with a filled volume in /shared of the head, seen in /shared of compute."""
    head, compute = Instance(lab_hosts), Instance(lab_hosts)
    volume, device = head.attach_new_volume()
    head.run(FILL.format(device=device), user="root")
    run_playbook(lab_hosts, tmp_path_factory.mktemp("nfs") / "inventory.json", head=head, compute=compute)
    yield head, compute
    head.terminate()
    compute.terminate()
    ec2 = lab_hosts.client("ec2")
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    ec2.delete_volume(VolumeId=volume)


def run_playbook(lab, inventory, **hosts):
    """Run nfs.yml twice: the second run must change nothing."""
    connection = {
        "ansible_user": "ec2-user",
        "ansible_ssh_private_key_file": lab.variables["build_host_private_key_file"],
    }
    entries = {name: {"ansible_host": host.address, "ansible_ssh_common_args": host.ssh_arguments} for name, host in hosts.items()}
    inventory.write_text(json.dumps({"all": {"hosts": entries, "vars": connection}}))
    ansible_playbook = pathlib.Path(sys.executable).with_name("ansible-playbook")
    for attempt in ("first", "second"):
        result = subprocess.run(
            [ansible_playbook, "-i", inventory, ROOT / "tests/chain/nfs.yml"],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        assert attempt == "first" or result.stdout.count("changed=0") == 2, result.stdout


def test_a_program_of_the_head_node_runs_on_the_compute_node(nodes):
    _, compute = nodes
    assert compute.run("'/shared/a folder/absolute'") == "Linux"


def test_the_compute_node_reads_the_same_bytes(nodes):
    _, compute = nodes
    assert compute.run("cd /shared && sha256sum --check checksum") == "library: OK"


def test_both_nodes_see_the_same_tree(nodes):
    head, compute = nodes
    listing = r"cd /shared && find . ! -name lost+found -printf '%P %y %m %u %s %T@ %l\n' | grep -v '^ d' | sort"
    assert head.run(listing) == compute.run(listing)


def test_the_mount_is_nfs_from_the_head_node_and_read_only(nodes):
    head, compute = nodes
    source, options = compute.run("findmnt --noheadings --output SOURCE,OPTIONS /shared").split()
    assert source == f"{head.address}:/shared"
    assert "ro" in options.split(",")
    assert compute.ssh("sudo touch /shared/new").returncode != 0


def test_permissions_hold_on_the_compute_node(nodes):
    _, compute = nodes
    assert compute.ssh("cat /shared/private").returncode != 0
    assert compute.run("sudo cat /shared/private") == "secret"


def test_the_mount_survives_a_server_that_has_forgotten_it(nodes):
    head, compute = nodes
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(compute.run, "exec 3< /shared/library; head -c 1 <&3 > /dev/null; sleep 4; wc --bytes <&3")
        time.sleep(2)
        head.run("sudo systemctl restart nfs-ganesha")
    assert reading.result() == "19999999"
    assert compute.run("/shared/bin/program") == "Linux"
