import pytest

from plugins.module_utils._core.cluster.hooks import (
    bucket_argument,
    hook_scripts,
    hooks_url_problems,
    own_scripts,
    people_arguments,
    s3_access,
    script_problems,
    user_argument,
)
from plugins.module_utils._core.cluster.storage import BucketMount

ADA = {"name": "ada", "uid": 5001, "gid": 5000, "groups": ["chem", "bio"]}
DATA = BucketMount("data", "/s3/shared/data", "/shared/data")
READ_ONLY = BucketMount("data", "/reference", read_only=True)


def test_nodes_run_one_script_for_each_thing_they_lack():
    assert hook_scripts("s3://site/petal/", "/shared", [ADA], [DATA]) == [
        {"script": "s3://site/petal/petal-software.sh", "args": ["/shared"]},
        {"script": "s3://site/petal/petal-users.sh", "args": ["ada:5001:5000:chem,bio"]},
        {"script": "s3://site/petal/petal-buckets.sh", "args": ["data:/s3/shared/data:/shared/data:rw"]},
    ]


def test_what_the_seed_lacks_needs_no_script():
    assert hook_scripts("s3://site", "", [], []) == []
    assert [action["script"] for action in hook_scripts("s3://site", "/shared", [], [])] == ["s3://site/petal-software.sh"]


def test_without_a_place_for_scripts_there_are_none():
    assert hook_scripts("", "/shared", [ADA], [DATA]) == []


def test_every_group_of_the_seed_comes_with_its_id_before_the_users():
    groups = [{"name": "chem", "gid": 6001}, {"name": "bio", "gid": 6002}]
    assert people_arguments([ADA], groups) == ["chem:6001", "bio:6002", "ada:5001:5000:chem,bio"]
    assert hook_scripts("s3://site", "", [ADA], [], groups)[0]["args"][0] == "chem:6001"
    assert people_arguments([], groups) == []


def test_arguments_are_texts_without_spaces():
    assert user_argument({"name": "bob", "uid": 1, "gid": 2}) == "bob:1:2:"
    assert bucket_argument(READ_ONLY) == "data:/reference::ro"


@pytest.mark.parametrize("url", ["", "s3://bucket", "s3://bucket/a/b", "https://example.org/x"])
def test_scripts_come_from_s3_or_https(url):
    assert hooks_url_problems(url) == []


@pytest.mark.parametrize("url", ["http://example.org", "/tmp/hooks", "s3://", "https://"])
def test_scripts_from_elsewhere_are_refused(url):
    assert "s3://bucket/prefix and https://" in hooks_url_problems(url)[0]


def test_nodes_may_write_what_they_mount_and_read_the_scripts():
    assert s3_access([DATA], ["s3://site/petal/petal-users.sh", "s3://site/petal/petal-software.sh", "https://example.org/x.sh"]) == [
        {"bucket": "data", "key": "", "write": True},
        {"bucket": "site", "key": "petal/*", "write": False},
    ]


def test_a_bucket_mounted_twice_is_named_once_and_writable_if_one_mount_is():
    assert s3_access([READ_ONLY, DATA], "") == [{"bucket": "data", "key": "", "write": True}]
    assert s3_access([READ_ONLY], "s3://data") == [{"bucket": "data", "key": "", "write": False}]


def test_own_scripts_run_with_their_arguments_as_text():
    assert own_scripts([{"script": "s3://site/own/tune.sh", "args": [5]}, {"script": "https://example.org/x.sh"}]) == [
        {"script": "s3://site/own/tune.sh", "args": ["5"]},
        {"script": "https://example.org/x.sh", "args": []},
    ]


def test_a_script_that_parallelcluster_cannot_fetch_is_refused():
    (problem,) = script_problems([{"script": "/root/tune.sh"}, {"script": "s3://site/own/tune.sh"}])
    assert "/root/tune.sh" in problem
