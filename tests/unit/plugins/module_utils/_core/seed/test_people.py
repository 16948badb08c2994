"""Users and groups of a seed, as a seed's reader sees them: each id belongs to one of them, on all nodes."""

import itertools
import json
import pathlib

import pytest
import yaml

from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.seed.people import SOFTWARE_OWNER, SOFTWARE_OWNER_ID
from plugins.module_utils._core.seed.read import read_seed

ROOT = pathlib.Path(__file__).parents[6]
SCHEMA = json.loads((ROOT / "schemas/seed.schema.json").read_text(encoding="utf-8"))
CLUSTER = {
    "cluster": {"name": "demo", "region": "us-east-1"},
    "compute": {"head_node": "m6a.large", "queues": [{"name": "compute", "instance_types": ["c6a.xlarge"], "max_count": 4}]},
}
ADA, BOB = {"name": "ada", "uid": 5001}, {"name": "bob", "uid": 5002}


def read(users, groups=()):
    return read_seed(yaml.safe_dump({**CLUSTER, "users": users, "groups": list(groups)}, sort_keys=False), SCHEMA, "seed.yaml").seed


def problems_of(users, groups=()):
    with pytest.raises(ManyProblems) as error:
        read(users, groups)
    return error.value.problems


def group(name, gid):
    return {"name": name, "gid": gid}


def test_a_group_has_the_id_that_the_seed_gives_it():
    seed = read([{**ADA, "groups": ["chem"]}, BOB], [group("chem", 6001)])
    assert seed["groups"] == [{"name": "chem", "gid": 6001}]
    assert seed["users"][0] == {"name": "ada", "uid": 5001, "gid": 5001, "groups": ["chem"]}


@pytest.mark.parametrize(
    ("users", "groups"),
    [
        ([{**ADA, "gid": 6001}, {**BOB, "gid": 6001}], [group("chem", 6001)]),
        # Seeds of petal have users with one gid, and no name for it.
        ([{**ADA, "gid": 6001}, {**BOB, "gid": 6001}], []),
        ([{**ADA, "groups": ["bob"]}, BOB], [group("bob", 5002)]),
        ([ADA, {**BOB, "gid": 7000}], [group("chem", 5002)]),
    ],
)
def test_users_may_share_a_group_that_is_nobodys_own(users, groups):
    read(users, groups)


@pytest.mark.parametrize("number", [1, 0, 100, 400, 401, 405, 999, 1000, 5150, 65534, 65535, 4294967295, -1])
@pytest.mark.parametrize("kind", ["uid", "gid", "group"])
def test_ids_of_others_are_refused(number, kind):
    user, groups = ADA, []
    if kind == "group":
        groups = [group("chem", number)]
    else:
        user = {**ADA, kind: number}
    assert len([problem for problem in problems_of([user], groups) if str(number) in problem]) == 1


@pytest.mark.parametrize(
    "name", ["root", "ubuntu", "ec2-user", "rocky", "slurm", "munge", "pcluster-admin", "spack", "www-data", "systemd-journal"]
)
def test_a_user_with_the_name_of_one_of_the_image_is_refused(name):
    assert any(f"{name} is a user that the nodes' image brings along" in problem for problem in problems_of([{**ADA, "name": name}]))


@pytest.mark.parametrize(
    "name", ["root", "wheel", "sudo", "docker", "disk", "adm", "admin", "spack", "slurm", "ubuntu", "users", "systemd-journal"]
)
def test_nobody_gets_the_rights_of_a_system_group(name):
    (problem,) = problems_of([{**ADA, "groups": [name]}])
    assert problem.startswith("users[0].groups[0] (line ")
    assert "leave it out" in problem
    assert "that the nodes' image brings along" in problems_of([ADA], [group(name, 6001)])[0]
    # Declaring it does not help.
    assert problems_of([{**ADA, "groups": [name]}], [group(name, 6001)])


def test_a_group_without_an_id_is_refused_with_the_lines_to_add():
    users = [{**ADA, "groups": ["chem", "bio"]}, {**BOB, "groups": ["bio", "ada"]}, {"name": "eve", "uid": 6001}]
    problems = problems_of(users)
    assert [problem.rpartition(": ")[0].partition(" (line")[0] for problem in problems] == [
        "users[0].groups[0]",
        "users[0].groups[1]",
        "users[1].groups[0]",
        "users[1].groups[1]",
    ]
    lines = {problem.partition("seed's groups: - ")[2] for problem in problems}
    assert lines == {"{name: chem, gid: 6002}", "{name: bio, gid: 6003}", "{name: ada, gid: 5001}"}
    read(users, yaml.safe_load("\n".join(f"- {line}" for line in lines)))


@pytest.mark.parametrize(
    ("users", "groups", "place", "words"),
    [
        # What a node would have made of it: bob in the group chem, so that ada reads his files.
        ([{**ADA, "groups": ["chem"]}, BOB], [group("chem", 5002)], "groups[0].gid", "5002 is the own group of bob"),
        ([ADA, {**BOB, "gid": 5001}], [], "users[1].gid", "5001 is the own group of ada, whose files bob could change"),
        ([{**ADA, "gid": 5002}, BOB], [], "users[0].gid", "5002 is the own group of bob"),
        ([ADA, BOB], [group("chem", 6001), group("bio", 6001)], "groups[1].gid", "another group has the gid 6001 too"),
        ([ADA, BOB], [group("chem", 6001), group("chem", 6002)], "groups[1].name", "another group has the name chem too"),
        ([ADA, BOB], [group("bob", 6001)], "groups[0].name", "the user bob has the gid 5002, not 6001"),
        ([{**ADA, "gid": 7000}], [group("ada", 5001)], "groups[0].name", "the user ada has the gid 7000, not 5001"),
    ],
)
def test_an_id_belongs_to_one_user_or_group(users, groups, place, words):
    (problem,) = problems_of(users, groups)
    assert problem.startswith(f"{place} (line ")
    assert words in problem


def test_every_problem_is_told_at_once():
    users = [{"name": "root", "uid": 5150, "groups": ["wheel", "chem"]}, {"name": "bob", "uid": 401, "gid": 1000}]
    assert len(problems_of(users, [group("docker", 5150), group("docker", 1)])) >= 9


def test_whatever_is_accepted_gives_every_group_one_id():
    """All small seeds of two users and a group: those that pass name no gid twice but for a group that the seed says is shared."""
    accepted = 0
    for first, second, declared in itertools.product([None, 5001, 5002, 6001], [None, 5001, 5002, 6001], [5001, 5002, 6001, 6002]):
        users = [{**ADA, **({"gid": first} if first else {}), "groups": ["chem"]}, {**BOB, **({"gid": second} if second else {})}]
        try:
            seed = read(users, [group("chem", declared)])
        except ManyProblems:
            continue
        accepted += 1
        ada, bob = seed["users"]
        if bob["gid"] == bob["uid"]:
            assert bob["gid"] not in {ada["gid"], declared}
        if ada["gid"] == ada["uid"]:
            assert ada["gid"] not in {bob["gid"], declared}
    assert accepted > 5


def test_the_owner_of_the_software_is_the_one_that_seeds_refuse():
    defaults = yaml.safe_load((ROOT / "roles/spack_bootstrap/defaults/main.yml").read_text(encoding="utf-8"))
    of_role = [defaults[f"spack_bootstrap_{key}"] for key in ("owner", "group", "uid", "gid")]
    assert of_role == [SOFTWARE_OWNER, SOFTWARE_OWNER, SOFTWARE_OWNER_ID, SOFTWARE_OWNER_ID]
