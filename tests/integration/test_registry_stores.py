"""Registries in every kind of storage: many writers lose nothing, and a writer that is killed leaves no half."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import time

import boto3
import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._core.registry.index import index_lines
from plugins.module_utils._registry.open import open_store
from plugins.module_utils._registry.store import Access

WRITERS, THREADS, EACH = 2, 10, 10
BUCKET = "petal-registry"


def bio(number):
    return Entry(
        f"bio-{number}",
        packages=("bwa@0.7.17",),
        snapshots=(RegisteredSnapshot("us-east-1", f"snap-{number:017x}", fingerprint=f"sha256:{number:064x}"),),
    )


@functools.cache
def s3_client(_endpoint):
    return boto3.client("s3")


def opened(place):
    return open_store(place, Access(s3=lambda: s3_client(os.environ["AWS_ENDPOINT_URL"])))


@pytest.fixture(scope="module")
def bucket(lab):
    lab.client("s3").create_bucket(Bucket=BUCKET)
    return BUCKET


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.lab)])
def place(request, tmp_path, monkeypatch):
    """A registry that does not exist yet, as users name it."""
    if request.param == "directory":
        return str(tmp_path / "registry")
    for name, value in request.getfixturevalue("lab").environment().items():
        monkeypatch.setenv(name, value)
    return f"s3://{request.getfixturevalue('bucket')}/{tmp_path.name}"


def register_some(place, first, count):
    for number in range(first, first + count):
        opened(place).update(f"bio-{number}", lambda _found, number=number: bio(number), time_limit=300)


def register_in_threads(place, first):
    threads = [threading.Thread(target=register_some, args=(place, first + EACH * number, EACH)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def processes(target, *arguments):
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=target, args=given) for given in arguments]
    for process in started:
        process.start()
    return started


def test_two_writers_with_200_registrations_at_the_same_time_lose_none(place):
    for process in processes(register_in_threads, *((place, 1000 * writer) for writer in range(WRITERS))):
        process.join()
        assert process.exitcode == 0
    store = opened(place)
    index = store.read_index()
    entries = list(store.read_entries(index.names))
    assert len(entries) == WRITERS * THREADS * EACH
    assert {line for entry in entries for line in index_lines(entry)} == set(index.lines)
    assert store.notes == []


def test_changes_of_one_entry_by_many_writers_all_remain(place):
    def add(number):
        def decide(found):
            snapshots = {*(found.snapshots if found else ()), *bio(number).snapshots}
            return Entry("bio", snapshots=tuple(sorted(snapshots, key=lambda one: one.key)))

        opened(place).update("bio", decide, time_limit=300)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = opened(place)
    assert len(store.read_entry("bio").snapshots) == 12
    assert store.read_index().lines_of("bio") == index_lines(store.read_entry("bio"))


def test_a_writer_that_is_killed_leaves_a_whole_index(place):
    register_some(place, 0, 3)
    for round_ in range(3):
        (writer,) = processes(register_some, (place, 100 * (round_ + 1), 1000))
        wait_for_more_than(place, 3 * (round_ + 1))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        store = opened(place)
        names = store.read_index().names
        assert len(list(store.read_entries(names))) == len(names)
        assert store.notes == []
    register_some(place, 100, 2)
    assert {"bio-0", "bio-100", "bio-101"} <= set(opened(place).read_index().names)


def wait_for_more_than(place, count):
    deadline = time.monotonic() + 120
    while len(opened(place).read_index().names) <= count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_removed_is_gone(place):
    store = opened(place)
    store.update("bio-1", lambda _found: bio(1), seed="cluster: {}\n")
    assert opened(place).read_seed("bio-1") == "cluster: {}\n"
    gone = opened(place).update("bio-1", lambda found: Entry("bio-1") if found else None)
    assert gone.changed
    again = opened(place)
    assert (again.read_entry("bio-1"), again.read_seed("bio-1"), again.read_index().names) == (None, None, [])
    assert not again.update("bio-1", lambda found: Entry("bio-1") if found else None).changed


def lose_the_index(place):
    store = opened(place)
    with store.locked(5):
        store._read("index.json", 1 << 20)
        store._delete("index.json")


def test_a_lost_index_costs_no_entry(place):
    register_some(place, 0, 3)
    version = opened(place).version()
    assert opened(place).version() == version
    lose_the_index(place)
    assert opened(place).version() != version
    register_some(place, 7, 1)
    assert opened(place).read_index().names == ["bio-0", "bio-1", "bio-2", "bio-7"] == sorted(opened(place).list_names())
    lose_the_index(place)
    assert opened(place).repair().added == ("bio-0", "bio-1", "bio-2", "bio-7")
    assert not opened(place).repair().changed


def test_writers_that_remove_and_register_at_the_same_time_leave_index_and_files_equal(place):
    register_some(place, 0, 10)

    def remove_some(first):
        for number in range(first, first + 5):
            opened(place).update(f"bio-{number}", lambda found, number=number: Entry(f"bio-{number}") if found else None, time_limit=300)

    threads = [threading.Thread(target=remove_some, args=(first,)) for first in (0, 5)]
    threads += [threading.Thread(target=register_some, args=(place, 100 * number, 5)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened(place).read_index().names == sorted(opened(place).list_names()) and len(opened(place).list_names()) == 10


def test_check_mode_writes_nothing(place):
    assert opened(place).update("bio-1", lambda _found: bio(1), save=False).changed
    assert opened(place).read_index().names == []


@pytest.mark.lab
def test_a_bucket_that_is_not_there_is_explained(lab):
    store = open_store("s3://no-such-bucket/registry", Access(s3=lambda: lab.client("s3")))
    with pytest.raises(ExplainedError, match="NoSuchBucket"):
        store.read_index()
