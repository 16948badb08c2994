import dataclasses
import json

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry import registered_snapshots
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.module_utils._registry.registered_snapshots import Registries, read_registered

BIO = Entry(
    "bio",
    snapshots=(RegisteredSnapshot("us-east-1", "snap-0123456789abcdef0", fingerprint="sha256:" + "0f3a" * 16, deprecated="2026-11-01"),),
)
CHEM = Entry("chem", snapshots=(RegisteredSnapshot("us-east-1", "snap-0123456789abcdef1", fingerprint="sha256:" + "1e2d" * 16),))


@pytest.fixture
def registry(tmp_path):
    register(tmp_path, BIO)
    return tmp_path


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(registered_snapshots, "PAUSE", 0)


def register(path, entry):
    DirectoryStore(path).update(entry.name, lambda _found: entry)


def test_every_registered_snapshot_is_read_retired_ones_too(registry):
    ((path, snapshot),) = read_registered([str(registry)])
    assert (path, snapshot.key) == (str(registry), ("us-east-1", "snap-0123456789abcdef0"))


def test_a_registry_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ExplainedError, match="There is no registry"):
        read_registered([str(tmp_path / "nothing")])


def test_a_folder_without_entries_is_an_error(tmp_path):
    with pytest.raises(ExplainedError, match="is empty"):
        read_registered([str(tmp_path)])


def test_a_registry_with_a_broken_entry_is_an_error(registry):
    (registry / "snapshots" / "bio.json").write_text("{")
    with pytest.raises(ExplainedError, match="nobody knows what must stay"):
        read_registered([str(registry)])


def test_a_registry_with_an_unusable_snapshot_is_an_error(registry):
    place = registry / "snapshots" / "bio.json"
    document = json.loads(place.read_text())
    document["snapshots"].append({"region": "us-east-1"})
    place.write_text(json.dumps(document))
    with pytest.raises(ExplainedError, match="nobody knows what must stay"):
        read_registered([str(registry)])


def edited(file, change):
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("accident", "problem"),
    [
        (lambda registry: (registry / "index.json").unlink(), "does not name bio"),
        (lambda registry: edited(registry / "index.json", lambda index: index["snapshots"].pop()), "does not name chem"),
        (lambda registry: edited(registry / "index.json", lambda index: index["snapshots"][0].update(regions=["eu-west-1"])), "of bio"),
        (lambda registry: (registry / "snapshots" / "chem.json").unlink(), "chem.json is missing"),
        (lambda registry: edited(registry / "snapshots" / "chem.json", lambda entry: entry.update(snapshots=[])), "has no snapshot"),
        (lambda registry: (registry / "snapshots" / "a note.json").write_text("{}"), "'a note' cannot be the name"),
    ],
)
def test_index_and_files_that_disagree_are_an_error_that_names_the_repair(registry, accident, problem):
    register(registry, CHEM)
    accident(registry)
    with pytest.raises(ExplainedError, match="registry_repair") as caught:
        read_registered([str(registry)])
    assert problem in str(caught.value)


def test_a_registry_that_is_being_written_is_looked_at_again(registry):
    index = registry / "index.json"
    text = index.read_text()
    index.unlink()
    registries = Registries([str(registry)], sleep=lambda _seconds: index.write_text(text))
    assert len(registries.read()) == 1


def test_what_is_registered_later_is_seen_and_what_is_unchanged_is_not_read_again(registry, monkeypatch):
    registries = Registries([str(registry)])
    assert len(registries.read()) == 1
    with monkeypatch.context() as patched:
        patched.setattr(DirectoryStore, "read_entry", None)
        assert len(registries.read()) == 1
    register(registry, CHEM)
    assert len(registries.read()) == 2
    register(registry, dataclasses.replace(BIO, snapshots=(dataclasses.replace(BIO.snapshots[0], snapshot_id="snap-0123456789abcdef9"),)))
    assert {snapshot.snapshot_id[-1] for _path, snapshot in registries.read()} == {"1", "9"}


def test_a_registry_that_breaks_later_is_an_error_then(registry):
    registries = Registries([str(registry)])
    registries.read()
    (registry / "index.json").write_text("{")
    with pytest.raises(ExplainedError, match="is not JSON"):
        registries.read()
