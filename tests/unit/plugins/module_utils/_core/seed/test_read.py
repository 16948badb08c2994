# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import copy
import json
import pathlib
import re

import jsonschema
import pytest
import yaml

from plugins.module_utils._core.errors import ExplainedError, ManyProblems
from plugins.module_utils._core.seed import read as seed_module
from plugins.module_utils._core.seed.read import read_seed

ROOT = pathlib.Path(__file__).parents[6]
SCHEMA = json.loads((ROOT / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))
SEEDS = ROOT / "tests" / "data" / "seeds"
READABLE = sorted(path for path in SEEDS.rglob("*.yaml") if path.name != "rna-seq.yaml")

VALID = {
    "cluster": {"name": "demo", "region": "us-east-1"},
    "compute": {"head_node": "m6a.large", "queues": [{"name": "compute", "instance_types": ["c6a.xlarge"], "max_count": 4}]},
}


def read(data):
    return read_seed(data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), SCHEMA, "seed.yaml")


def problems_of(data):
    with pytest.raises(ManyProblems) as error:
        read(data)
    return error.value.problems


def with_value(*path, value):
    """Return VALID with one value put at a path; lists and mappings on the way are made."""
    data = copy.deepcopy(VALID)
    place = data
    for key, following in zip(path, [*path[1:], None], strict=True):
        if following is None:
            place[key] = value
        elif isinstance(place, list):
            place += [{}] * (key + 1 - len(place))
            place = place[key]
        else:
            place = place.setdefault(key, [] if isinstance(following, int) else {})
    return data


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_every_example_and_every_real_seed_is_accepted(path):
    found = read_seed(path.read_text(encoding="utf-8"), SCHEMA, path.name)
    assert [warning for warning in found.warnings if "no longer lists p3" not in warning] == []


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_description_of_seeds_names_every_key():
    text = (ROOT / "docs" / "seed.md").read_text(encoding="utf-8")
    described = {word for marked in re.findall(r"^### (\w+)|`([\w.]+)`", text, re.MULTILINE) for part in marked for word in part.split(".")}
    assert set(_keys(SCHEMA)) - described == set()


def _keys(schema):
    """Yield every key that a seed may have."""
    for key, inner in schema.get("properties", {}).items():
        yield key
        yield from _keys(inner)
    for inner in [schema["items"]] if "items" in schema else schema.get("$defs", {}).values():
        yield from _keys(inner)


def test_the_example_of_the_description_is_the_smallest_seed():
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "seed.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    assert example in (SEEDS / "minimal.yaml").read_text(encoding="utf-8")


def test_a_minimal_seed_gets_every_default():
    assert read(VALID).seed == {
        "cluster": {"name": "demo", "region": "us-east-1", "os": "alinux2023", "custom_ami": None},
        "compute": {
            "head_node": "m6a.large",
            "head_node_root_volume_gib": None,
            "queues": [
                {
                    "name": "compute",
                    "instance_types": ["c6a.xlarge"],
                    "min_count": 0,
                    "max_count": 4,
                    "capacity_type": "ONDEMAND",
                    "allocation_strategy": None,
                    "efa": None,
                    "placement_group": None,
                    "disable_smt": False,
                    "custom_ami": None,
                }
            ],
            "login_nodes": None,
        },
        "software": {
            "spack_packages": [],
            "spack_version": None,
            "recipes_version": None,
            "compiler": None,
            "externals": {},
            "modules": {"tree": "flat", "defaults": {}},
            "target": None,
            "smoke": {},
        },
        "users": [],
        "groups": [],
        "data": {"s3_mounts": []},
    }


def test_what_is_written_in_another_way_comes_out_in_one():
    seed = read((SEEDS / "bioinformatics.yaml").read_text(encoding="utf-8")).seed
    assert seed["cluster"]["os"] == "alinux2023"
    assert (seed["compute"]["head_node"], seed["compute"]["head_node_root_volume_gib"]) == ("m6a.xlarge", 60)
    assert seed["compute"]["login_nodes"] == {"instance_type": "t3.large", "count": 2}
    assert seed["compute"]["queues"][0]["capacity_type"] == "SPOT"
    assert seed["users"][1] == {"name": "ben", "uid": 5002, "gid": 5000, "groups": []}
    assert seed["data"]["s3_mounts"][1] == {"bucket": "example-genomics-results", "mount_point": "/data/results", "read_only": False}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("spot", "SPOT"), ("on-demand", "ONDEMAND"), ("OnDemand", "ONDEMAND"), ("ON_DEMAND", "ONDEMAND"), ("SPOT", "SPOT")],
)
def test_a_capacity_type_may_be_spelt_in_any_case(written, canonical):
    queue = read(with_value("compute", "queues", 0, "capacity_type", value=written)).seed["compute"]["queues"][0]
    assert queue["capacity_type"] == canonical


@pytest.mark.parametrize(("written", "canonical"), [("1.2.2", "v1.2.2"), ("v1.2.2", "v1.2.2"), ("develop", "develop")])
def test_a_release_may_be_written_without_its_v(written, canonical):
    assert read(with_value("software", "spack_version", value=written)).seed["software"]["spack_version"] == canonical


def test_a_section_without_content_is_as_good_as_none():
    assert read({**VALID, "users": None, "software": {"spack_packages": None}, "data": None}).seed == read(VALID).seed


def test_a_smoke_command_may_have_several_lines():
    software = {"spack_packages": ["zlib"], "smoke": {"zlib": "true\ntrue\n"}}
    assert read({**VALID, "software": software}).seed["software"]["smoke"] == software["smoke"]


def test_a_user_without_group_gets_one_of_the_same_number():
    assert read(with_value("users", value=[{"name": "ada", "uid": 5001}])).seed["users"][0]["gid"] == 5001


def test_anchors_may_be_kept_under_a_key_of_ones_own():
    text = """
    x-types: &types [c6a.xlarge, c6i.xlarge]
    cluster: {name: demo, region: us-east-1}
    compute:
      head_node: m6a.large
      queues:
        - &queue {name: one, instance_types: *types, max_count: 4}
        - {<<: *queue, name: two}
    """
    assert [queue["instance_types"] for queue in read(text).seed["compute"]["queues"]] == [["c6a.xlarge", "c6i.xlarge"]] * 2


def mount(**changes):
    return [{"bucket": "example-bucket", "mount_point": "/data/in", **changes}]


QUEUE = ("compute", "queues", 0)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("cluster", "name"), "1st", "cluster.name (line 2): '1st' must begin with a letter"),
        (("cluster", "name"), "a" * 61, "at most 60 letters"),
        (("cluster", "name"), "my_cluster", "'my_cluster' must begin with a letter and hold at most 60 letters, digits and dashes"),
        (("cluster", "region"), "us-east", "'us-east' is not spelt like a region, such as us-east-1"),
        (("cluster", "os"), "alinux2", "Choose from alinux2023, ubuntu2204"),
        (("cluster", "regoin"), "us-east-1", "cluster.regoin (line 4): there is no such key here; did you mean region?"),
        (("cluster", "region"), "us-east-1\n", "cluster.region (line 3): 'us-east-1\\n' holds a line break"),
        (("cluster", "x-colour"), "red", "cluster.x-colour (line 4): there is no such key here"),
        (("cluster", "colour"), "red", "there is no such key here; choose from name, region, os, custom_ami"),
        (("cluster", "custom_ami"), "ami-xyz", "'ami-xyz' is not an image id"),
        (("sofware",), {}, "sofware (line 11): there is no such key here; did you mean software?"),
        (("compute", "head_node"), "c5.3xlarge", "EC2 has no instance type 'c5.3xlarge'; the nearest are c5.xlarge"),
        (("compute", "head_node"), {"instance_type": "c5.3xlarge"}, "compute.head_node.instance_type (line 6): EC2 has no"),
        (("compute", "head_node"), {"root_volume_gib": 60}, "compute.head_node (line 5): 'instance_type' is missing"),
        (("compute", "head_node"), {"instance_type": "m6a.large", "root_volume_gib": 5}, "5 is too small; 35 is the least"),
        (("compute", "head_node"), ["m6a.large"], "a list stands where text or a mapping"),
        (("compute", "login_nodes"), {"instance_type": "t3.grande"}, "compute.login_nodes.instance_type (line 12): EC2 has no"),
        (("compute", "queues"), [], "compute.queues (line 6): it is empty"),
        ((*QUEUE, "name"), "", "compute.queues[0].name (line 7): it is empty"),
        ((*QUEUE, "instance_types"), [], "compute.queues[0].instance_types (line 8): it is empty"),
        ((*QUEUE, "instance_types"), ["c6a.xlarge", "nosuch.large"], "compute.queues[0].instance_types[1] (line 10): EC2 has no"),
        ((*QUEUE, "instance_types"), "c6a.xlarge", "'c6a.xlarge' stands where a list belongs"),
        ((*QUEUE, "max_count"), "ten", "compute.queues[0].max_count (line 10): 'ten' stands where a whole number belongs"),
        ((*QUEUE, "max_count"), 4.0, "4.0 stands where a whole number belongs"),
        ((*QUEUE, "max_count"), True, "True stands where a whole number belongs"),
        ((*QUEUE, "max_count"), 0, "0 is too small; 1 is the least"),
        ((*QUEUE, "min_count"), 5, "compute.queues[0].min_count (line 11): 5 is more than max_count, 4"),
        ((*QUEUE, "min_count"), -1, "-1 is too small; 0 is the least"),
        ((*QUEUE, "capacity_type"), "cheap", "'cheap' is not one of ONDEMAND, SPOT, CAPACITY_BLOCK"),
        ((*QUEUE, "allocation_strategy"), "cheapest", "'cheapest' is not one of lowest-price, prioritized"),
        (
            (*QUEUE, "allocation_strategy"),
            "capacity-optimized",
            "does not go with capacity_type ONDEMAND; choose from lowest-price, prioritized",
        ),
        (
            (*QUEUE, "capacity_type"),
            "capacity-block",
            "compute.queues[0].instance_types[0] (line 9): c6a.xlarge is not sold as CAPACITY_BLOCK",
        ),
        ((*QUEUE, "efa"), True, "c6a.xlarge has no Elastic Fabric Adapter"),
        ((*QUEUE, "efa"), "yes please", "'yes please' stands where true or false belongs"),
        (("software", "spack_packages"), ["zlib", "zlib@@"], "software.spack_packages[1] (line 14): 'zlib@@' is no Spack spec"),
        (("software", "spack_packages"), ["bonnie++@2.00a"], "write bonniepp"),
        (("software", "spack_packages"), [3.1], "software.spack_packages[0] (line 13): 3.1 is not text to YAML; write it in quotes"),
        (("software", "spack_version"), 1.2, "1.2 is not text to YAML; write it in quotes"),
        (("software", "spack_version"), "v1 2", "'v1 2' is not a tag, branch or commit"),
        (("software", "spack_version"), "0.23.1", "software.spack_version (line 12): Spack 0.23.1 cannot be used: builds need Spack 1.2"),
        (("software", "compiler"), "gcc 12", "software.compiler (line 12): 'gcc 12' is no Spack spec"),
        (("software", "externals"), {"slurm": "24-05-8-1"}, "'24-05-8-1' is no version as the software itself says it, such as 24.05.8"),
        (
            ("software", "externals"),
            {"slurp": "24.05.8"},
            "software.externals.slurp (line 13): there is no such key here; did you mean slurm?",
        ),
        (("software", "modules"), {"tree": "high"}, "'high' is not one of flat, hierarchy"),
        (("software", "modules"), {"defaults": {"zlip": "1.3"}}, "modules.defaults.zlip (line 14): zlip is not among spack_packages"),
        (("software", "smoke"), {"zlip": "true"}, "software.smoke.zlip (line 13): zlip is not among spack_packages"),
        (("users",), [{"name": "Ada", "uid": 5001}], "'Ada' must be lower case"),
        (("users",), [{"name": "root", "uid": 5001}], "root is a user that the nodes' image brings along"),
        (("users",), [{"name": "ubuntu", "uid": 5001}], "ubuntu is a user that the nodes' image brings along"),
        (("users",), [{"name": "ada", "uid": 0}], "users[0].uid (line 13): 0 is too small"),
        (("users",), [{"name": "ada", "uid": "5001"}], "'5001' stands where a whole number belongs"),
        (
            ("users",),
            [{"name": "ada", "uid": 5001}, {"name": "ada", "uid": 5002}],
            "users[1].name (line 14): another user has the name ada",
        ),
        (("users",), [{"name": "ada", "uid": 5001}, {"name": "bob", "uid": 5001}], "another user has the uid 5001 too"),
        (("data", "s3_mounts"), mount(bucket="s3://a-bucket/in"), "'s3://a-bucket/in' is a URL; give the bucket's name alone, 'a-bucket'"),
        (("data", "s3_mounts"), mount(bucket="My_Bucket"), "'My_Bucket' is no bucket name: 3 to 63"),
        (("data", "s3_mounts"), mount(bucket="a..b"), "'a..b' is no bucket name"),
        (("data", "s3_mounts"), mount(bucket="192.168.1.1"), "S3 keeps IP addresses"),
        (("data", "s3_mounts"), mount(bucket="xn--bucket"), "S3 keeps IP addresses, such beginnings"),
        (("data", "s3_mounts"), mount(mount_point="data"), "'data' must be an absolute path"),
        (("data", "s3_mounts"), mount(mount_point="/data/../etc"), "without .."),
        (("data", "s3_mounts"), mount(mount_point="/usr/"), "/usr belongs to the system; mount the bucket elsewhere"),
        (("data", "s3_mounts"), mount(mount_point="/etc/petal"), "/etc/petal belongs to the system"),
        (
            ("data", "s3_mounts"),
            mount() + mount(mount_point="/data//in/"),
            "data.s3_mounts[1].mount_point (line 16): another bucket is mounted at /data/in too",
        ),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_named_with_its_place_and_the_remedy(path, value, problem):
    (only,) = problems_of(with_value(*path, value=value))
    assert problem in only


def test_two_queues_of_one_name_are_refused():
    queues = [*VALID["compute"]["queues"], {**VALID["compute"]["queues"][0], "max_count": 5}]
    assert "compute.queues[1].name (line 11): another queue is called 'compute' too" in problems_of(
        with_value("compute", "queues", value=queues)
    )


def test_types_that_are_not_sold_as_spot_are_refused_for_a_spot_queue():
    queue = {"name": "mpi", "instance_types": ["hpc6a.48xlarge"], "max_count": 2, "capacity_type": "spot"}
    assert "hpc6a.48xlarge is not sold as SPOT" in problems_of(with_value("compute", "queues", value=[queue]))[0]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    text = """\
cluster:
  name: 1st
  region: us-east-1
compute:
  head_node: nosuch.large
  queues:
    - name: compute
      instance_types: [c6a.xlarge]
      min_count: 9
      max_count: 4
users:
  - {name: ada, uid: x}
"""
    with pytest.raises(ManyProblems) as error:
        read(text)
    assert [problem.partition(" ")[0] for problem in error.value.problems] == [
        "cluster.name",
        "compute.head_node",
        "compute.queues[0].min_count",
        "users[0].uid",
    ]
    assert str(error.value).startswith("seed.yaml is no valid seed:\n  - cluster.name (line 2): ")
    assert str(error.value).endswith("docs/seed.md describes every key.")


def test_missing_parts_are_named():
    assert problems_of({"cluster": {"region": "us-east-1"}}) == ["the seed: 'compute' is missing", "cluster (line 1): 'name' is missing"]


@pytest.mark.parametrize("text", ["just text", "[1, 2]", "7"])
def test_what_is_no_mapping_is_refused(text):
    assert "stands where a mapping (key: value) belongs" in problems_of(text)[0]


@pytest.mark.parametrize(
    "noise",
    [
        None,
        7,
        "text",
        [7],
        [[]],
        [{"name": [], "uid": {}, "gid": [], "groups": 7}],
        [{"groups": [7, []]}],
        {"queues": 7},
        {"queues": [7, None, {"instance_types": {}}]},
        {"s3_mounts": [{"bucket": 7}]},
    ],
)
@pytest.mark.parametrize("section", ["cluster", "compute", "software", "users", "groups", "data"])
def test_any_nonsense_is_refused_or_ignored_but_never_fails(section, noise):
    try:
        read({**VALID, section: noise})
    except ManyProblems as error:
        assert error.problems


@pytest.mark.parametrize(
    ("path", "value", "warning"),
    [
        ((*QUEUE, "instance_types"), ["c6a.xlarge", "p3.2xlarge"], "instance_types[1] (line 10): EC2 no longer lists p3.2xlarge"),
        ((*QUEUE, "instance_types"), ["c6a.xlarge", "c6a.xlarge"], "instance_types[1] (line 10): c6a.xlarge is listed twice"),
        (("users",), [{"name": "ada", "uid": 70000}], "70000 is outside 1000 to 60000"),
        (("groups",), [{"name": "chem", "gid": 70000}], "groups[0].gid (line 13): 70000 is outside 1000 to 60000"),
    ],
)
def test_what_merely_looks_wrong_is_a_warning(path, value, warning):
    assert [one for one in read(with_value(*path, value=value)).warnings if warning in one]


def test_a_type_listed_twice_counts_once():
    seed = read(with_value(*QUEUE, "instance_types", value=["c6a.xlarge", "c6i.xlarge", "c6a.xlarge"])).seed
    assert seed["compute"]["queues"][0]["instance_types"] == ["c6a.xlarge", "c6i.xlarge"]


def test_a_missing_key_is_named_whatever_the_words_of_the_schema_library(monkeypatch):
    monkeypatch.setattr("jsonschema.ValidationError.message", property(lambda _error: "?", lambda _error, _words: None), raising=False)
    assert problems_of({"cluster": {}}) == [
        "the seed: 'compute' is missing",
        "cluster (line 1): 'name' is missing",
        "cluster (line 1): 'region' is missing",
    ]


def test_a_missing_jsonschema_is_explained(monkeypatch):
    monkeypatch.setattr(seed_module, "jsonschema", None)
    with pytest.raises(ExplainedError, match=r"needs the Python library jsonschema.*requirements\.txt"):
        read(VALID)
