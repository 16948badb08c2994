import json

import pytest

from plugins.module_utils._aws.registered_snapshots import read_registered
from plugins.module_utils._aws.registry_store import DirectoryStore
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry import Entry, Index, RegisteredSnapshot


@pytest.fixture
def registry(tmp_path):
    entry = Entry("bio", snapshots=(RegisteredSnapshot("us-east-1", "snap-0123456789abcdef0", deprecated="2026-11-01"),))
    store = DirectoryStore(tmp_path)
    with store.locked(1):
        store.save(entry, Index().with_entry(entry), None)
    return tmp_path


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
