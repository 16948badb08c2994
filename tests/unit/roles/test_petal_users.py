"""The hook that makes users on a node, run over a copy-on-write /etc of this machine, which stays as it is."""

import os
import pathlib
import subprocess

import pytest

from plugins.module_utils._core.cluster.hooks import people_arguments

HOOK = pathlib.Path(__file__).resolve().parents[3] / "roles/cluster_config/files/hooks/petal-users.sh"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a mount namespace of its own")

NODE = """
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay none -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mount -t tmpfs none /home
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
"""
CHEMISTS = {
    "groups": [{"name": "chem", "gid": 6001}, {"name": "bio", "gid": 6002}],
    "users": [
        {"name": "ada", "uid": 5001, "gid": 5001, "groups": ["chem", "bio"]},
        {"name": "bob", "uid": 5002, "gid": 5002, "groups": []},
        {"name": "eve", "uid": 5003, "gid": 6001, "groups": []},
    ],
}


@pytest.fixture
def node(tmp_path):
    """Run a shell script on a node whose users are this machine's; `$HOOK` is the hook."""

    def run(script):
        command = ["unshare", "--mount", "sh", "-ec", NODE + script, "sh", tmp_path]
        return subprocess.run(command, env={**os.environ, "HOOK": str(HOOK)}, capture_output=True, text=True, check=False, timeout=60)

    return run


def hook(seed):
    return f"sh $HOOK {' '.join(people_arguments(seed['users'], seed['groups']))}"


def test_users_and_groups_have_the_ids_of_the_seed_however_often_it_runs(node):
    done = node(f"{hook(CHEMISTS)}\n{hook(CHEMISTS)}\nid ada; id bob; id eve; stat -c %u:%g /home/ada")
    assert done.stdout.splitlines() == [
        "uid=5001(ada) gid=5001(ada) groups=5001(ada),6001(chem),6002(bio)",
        "uid=5002(bob) gid=5002(bob) groups=5002(bob)",
        "uid=5003(eve) gid=6001(chem) groups=6001(chem)",
        "5001:5001",
    ], done.stderr


def test_a_node_with_more_groups_of_its_own_gives_the_same_ids(node):
    there = "groupadd --gid 5001 local; groupadd --gid 1003 other; groupdel local"
    done = node(f"{there}\n{hook(CHEMISTS)}\nid ada; getent group chem bio")
    assert done.stdout.splitlines() == [
        "uid=5001(ada) gid=5001(ada) groups=5001(ada),6001(chem),6002(bio)",
        "chem:x:6001:ada",
        "bio:x:6002:ada",
    ], done.stderr


def test_nobody_can_read_the_files_of_another_user(node):
    done = node(f"{hook(CHEMISTS)}\necho secret >/home/note; chown bob:bob /home/note; chmod 660 /home/note\nsu ada -c 'cat /home/note'")
    assert done.returncode != 0
    assert "secret" not in done.stdout


def test_users_that_share_a_group_without_a_name_share_its_id(node):
    users = [{"name": name, "uid": uid, "gid": 14100, "groups": []} for name, uid in (("ann", 14101), ("ben", 14102))]
    done = node(f"{hook({'users': users, 'groups': []})}\nid ben")
    assert done.stdout == "uid=14102(ben) gid=14100(ann) groups=14100(ann)\n", done.stderr


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("useradd -u 5001 -g root mallory", "uid 5001 of ada is taken: mallory"),
        ("useradd -u 6000 -g root ada", "ada exists with another uid: 6000, not 5001"),
        ("useradd -u 5001 -g root ada", "ada exists with another gid: 0, not 5001"),
        ("groupadd -g 6000 ada", "group ada exists with another gid: 6000, not 5001"),
        ("groupadd -g 5001 local", "gid 5001 of group ada is taken: local"),
        ("groupadd -g 6000 chem", "group chem exists with another gid: 6000, not 6001"),
        ("groupadd -g 6001 local", "gid 6001 of group chem is taken: local"),
    ],
)
def test_what_is_somebody_elses_on_the_node_is_refused_before_anything_is_made(node, before, words):
    unchanged = "cmp /etc/passwd /home/passwd; cmp /etc/group /home/group"
    done = node(f"{before}\ncp /etc/passwd /etc/group /home\n{hook(CHEMISTS)} || rc=$?\n{unchanged}; exit $rc")
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert "Change these ids or names in the seed" in done.stderr


def test_every_problem_of_a_node_is_told_at_once(node):
    done = node(f"groupadd -g 6001 one; groupadd -g 6002 two; useradd -u 5002 -g root mallory\n{hook(CHEMISTS)}")
    assert done.stderr.count("\n  - ") == 3, done.stderr


def test_a_group_without_an_id_is_refused(node):
    done = node("sh $HOOK ada:5001:5001:chem")
    assert (done.returncode, "group chem of ada comes without a gid" in done.stderr) == (1, True), done.stderr
