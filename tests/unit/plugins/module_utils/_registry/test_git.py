import os
import subprocess
import threading

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry.open import open_store
from plugins.module_utils._registry.store import Access


def entry(number):
    return Entry(f"bio-{number}", snapshots=(RegisteredSnapshot("us-east-1", f"snap-{number:017x}", fingerprint=f"sha256:{number:064x}"),))


def git(*arguments, at):
    return subprocess.run(["git", "-C", str(at), *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def remote(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "remote")], check=True)
    return tmp_path / "remote"


@pytest.fixture
def open_as(tmp_path, remote):
    """Opens the registry as somebody with a cache of their own would."""

    def opened(who, query=""):
        return open_store(f"git+file://{remote}{query}", Access(cache_dir=str(tmp_path / who)))

    return opened


def register(store, number):
    return store.update(f"bio-{number}", lambda _found: entry(number), time_limit=60)


def test_each_change_is_a_commit_on_the_remotes_branch(remote, open_as):
    store = open_as("ann")
    assert register(store, 1).changed
    assert not register(store, 1).changed
    assert register(open_as("ann"), 2).changed
    assert git("log", "--format=%s", "main", at=remote).splitlines() == ["Change bio-2", "Change bio-1"]
    assert store.committed == git("rev-parse", "main~1", at=remote).strip()
    assert git("ls-tree", "-r", "--name-only", "main", at=remote).split() == ["index.json", "snapshots/bio-1.json", "snapshots/bio-2.json"]
    assert open_as("ben").read_index().names == ["bio-1", "bio-2"]


def test_writers_that_push_at_the_same_time_lose_nothing(open_as):
    register(open_as("ann"), 0)
    writers = [threading.Thread(target=register, args=(open_as(f"writer-{number}"), number)) for number in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = open_as("ben")
    assert store.read_index().names == [f"bio-{number}" for number in range(5)]
    assert len(list(store.read_entries(store.read_index().names))) == 5


def test_a_branch_that_is_not_there_begins_at_its_base(remote, open_as):
    register(open_as("ann"), 1)
    register(open_as("ann", "?branch=add-bio-2&base=main"), 2)
    assert git("log", "--format=%s", "add-bio-2", at=remote).splitlines() == ["Change bio-2", "Change bio-1"]
    assert open_as("ben").read_index().names == ["bio-1"]
    register(open_as("ann", "?branch=add-bio-2&base=main"), 3)
    assert open_as("ben", "?branch=add-bio-2").read_index().names == ["bio-1", "bio-2", "bio-3"]


def test_removing_an_entry_is_a_commit_too(remote, open_as):
    register(open_as("ann"), 1)
    register(open_as("ann"), 2)
    open_as("ann").update("bio-1", lambda _found: Entry("bio-1"))
    assert git("ls-tree", "-r", "--name-only", "main", at=remote).split() == ["index.json", "snapshots/bio-2.json"]


def test_a_push_of_somebody_else_is_another_version_and_files_are_those_of_the_commit(open_as):
    register(open_as("ann"), 1)
    first = open_as("ben").version()
    assert open_as("ben").version() == first
    register(open_as("ann"), 2)
    assert open_as("ben").version() != first
    assert open_as("ben").list_names() == {"bio-1", "bio-2"}


def test_without_the_remote_the_clone_is_read_and_its_age_told(remote, open_as):
    register(open_as("ann"), 1)
    os.rename(remote, f"{remote}-away")
    store = open_as("ann")
    assert store.read_index().names == ["bio-1"]
    assert "A copy that is" in store.notes[0]
    with pytest.raises(ExplainedError, match="git says"):
        register(open_as("ann"), 2)
    with pytest.raises(ExplainedError, match="git says"):
        open_as("ben").read_index()


def test_a_refusing_server_is_explained_and_not_tried_again(remote, open_as):
    register(open_as("ann"), 1)
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ExplainedError, match="does not take changes on branch main"):
        register(open_as("ann"), 2)
    assert open_as("ben").read_index().names == ["bio-1"]


def test_links_of_a_strangers_repository_lead_nowhere(tmp_path, remote, open_as):
    register(open_as("ann"), 1)
    secret = tmp_path / "secret.json"
    secret.write_text('{"name": "bio-9", "snapshots": []}')
    work = tmp_path / "work"
    git("clone", "--quiet", str(remote), str(work), at=tmp_path)
    (work / "snapshots" / "bio-9.json").symlink_to(secret)
    git("add", "--all", at=work)
    git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--message", "link", at=work)
    git("push", "--quiet", "origin", "main", at=work)
    with pytest.raises(ExplainedError, match="is not JSON"):
        open_as("ben").read_entry("bio-9")


def test_a_branch_that_does_not_exist_is_named(open_as):
    register(open_as("ann"), 1)
    with pytest.raises(ExplainedError, match="has no branch other"):
        register(open_as("ann", "?branch=new&base=other"), 2)


def test_a_cache_that_others_can_write_to_is_refused(tmp_path, open_as):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann").chmod(0o777)
    with pytest.raises(ExplainedError, match="somebody else could change them"):
        open_as("ann")
