import pytest

from plugins.module_utils._core.facts.buckets import is_bucket_name


@pytest.mark.parametrize("name", ["abc", "petal-snapshots", "data.example.org", "0" * 63])
def test_what_s3_takes(name):
    assert is_bucket_name(name)


@pytest.mark.parametrize("name", ["", "ab", "a" * 64, "Data", "s3://data", "-data", "data-", "da_ta", "data..org", "data\n"])
def test_what_s3_refuses(name):
    assert not is_bucket_name(name)
