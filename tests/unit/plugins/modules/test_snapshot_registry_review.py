import dataclasses
import json

import pytest

from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.modules.snapshot_registry_review import ARGUMENT_SPEC, run
from tests.unit.fakes import FakeSnapshotGateway

FINGERPRINT = "sha256:" + "0f3a" * 16
CONTRIBUTOR = "999888777666"
SNAPSHOT = RegisteredSnapshot(
    "us-east-1",
    "snap-0123456789abcdef0",
    fingerprint=FINGERPRINT,
    os="alinux2023",
    architecture="x86_64",
    target="x86_64_v3",
    size_gib=500,
    aws_account=CONTRIBUTOR,
    proof="passed",
    manifest="sha256:" + "3" * 64,
)
REPORT = {"format": 1, "passed": True, "public": True, "fingerprint": FINGERPRINT, "manifest": SNAPSHOT.manifest, "blocking": []}
BIO = Entry("bio", "Genomics", ("bwa@0.7.17",), public=True, reports={SNAPSHOT.manifest: REPORT}, snapshots=(SNAPSHOT,))
FOR_ACCOUNTS = {SNAPSHOT.manifest: {**REPORT, "public": False}}
REAL = Snapshot("snap-0123456789abcdef0", "completed", "vol-1", 500, owner_id=CONTRIBUTOR, encrypted=False)


@pytest.fixture
def judge(tmp_path):
    """Judges an entry. real: what AWS shows. shared: with whom. touch: changes the file of the entry."""

    def judged(entry=BIO, real=REAL, shared=("all",), seed="cluster: {}\n", touch=None, fingerprints=(FINGERPRINT,)):
        store = DirectoryStore(tmp_path / "registry")
        store.update("bio", lambda _found: entry, seed)
        if touch:
            file = store.path / "snapshots" / "bio.json"
            document = json.loads(file.read_text())
            touch(document)
            file.write_text(json.dumps(document))
        gateway = FakeSnapshotGateway([real] if real else [])
        gateway.sharing = {SNAPSHOT.snapshot_id: list(shared)}
        given = {"registry": str(store.path), "name": "bio", "seed_fingerprints": None if fingerprints is None else list(fingerprints)}
        return run({**dict.fromkeys(ARGUMENT_SPEC), **given}, DirectoryStore(store.path), lambda region: gateway)

    return judged


def failed(result):
    return [finding["check"] for finding in result["findings"] if finding["passed"] is False]


def test_a_good_entry_passes_and_what_could_not_be_checked_is_left_to_people(judge):
    result = judge()
    assert (result["passed"], result["complete"], failed(result)) == (True, False, [])
    assert "??  signature: there is none" in result["text"]
    assert result["text"].endswith("bio may be taken in if you can answer for 1 thing that could not be checked.")


@pytest.mark.parametrize(
    ("given", "check", "detail"),
    [
        ({"real": None}, "snap-0123456789abcdef0 in us-east-1", "AWS shows no such snapshot"),
        ({"real": dataclasses.replace(REAL, state="error")}, "snap-0123456789abcdef0 in us-east-1", "its state is error"),
        ({"real": dataclasses.replace(REAL, owner_id="111122223333")}, "snap-0123456789abcdef0 in us-east-1", "it belongs to 111122223333"),
        ({"real": dataclasses.replace(REAL, volume_size_gib=1)}, "snap-0123456789abcdef0 in us-east-1", "it has 1 GiB, not 500"),
        ({"real": dataclasses.replace(REAL, encrypted=True)}, "snap-0123456789abcdef0 in us-east-1", "it is encrypted"),
        ({"shared": ["123456789012"]}, "snap-0123456789abcdef0 in us-east-1", "it is not public"),
        ({"seed": None}, "seed", "seeds/bio.yaml is missing"),
        ({"fingerprints": ["sha256:" + "1" * 64]}, "seed", f"it does not come to the fingerprint {FINGERPRINT}"),
        ({"entry": dataclasses.replace(BIO, snapshots=(dataclasses.replace(SNAPSHOT, proof="failed"),))}, "proof", "(failed)"),
        ({"entry": dataclasses.replace(BIO, reports={})}, "publish gate", "it has not been searched yet"),
        ({"entry": dataclasses.replace(BIO, reports={})}, "publish gate", "no report is about its content"),
        ({"entry": dataclasses.replace(BIO, reports=FOR_ACCOUNTS)}, "publish gate", "not with everybody"),
        ({"entry": dataclasses.replace(BIO, verified=True)}, "verified", "it says so itself"),
        ({"entry": dataclasses.replace(BIO, description=None)}, "form", "it lacks description"),
        ({"touch": lambda document: document.update(extra=1)}, "form", "it is not written as the registry writes it"),
        ({"touch": lambda document: document["snapshots"].append({"region": "us-east-1"})}, "form", "snapshot 2 of bio is left out"),
        ({"touch": lambda document: document.update(packages=["other@1"])}, "index", "it says something else"),
    ],
)
def test_each_check_can_fail_and_says_why(judge, given, check, detail):
    result = judge(**given)
    assert not result["passed"]
    assert check in failed(result)
    assert any(detail in finding["detail"] for finding in result["findings"] if finding["passed"] is False)
    assert "bio must not be taken in" in result["text"]


def test_without_fingerprints_of_the_seed_the_check_is_left_open(judge):
    result = judge(fingerprints=None)
    assert "??  seed: nobody has worked out" in result["text"]


def test_an_entry_that_is_not_there_is_an_error(judge, tmp_path):
    with pytest.raises(ExplainedError, match="There is no entry chem"):
        run({**dict.fromkeys(ARGUMENT_SPEC), "registry": "r", "name": "chem"}, DirectoryStore(tmp_path), None)
