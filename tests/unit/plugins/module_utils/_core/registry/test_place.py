import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.place import Place, parse_place

RAW = "https://raw.githubusercontent.com/petal-hpc/petal-snapshots"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/srv/registry", Place("path", "/srv/registry")),
        ("registry", Place("path", "registry")),
        ("file:///srv/registry", Place("path", "/srv/registry")),
        ("s3://bucket", Place("s3", "s3://bucket", bucket="bucket")),
        ("s3://bucket/a/b/", Place("s3", "s3://bucket/a/b/", bucket="bucket", prefix="a/b/")),
        ("https://example.com/registry/", Place("https", "https://example.com/registry")),
        ("github:petal-hpc/petal-snapshots", Place("https", f"{RAW}/main")),
        ("github:petal-hpc/petal-snapshots@v2/stable", Place("https", f"{RAW}/v2/stable")),
        ("git+https://example.com/r.git", Place("git", "https://example.com/r.git")),
        ("git+ssh://git@example.com/r.git?branch=bio&base=main", Place("git", "ssh://git@example.com/r.git", branch="bio", base="main")),
        ("git+file:///srv/r.git", Place("git", "file:///srv/r.git")),
    ],
)
def test_a_text_names_a_place(text, place):
    assert parse_place(text) == place


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://example.com/registry", "http is neither private nor safe"),
        ("ftp://example.com", "ftp is no kind of storage"),
        ("https://user:secret@example.com", "must not hold a password"),
        ("https://example.com/?a=b", "has a query"),
        ("s3://Bad_Bucket/a", "is no name of a bucket"),
        ("s3://bucket/a/../b", "has a part"),
        ("git+ext://sh -c true", "git is used over"),
        ("git+http://example.com/r", "git is used over"),
        ("git+ssh://-oProxyCommand=true/r", "git is used over"),
        ("git+https://user:secret@example.com/r", "must not hold a password"),
        ("git+file:///srv/r.git?branch=--upload-pack=x", "is no name of a branch"),
        ("git+file:///srv/r.git?branch=a..b", "is no name of a branch"),
        ("git+file:///srv/r.git?depth=1", "depth is no option"),
        ("github:petal-hpc/petal@../../evil", "is no name of a branch"),
    ],
)
def test_what_cannot_or_must_not_be_used_is_refused_with_the_reason(text, reason):
    with pytest.raises(ExplainedError, match=reason):
        parse_place(text)
