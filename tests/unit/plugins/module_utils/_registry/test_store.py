import dataclasses
import json
import multiprocessing
import os
import threading

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry import store as registry_store
from plugins.module_utils._registry.account_file import AccountFile
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.module_utils._registry.open import open_registry

FINGERPRINT = "sha256:" + "0f3a" * 16
SNAPSHOT = RegisteredSnapshot("us-east-1", "snap-0123456789abcdef0", fingerprint=FINGERPRINT)
BIO = Entry("bio", snapshots=(SNAPSHOT,))


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "registry")


def save(store, entry=BIO, seed=None):
    with store.locked(5):
        store.save(entry, store.read_index(), seed)


def test_the_tree_is_that_of_the_documented_format(store):
    save(store, seed="cluster: {}\n")
    files = sorted(str(path.relative_to(store.path)) for path in store.path.rglob("*") if path.is_file())
    assert files == [".registry.lock", "index.json", "seeds/bio.yaml", "snapshots/bio.json"]


def test_what_is_saved_is_read_again(store):
    save(store, seed="cluster: {}\n")
    again = DirectoryStore(store.path)
    assert again.read_entry("bio") == BIO
    assert again.read_seed("bio") == "cluster: {}\n"
    assert [line.name for line in again.read_index().find(FINGERPRINT)] == ["bio"]
    assert again.notes == []


def test_an_entry_without_snapshots_is_gone_with_its_seed(store):
    save(store, seed="cluster: {}\n")
    save(store, dataclasses.replace(BIO, snapshots=()))
    assert store.read_entry("bio") is None
    assert store.read_seed("bio") is None
    assert store.read_index().names == []


@pytest.mark.parametrize("name", ["../bio", "a/b", "index"])
def test_no_name_leads_out_of_the_registry(store, name):
    with pytest.raises(ExplainedError, match="cannot be the name"):
        store.read_entry(name)
    with pytest.raises(ExplainedError, match="cannot be the name"):
        save(store, dataclasses.replace(BIO, name=name))


def test_an_index_beside_the_entries_is_read_as_petal_wrote_it(store):
    (store.path / "snapshots").mkdir(parents=True)
    (store.path / "snapshots" / "index.json").write_text(
        json.dumps({"version": "1.0", "snapshots": [{"name": "old", "fingerprint": FINGERPRINT}]})
    )
    assert store.read_index().names == ["old"]
    save(store)
    assert store.read_index().names == ["bio", "old"]


def test_entries_that_are_missing_or_broken_become_notes(store):
    save(store)
    (store.path / "snapshots" / "broken.json").write_text("{")
    assert [entry.name for entry in store.read_entries(["broken", "gone", "bio"])] == ["bio"]
    assert "is not JSON" in store.notes[0]
    assert "gone.json is missing" in store.notes[1]


def test_an_entry_under_a_wrong_file_name_is_refused(store):
    save(store)
    os.rename(store.path / "snapshots" / "bio.json", store.path / "snapshots" / "chem.json")
    with pytest.raises(ExplainedError, match="describes bio, not chem"):
        store.read_entry("chem")


@pytest.mark.parametrize("step", range(1, 4))
def test_a_crash_while_writing_leaves_the_old_index_and_no_debris(store, monkeypatch, step):
    save(store)
    before = (store.path / "index.json").read_text()
    calls = []

    def crash(source, target):
        calls.append(target)
        if len(calls) == step:
            raise OSError(5, "Input/output error", str(target))
        real(source, target)

    real = os.replace
    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(ExplainedError, match="Input/output error"):
        save(store, dataclasses.replace(BIO, name="chem"), seed="cluster: {}\n")
    assert (store.path / "index.json").read_text() == before
    assert [path.name for path in store.path.rglob(".*")] == [".registry.lock"]
    monkeypatch.undo()
    save(store, dataclasses.replace(BIO, name="chem"))
    assert store.read_index().names == ["bio", "chem"]


@pytest.mark.parametrize(("part", "largest"), [("seed", "LARGEST_SEED"), ("entry", "LARGEST_ENTRY"), ("index", "LARGEST_INDEX")])
def test_what_is_too_large_for_a_description_is_refused(store, monkeypatch, part, largest):
    monkeypatch.setattr(registry_store, largest, 3)
    with pytest.raises(ExplainedError, match="the limit is 3"):
        save(store, seed="cluster: {}\n" if part == "seed" else None)


def test_a_file_that_is_too_large_is_not_read(store, monkeypatch):
    save(store)
    monkeypatch.setattr(registry_store, "LARGEST_ENTRY", 3)
    with pytest.raises(ExplainedError, match="the limit is 3"):
        store.read_entry("bio")


def test_a_second_writer_waits_and_then_says_who_it_waits_for(store):
    with store.locked(5), pytest.raises(ExplainedError, match="Other runs have been writing"), DirectoryStore(store.path).locked(0.1):
        pass


def register_some(path, first, count):
    for number in range(first, first + count):
        store = DirectoryStore(path)
        save(store, Entry(f"entry-{number}", snapshots=(dataclasses.replace(SNAPSHOT, fingerprint=f"sha256:{number:064x}"),)))


def test_writers_in_several_processes_and_threads_lose_nothing(store):
    threads = [threading.Thread(target=register_some, args=(store.path, 100 * worker, 8)) for worker in range(3)]
    processes = [
        multiprocessing.get_context("spawn").Process(target=register_some, args=(store.path, 1000 * worker, 8)) for worker in (1, 2)
    ]
    for worker in (*threads, *processes):
        worker.start()
    for worker in (*threads, *processes):
        worker.join()
    names = store.read_index().names
    assert len(names) == 40
    assert len(list(store.read_entries(names))) == 40
    assert store.notes == []


def test_a_file_is_read_as_the_description_of_an_account(tmp_path):
    file = tmp_path / "official.yaml"
    file.write_text(
        f"account: 999888777666\nsnapshots:\n  bio:\n    snapshot_id: snap-1\n    regions: [us-east-1]\n    fingerprint: {FINGERPRINT}\n"
    )
    registry = open_registry(str(file))
    assert isinstance(registry, AccountFile)
    (entry,) = registry.read_entries([line.name for line in registry.read_index().find(FINGERPRINT)])
    assert entry.snapshots[0].aws_account == "999888777666"


def test_a_registry_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ExplainedError, match="There is no registry at"):
        open_registry(str(tmp_path / "nowhere"))


def test_a_path_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExplainedError, match="Cannot use"):
        save(DirectoryStore(tmp_path / "file" / "registry"))


def bio(number):
    return Entry(f"bio-{number}", snapshots=(RegisteredSnapshot("us-east-1", f"snap-{number:017x}", fingerprint=f"sha256:{number:064x}"),))


@pytest.fixture
def three(store):
    """A registry with three entries, written as every run writes them."""
    for number in range(3):
        store.update(f"bio-{number}", lambda _found, number=number: bio(number))
    return store


def damage_a_line(store):
    index = store.path / "index.json"
    document = json.loads(index.read_text())
    document["snapshots"][1]["packages"] = 5
    index.write_text(json.dumps(document))


def lose_a_line(store):
    index = store.path / "index.json"
    document = json.loads(index.read_text())
    del document["snapshots"][1]
    index.write_text(json.dumps(document))


def lose_the_index(store):
    (store.path / "index.json").unlink()


@pytest.mark.parametrize("accident", [lose_the_index, lose_a_line])
def test_a_writer_adds_the_entries_that_the_index_has_forgotten(three, accident):
    accident(three)
    DirectoryStore(three.path).update("bio-7", lambda _found: bio(7))
    assert DirectoryStore(three.path).read_index().names == ["bio-0", "bio-1", "bio-2", "bio-7"]


def test_a_writer_writes_over_no_line_that_it_cannot_read(three):
    damage_a_line(three)
    before = (three.path / "index.json").read_text()
    with pytest.raises(ExplainedError, match="registry_repair"):
        DirectoryStore(three.path).update("bio-7", lambda _found: bio(7))
    assert (three.path / "index.json").read_text() == before
    assert not (three.path / "snapshots" / "bio-7.json").exists()


def test_a_writer_writes_over_no_snapshot_that_it_cannot_read(three):
    file = three.path / "snapshots" / "bio-1.json"
    document = json.loads(file.read_text())
    document["snapshots"].append({"region": "eu-west-1"})
    file.write_text(json.dumps(document))
    before = file.read_text()
    with pytest.raises(ExplainedError, match="would lose the rest"):
        DirectoryStore(three.path).update("bio-1", lambda found: dataclasses.replace(found, description="other"))
    assert file.read_text() == before


@pytest.mark.parametrize("accident", [lose_the_index, lose_a_line, damage_a_line])
def test_a_repair_makes_the_index_anew_from_the_files(three, accident):
    before = (three.path / "index.json").read_text()
    accident(three)
    assert DirectoryStore(three.path).repair(save=False).changed
    assert DirectoryStore(three.path).repair().changed
    assert (three.path / "index.json").read_text() == before
    assert not DirectoryStore(three.path).repair().changed


def test_a_repair_needs_no_index_that_can_be_read_and_names_what_has_no_file(three):
    (three.path / "snapshots" / "bio-1.json").unlink()
    store = DirectoryStore(three.path)
    assert store.repair().removed == ("bio-1",)
    assert "the index named bio-1" in store.notes[-1]
    (three.path / "index.json").write_text("{")
    DirectoryStore(three.path).repair()
    assert DirectoryStore(three.path).read_index().names == ["bio-0", "bio-2"]


def test_a_repair_keeps_the_lines_of_a_file_that_cannot_be_read(three):
    (three.path / "snapshots" / "bio-1.json").write_text("{")
    store = DirectoryStore(three.path)
    assert not store.repair().changed
    assert "is not JSON" in store.notes[0]
    assert store.read_index().names == ["bio-0", "bio-1", "bio-2"]


def test_a_name_without_a_file_can_be_removed_from_the_index(three):
    (three.path / "snapshots" / "bio-1.json").unlink()
    assert DirectoryStore(three.path).update("bio-1", lambda _found: Entry("bio-1")).changed
    assert DirectoryStore(three.path).read_index().names == ["bio-0", "bio-2"]
    assert not DirectoryStore(three.path).update("bio-1", lambda _found: Entry("bio-1")).changed


def test_the_version_differs_after_every_change(three):
    seen = [three.version(), three.version()]
    three.update("bio-1", lambda found: dataclasses.replace(found, description="other"))
    seen.append(three.version())
    three.update("bio-1", lambda found: dataclasses.replace(found, updated="2026-11-30"))
    seen.append(three.version())
    assert [seen.index(version) for version in seen] == [0, 0, 2, 3]
