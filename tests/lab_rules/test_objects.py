"""Two writers of one S3 object."""

from __future__ import annotations

import concurrent.futures

import pytest
from botocore.exceptions import ClientError

from tests.lab_rules.expectations import proves, refused

WRITERS, ROUNDS = 4, 4
# Large enough for moto to let go of the processor between looking and storing.
CONTENT = b"petal" * 1_600_000


@pytest.fixture
def s3(lab):
    client = lab.client("s3", retries=0)
    client.create_bucket(Bucket="petal-objects")
    yield client
    for found in client.list_objects_v2(Bucket="petal-objects").get("Contents", []):
        client.delete_object(Bucket="petal-objects", Key=found["Key"])
    client.delete_bucket(Bucket="petal-objects")


def succeeds(change, **parameters):
    try:
        change(Bucket="petal-objects", **parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("PreconditionFailed", "NoSuchKey")
        return False
    return True


@proves("conditional_changes_are_atomic")
def test_one_of_several_writers_makes_an_object(s3):
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        for round_ in range(ROUNDS):
            made = [
                pool.submit(succeeds, s3.put_object, Key=f"index-{round_}", Body=CONTENT, IfNoneMatch="*") for _writer in range(WRITERS)
            ]
            assert sum(writer.result() for writer in made) == 1


def test_a_deletion_never_takes_what_a_writer_has_just_made(s3):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _round in range(ROUNDS):
            version = s3.put_object(Bucket="petal-objects", Key="index", Body=b"old")["ETag"]
            written = pool.submit(succeeds, s3.put_object, Key="index", Body=CONTENT, IfMatch=version)
            deleted = pool.submit(succeeds, s3.delete_object, Key="index", IfMatch=version)
            assert written.result() != deleted.result()


def test_a_version_that_is_gone_is_refused(s3):
    version = s3.put_object(Bucket="petal-objects", Key="index", Body=b"old")["ETag"]
    s3.put_object(Bucket="petal-objects", Key="index", Body=b"new", IfMatch=version)
    with refused("PreconditionFailed"):
        s3.put_object(Bucket="petal-objects", Key="index", Body=b"late", IfMatch=version)
    with refused("PreconditionFailed"):
        s3.delete_object(Bucket="petal-objects", Key="index", IfMatch=version)
    with refused("NoSuchKey"):
        s3.put_object(Bucket="petal-objects", Key="nothing", Body=b"late", IfMatch=version)
