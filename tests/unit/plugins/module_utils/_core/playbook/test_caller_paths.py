import json

import pytest

from plugins.module_utils._core.playbook.caller_paths import absolute_options


def absolute(path):
    return f"/caller/{path}" if not path.startswith("/") else path


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"registry": "relreg"}, {"registry": "/caller/relreg"}),
        ({"registry": "/srv/registry"}, {"registry": "/srv/registry"}),
        ({"signing_key": "key", "cache_dir": "cache"}, {"signing_key": "/caller/key", "cache_dir": "/caller/cache"}),
        ({"registries": ["one", "s3://b/two"]}, {"registries": ["/caller/one", "s3://b/two"]}),
        ({"registries": "one, s3://b/two"}, {"registries": "/caller/one,s3://b/two"}),
        (
            {"sources": [{"type": "community", "registry": "one", "allowed_signers": "signers"}, {"type": "local"}]},
            {"sources": [{"type": "community", "registry": "/caller/one", "allowed_signers": "/caller/signers"}, {"type": "local"}]},
        ),
        ({"pcluster": "bin/pcluster", "config": "one.yaml"}, {"pcluster": "/caller/bin/pcluster", "config": "/caller/one.yaml"}),
    ],
    ids=json.dumps,
)
def test_a_relative_path_counts_from_the_directory_of_the_caller(options, seen):
    assert absolute_options(options, absolute) == seen


@pytest.mark.parametrize(
    "options",
    [
        *(
            {"registry": address}
            for address in ("s3://b/p", "git+file:///srv/x.git", "https://x.org/r", "github:a/b@main", "file:///srv/r")
        ),
        {"registry": "http://x.org"},  # refused by the module, which says why
        {"registry": ""},
        {"registry": None, "registries": [], "sources": None},
        {"registries": '["one"]'},
        {"sources": "text"},
        {"pcluster": "pcluster"},
        {"name": "relreg", "region": "us-east-1", "wait": True},
        {"registry": 7, "registries": {"a": "b"}, "sources": [7]},
    ],
    ids=str,
)
def test_what_is_no_path_stays_as_it_is(options):
    assert absolute_options(options, absolute) == options
