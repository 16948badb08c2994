"""What every kind of registry keeps, wherever it lies: one suite, run over all that are written to, and over all that are read."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._core.registry.index import index_lines
from plugins.module_utils._registry.open import open_registry, open_store
from plugins.module_utils._registry.store import Access, digest_of
from tests.unit.plugins.module_utils._registry.test_https import certificate, server  # noqa: F401

SEED, SBOM = "cluster: {}\n", '{"spdxVersion": "SPDX-2.3"}\n'
SNAPSHOT = RegisteredSnapshot(
    "us-east-1", "snap-0123456789abcdef0", fingerprint="sha256:" + "0f3a" * 16, specs=("bwa@0.7",), sbom=digest_of(SBOM)
)
BIO = Entry("bio", "Genomics", ("bwa@0.7",), snapshots=(SNAPSHOT,))
CHEM = Entry("chem", snapshots=(RegisteredSnapshot("us-east-1", "snap-0123456789abcdef1", fingerprint="sha256:" + "1e2d" * 16),))
WRITTEN = ("directory", "git", pytest.param("s3", marks=pytest.mark.lab))


@pytest.fixture(params=WRITTEN)
def opened(request, tmp_path, monkeypatch):
    """Opens an empty registry, as one with a cache of their own would."""
    place, s3 = str(tmp_path / "registry"), None
    if request.param == "git":
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "remote")], check=True)
        place = f"git+file://{tmp_path}/remote"
    elif request.param == "s3":
        s3 = request.getfixturevalue("lab").client("s3")
        bucket = "contract-" + digest_of(str(tmp_path))[-12:]
        s3.create_bucket(Bucket=bucket)
        place = f"s3://{bucket}/registry"
    return lambda who="us": open_store(place, Access(s3=lambda: s3, cache_dir=str(tmp_path / who)))


def write(store, entry=BIO, **more):
    return store.update(entry.name, lambda _found: entry, **more)


def test_a_registry_that_nobody_has_written_to_is_empty(opened):
    store = opened()
    assert (store.read_index().lines, store.read_entry("bio"), store.read_seed("bio"), store.list_names()) == ((), None, None, set())


def test_what_one_writes_another_one_reads(opened):
    assert write(opened(), seed=SEED, sbom=SBOM).changed
    store = opened("somebody else")
    assert store.read_entry("bio") == BIO
    assert (store.read_seed("bio"), store.read_sbom("bio", digest_of(SBOM))) == (SEED, SBOM)
    assert store.read_index().lines == index_lines(BIO)
    assert (store.list_names(), store.notes) == ({"bio"}, [])


def test_writing_the_same_again_changes_nothing(opened):
    write(opened(), seed=SEED)
    version = opened().version()
    assert not write(opened(), seed=SEED).changed
    assert opened().version() == version is not None


def test_check_mode_says_what_it_would_do_and_writes_nothing(opened):
    assert write(opened(), save=False).changed
    assert opened().read_entry("bio") is None


def test_every_change_is_another_version(opened):
    versions = [opened().version()]
    for entry in (BIO, CHEM, dataclasses.replace(BIO, description="More"), dataclasses.replace(CHEM, snapshots=())):
        write(opened(), entry)
        versions.append(opened().version())
    assert len(set(versions)) == len(versions)


def test_what_is_removed_is_gone_with_all_that_lay_beside_it(opened):
    write(opened(), seed=SEED, sbom=SBOM)
    write(opened(), CHEM)
    assert write(opened(), Entry("bio")).changed
    store = opened("somebody else")
    assert (store.read_entry("bio"), store.read_seed("bio"), store.read_sbom("bio", digest_of(SBOM))) == (None, None, None)
    assert (store.read_index().names, store.list_names()) == (["chem"], {"chem"})


def test_a_change_that_meets_another_one_is_made_again_and_both_remain(opened):
    write(opened(), CHEM)
    others = [dataclasses.replace(CHEM, description="In between")]

    def decide(found):
        # In a directory the lock keeps the other writer out, until this one is done.
        if others and opened().place.startswith(("git", "s3")):
            write(opened("somebody else"), others.pop())
        return dataclasses.replace(found, tags=("ours",))

    opened().update("chem", decide)
    if others:
        write(opened(), dataclasses.replace(opened().read_entry("chem"), description=others.pop().description))
    entry = opened().read_entry("chem")
    assert (entry.description, entry.tags) == ("In between", ("ours",))


def test_an_index_that_is_lost_is_made_anew_from_the_files(opened):
    write(opened(), BIO)
    write(opened(), CHEM)
    store = opened()
    with store.locked(5):
        store._delete("index.json")
    assert opened().read_index().names == []
    assert opened().repair().added == ("bio", "chem")
    assert opened().read_index().lines == (*index_lines(BIO), *index_lines(CHEM))
    assert not opened().repair().changed


def test_what_is_too_large_for_a_description_is_refused_and_nothing_is_left(opened):
    with pytest.raises(ExplainedError, match="the limit is"):
        write(opened(), seed="#" * (256 * 1024 + 1))
    assert opened().read_index().names == []


@pytest.mark.parametrize("name", ["../bio", "a/b", "index", ""])
def test_no_name_leads_out_of_the_registry(opened, name):
    for attempt in (opened().read_entry, opened().read_seed, lambda text: write(opened(), dataclasses.replace(BIO, name=text))):
        with pytest.raises(ExplainedError, match="cannot be the name"):
            attempt(name)


@pytest.fixture(params=["https", "account file"])
def published(request, tmp_path):
    """Opens a registry with the entry chem, which can only be read."""
    if request.param == "account file":
        facts = {"region": "us-east-1", "snapshot_id": CHEM.snapshots[0].snapshot_id, "fingerprint": CHEM.snapshots[0].fingerprint}
        (tmp_path / "account.yaml").write_text(json.dumps({"account": "111122223333", "snapshots": {"chem": facts}}))
        return lambda: open_registry(str(tmp_path / "account.yaml"))
    running = request.getfixturevalue("server")
    write(running.published, Entry("bio"))
    write(running.published, CHEM)
    return lambda: open_registry(f"https://127.0.0.1:{running.server_port}", Access(cache_dir=str(tmp_path / "cache"), timeout=5))


def test_what_is_published_is_read(published):
    store = published()
    (found,) = store.read_entry("chem").snapshots
    assert (found.key, found.fingerprint) == (CHEM.snapshots[0].key, CHEM.snapshots[0].fingerprint)
    assert [line.fingerprint for line in store.read_index().lines] == [found.fingerprint]
    assert (store.read_entry("bio"), store.read_seed("chem"), store.notes) == (None, None, [])


def test_what_is_published_cannot_be_written(published):
    for attempt in (lambda: write(published()), lambda: published().repair()):
        with pytest.raises(ExplainedError, match="can only be read"):
            attempt()
    assert published().read_index().names == ["chem"]
