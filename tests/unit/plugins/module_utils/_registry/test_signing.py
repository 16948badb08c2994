"""Signatures by the real ssh-keygen: what is changed after signing is found out, whichever field it is."""

import dataclasses
import json
import shutil
import subprocess

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot, Registration, register, retire, verify
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.module_utils._registry.signing import Signer, Verifier

NAME = "builds@example.com"
SNAPSHOT = RegisteredSnapshot(
    region="us-east-1",
    snapshot_id="snap-0123456789abcdef0",
    fingerprint="sha256:" + "0f3a" * 16,
    os="alinux2023",
    architecture="x86_64",
    target="x86_64_v3",
    size_gib=500,
    description="Full stack",
    configuration="optimised",
    aws_account="123456789012",
    spack="v1.2.0",
    lock="sha256:" + "1" * 64,
    spack_lock="sha256:" + "2" * 64,
    manifest="sha256:" + "3" * 64,
    sbom="sha256:" + "4" * 64,
    parent="sha256:" + "5" * 64,
    proof="passed",
    externals={"slurm": "24.05.8"},
    image="ami-0123456789abcdef0",
    recipes="v2026.06.0",
    compiler="gcc@12.5.0",
    mount_path="/shared",
    modules={"tree": "hierarchy"},
    build_options={"lmod": True},
    specs=("bwa@0.7",),
    roots=("bwa@0.7.17",),
    package_count=12,
    seconds=90.5,
    parent_snapshot="snap-0fedcba9876543210",
    generation=1,
    created="2026-11-22",
    deprecated="2026-12-24",
    retired="2026-12-31",
    superseded_by="bio-v2",
)
BIO = Entry(
    "bio", "Genomics", ("bwa@0.7.17",), ("ngs",), True, True, "seeds/bio.yaml", "2026-11-22", "2026-11-23",
    {SNAPSHOT.fingerprint: {"format": 1, "passed": True}}, (SNAPSHOT,),
)  # fmt: skip
# The same snapshot, of which nobody says yet that it was checked.
OTHER = dataclasses.replace(BIO, verified=False, snapshots=(dataclasses.replace(SNAPSHOT, retired=None),))
OF_THE_ENTRY = [field.name for field in dataclasses.fields(Entry) if field.name not in ("signatures", "signed_by", "snapshots")]
OF_A_SNAPSHOT = [field.name for field in dataclasses.fields(RegisteredSnapshot)]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
    public = " ".join((folder / "ours.pub").read_text().split()[:2])
    (folder / "allowed_signers").write_text(f'{NAME} namespaces="registry@petal.hpc" {public}\n')
    return folder


@pytest.fixture
def store(tmp_path, keys):
    """A registry with a signed entry."""
    store = DirectoryStore(tmp_path / "registry")
    store.signer, store.verifier = Signer(NAME, str(keys / "ours")), Verifier(str(keys / "allowed_signers"))
    store.update("bio", lambda _found: BIO)
    return store


def tamper(store, change):
    file = store.path / "snapshots" / "bio.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_an_entry_is_signed_and_the_signature_counts(store):
    entry = store.read_entry("bio")
    assert (entry, entry.signed_by) == (dataclasses.replace(BIO, signatures=entry.signatures), (NAME,))
    assert store.notes == []


def other(value):
    return {dict: lambda: {**value, "more": {}}, bool: lambda: not value, int: lambda: value + 1, list: lambda: [*value, "more"]}.get(
        type(value), lambda: f"{value}0"
    )()


@pytest.mark.parametrize("field", [field for field in OF_THE_ENTRY if field != "name"])
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_no_field_of_an_entry_can_be_touched(store, field, how):
    tamper(store, lambda document: document.pop(field) if how == "removed" else document.update({field: other(document[field])}))
    assert store.read_entry("bio").signed_by == ()
    assert f"the signature of {NAME} does not count" in store.notes[0]


@pytest.mark.parametrize("field", OF_A_SNAPSHOT)
def test_no_field_of_a_snapshot_can_be_touched(store, field):
    written = "size_gb" if field == "size_gib" else field
    tamper(store, lambda document: document["snapshots"][0].update({written: other(document["snapshots"][0][written])}))
    assert store.read_entry("bio").signed_by == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(extra="field"),
        lambda document: document["snapshots"].append({**document["snapshots"][0], "region": "eu-west-1"}),
        lambda document: document["snapshots"].clear(),
        lambda document: document["signatures"][0].update(signer="others@example.com"),
        lambda document: document["signatures"][0].update(signer="*"),
        lambda document: document["signatures"][0].update(signer="-f/etc/passwd"),
        lambda document: document["signatures"][0].update(signature="nonsense"),
    ],
)
def test_nothing_can_be_added_taken_away_or_put_under_another_name(store, change):
    tamper(store, change)
    assert store.read_entry("bio").signed_by == ()


def test_a_signed_entry_cannot_stand_under_another_name(store):
    shutil.copy(store.path / "snapshots" / "bio.json", store.path / "snapshots" / "chem.json")
    with pytest.raises(ExplainedError, match="describes bio, not chem"):
        store.read_entry("chem")


def test_a_key_that_is_not_allowed_does_not_count(store, keys):
    store.signer = Signer(NAME, str(keys / "theirs"))
    store.update("chem", lambda _found: dataclasses.replace(BIO, name="chem"))
    assert store.read_entry("chem").signed_by == ()


def test_a_signature_for_another_purpose_does_not_count(store, keys):
    file = store.path / "snapshots" / "bio.json"
    document = json.loads(file.read_text())
    (text := keys / "text").write_text(json.dumps({key: document[key] for key in sorted(document) if key != "signatures"}, indent=2) + "\n")
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", keys / "ours", "-n", "git", text], check=True, capture_output=True)
    tamper(store, lambda document: document["signatures"][0].update(signature=(keys / "text.sig").read_text()))
    assert store.read_entry("bio").signed_by == ()


def test_signing_again_changes_nothing_and_mends_what_was_tampered_with(store):
    before = (store.path / "snapshots" / "bio.json").read_bytes()
    assert not store.update("bio", lambda found: found).changed
    tamper(store, lambda document: document.update(description="Malware"))
    assert store.update("bio", lambda found: dataclasses.replace(found, description="Genomics")).changed
    assert (store.path / "snapshots" / "bio.json").read_bytes() == before


SECOND = RegisteredSnapshot("us-west-2", "snap-0f0f0f0f0f0f0f0f0", fingerprint=BIO.snapshots[0].fingerprint)


def entered(found):
    """What a later build adds."""
    return register(found, Registration("bio", SECOND), "2026-12-01")


def test_what_is_entered_is_signed_with_what_the_same_key_has_signed(store):
    store.update("bio", entered)
    assert store.read_entry("bio").signed_by == (NAME,)
    assert store.notes == []


def leave_unsigned(store, _keys):
    store.signer = None
    store.update("bio", lambda _found: OTHER)


def tamper_with_the_proof(store, _keys):
    tamper(store, lambda document: document["snapshots"][0].update(proof="passed", manifest="sha256:0"))


def sign_by_another_key(store, keys):
    store.signer = Signer(NAME, str(keys / "theirs"))
    store.update("bio", lambda _found: OTHER, vouch=True)


@pytest.mark.parametrize("before", [leave_unsigned, tamper_with_the_proof, sign_by_another_key])
def test_nobody_signs_what_was_there_before_and_is_not_signed(store, keys, before):
    before(store, keys)
    store.signer = Signer(NAME, str(keys / "ours"))
    store.update("bio", entered)
    entry = store.read_entry("bio")
    assert len(entry.snapshots) == 2
    assert (entry.signatures, entry.signed_by) == ((), ())
    assert f"bio is not signed by {NAME}: nothing says that {BIO.snapshots[0].snapshot_id} was checked" in store.notes[-1]
    store.update("bio", lambda found: verify(found, "2026-12-02"), vouch=True)
    assert store.read_entry("bio").signed_by == (NAME,)


def test_marking_an_unsigned_entry_does_not_sign_it(store, keys):
    leave_unsigned(store, keys)
    store.signer = Signer(NAME, str(keys / "ours"))
    store.update("bio", lambda found: retire(found, RegisteredSnapshot("", ""), "2026-12-01"))
    assert store.read_entry("bio").signatures == ()


def test_a_change_without_a_key_takes_the_signature_away_and_says_so(store):
    store.signer = None
    store.update("bio", lambda found: dataclasses.replace(found, description="Genetics"))
    entry = store.read_entry("bio")
    assert (entry.signatures, entry.signed_by) == ((), ())
    assert "bio is not signed any more" in store.notes[0]


def test_check_mode_says_that_it_would_sign(store, keys):
    store.signer = Signer("second@example.com", str(keys / "theirs"))
    before = (store.path / "snapshots" / "bio.json").read_bytes()
    assert store.update("bio", lambda found: found, vouch=True, save=False).changed
    assert (store.path / "snapshots" / "bio.json").read_bytes() == before
    store.update("bio", lambda found: found, vouch=True)
    assert [signature.signer for signature in store.read_entry("bio").signatures] == [NAME, "second@example.com"]


def test_people_can_check_a_signature_by_hand(store, keys):
    """docs/registry.md shows these commands with jq, which writes JSON as json.tool does."""
    document = json.loads((store.path / "snapshots" / "bio.json").read_text())
    (keys / "sig").write_text(document.pop("signatures")[0]["signature"])
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", keys / "allowed_signers", "-I", NAME, "-n", "registry@petal.hpc", "-s", keys / "sig"],
        input=json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("Good")


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ExplainedError, match="There is no key at"):
        Signer(NAME, str(tmp_path / "key"))
    with pytest.raises(ExplainedError, match="There is no list of allowed signers"):
        Verifier(str(tmp_path / "allowed_signers"))
    with pytest.raises(ExplainedError, match="cannot be the name of a signer"):
        Signer("*", str(tmp_path / "key"))
