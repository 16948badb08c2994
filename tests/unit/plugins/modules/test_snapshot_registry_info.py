import dataclasses
import pathlib
import subprocess

import pytest
import yaml

from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.module_utils._registry.signing import Signer
from plugins.modules import snapshot_registry_info
from plugins.modules.snapshot_registry_info import ARGUMENT_SPEC, SOURCE_SPEC, run
from tests.unit.fakes import FakeSnapshotGateway, aws_error

FINGERPRINT = "sha256:" + "0f3a" * 16
OWN, PARTNER = "123456789012", "999888777666"
TAGS = {"petal:fingerprint": FINGERPRINT, "petal:os": "alinux2023", "petal:arch": "x86_64"}
BUILT = Snapshot("snap-1", "completed", "vol-1", 200, owner_id=OWN, start_time="2026-11-22T10:00:00+00:00", tags=TAGS)
SHARED = Snapshot("snap-2", "completed", "vol-2", 500, owner_id=PARTNER, start_time="2026-11-21T10:00:00+00:00")
REGISTERED = RegisteredSnapshot(
    "us-east-1", "snap-2", fingerprint=FINGERPRINT, os="alinux2023", architecture="x86_64", target="x86_64_v3", size_gib=500
)


@pytest.fixture
def registry(tmp_path):
    store = DirectoryStore(tmp_path / "registry")
    entry = Entry("bio", description="Genomics", packages=("samtools",), snapshots=(REGISTERED,))
    with store.locked(5):
        store.save(entry, store.read_index(), None)
    return str(store.path)


def ask(gateway, **given):
    params = {**{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}, **given}
    return run(params, gateway, "us-east-1")


def find(gateway, **given):
    return ask(gateway, fingerprint=FINGERPRINT, **given)


def test_the_own_snapshot_is_found_by_its_tags_before_any_registry_is_asked(registry):
    result = find(FakeSnapshotGateway([BUILT, SHARED]), registries=[registry], trusted_accounts=[PARTNER])
    assert (result["found"], result["snapshot"]["snapshot_id"], result["snapshot"]["source"]) == (True, "snap-1", "tags in us-east-1")
    assert result["trace"] == [
        "tags in us-east-1: one snapshot carries the fingerprint.",
        "snap-1 (tags in us-east-1, 200 GiB) is used: the only one that fits.",
    ]


def test_a_registered_snapshot_of_a_trusted_account_is_found_with_its_real_owner(registry):
    result = find(FakeSnapshotGateway([SHARED]), registries=[registry], trusted_accounts=[PARTNER], os="al2023", architecture="x86_64")
    assert result["snapshot"]["owner_id"] == PARTNER
    assert result["snapshot"]["name"] == "bio"
    assert result["snapshot"]["source"] == f"registry {registry}"


def test_an_account_that_is_not_trusted_is_refused_whatever_the_registry_says(registry):
    result = find(FakeSnapshotGateway([SHARED]), registries=[registry])
    assert not result["found"]
    assert f"account {PARTNER}, is not in trusted_accounts" in result["trace"][-1]


def test_a_snapshot_that_aws_does_not_show_is_not_used(registry):
    result = find(FakeSnapshotGateway(), registries=[registry], trusted_accounts=[PARTNER])
    assert not result["found"]
    assert result["candidates"][0]["state"] == "missing"


@pytest.mark.parametrize(("state", "reason"), [("pending", "not complete yet"), ("error", "in state error")])
def test_snapshots_that_are_not_ready_stay_visible(state, reason):
    unfinished = Snapshot("snap-1", state, "vol-1", 200, owner_id=OWN, tags=TAGS)
    result = find(FakeSnapshotGateway([unfinished]))
    assert (result["found"], result["candidates"][0]["state"]) == (False, state)
    assert reason in result["trace"][-1]


def test_nothing_found_says_what_there_is_elsewhere(registry):
    params = {"registries": [registry], "os": "al2023"}
    result = run(
        {**{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}, "fingerprint": FINGERPRINT, **params},
        FakeSnapshotGateway(),
        "eu-west-1",
    )
    assert (
        result["msg"] == "no snapshot found for region=eu-west-1, os=al2023. There is: alinux2023, x86_64, x86_64_v3, 500 GiB in us-east-1."
    )


def test_a_registry_that_is_not_there_is_a_warning_and_the_next_one_is_asked(registry):
    result = find(FakeSnapshotGateway([SHARED]), registries=["/nowhere", registry], trusted_accounts=[PARTNER])
    assert result["found"]
    assert "registry /nowhere is left out: There is no registry" in result["warnings"][0]


class Refusing(FakeSnapshotGateway):
    """Answers one question with a refusal of AWS."""

    def __init__(self, question, code):
        super().__init__([SHARED])
        setattr(self, question, self.refuse)
        self.code = code

    def refuse(self, *_arguments):
        raise aws_error(self.code)


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AuthFailure", "NoCredentialsError", "RequestLimitExceeded", "InternalError"])
@pytest.mark.parametrize("question", ["find_by_fingerprint", "find_visible", "own_account"])
def test_what_aws_refuses_to_show_is_no_missing_snapshot(registry, question, code):
    with pytest.raises(ExplainedError, match=f"Nobody knows whether there is a snapshot of {FINGERPRINT}.*{code}") as refused:
        find(Refusing(question, code), registries=[registry], trusted_accounts=[PARTNER])
    assert refused.value.details["aws_code"] == code


def test_a_registry_or_an_entry_that_could_not_be_read_is_told_with_what_was_not_found(registry):
    assert find(FakeSnapshotGateway(), registries=[registry])["unread"] == []
    (pathlib.Path(registry) / "snapshots/bio.json").write_text("{")
    absent, broken = find(FakeSnapshotGateway(), registries=["/nowhere", registry])["unread"]
    assert "registry /nowhere is left out" in absent
    assert broken == f"registry {registry} has the fingerprint under bio, which cannot be read."


def test_tags_need_not_be_asked(registry):
    result = find(FakeSnapshotGateway([BUILT, SHARED]), registries=[registry], trusted_accounts=[PARTNER], use_tags=False)
    assert result["snapshot"]["snapshot_id"] == "snap-2"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ["bio"]),
        ({"name": "bio"}, ["bio"]),
        ({"name": "chem"}, []),
        ({"search": "GENOM"}, ["bio"]),
        ({"search": "samtools"}, ["bio"]),
        ({"search": "physics"}, []),
    ],
)
def test_entries_are_listed_without_asking_aws(registry, given, names):
    result = ask(None, registries=[registry], **given)
    assert [entry["name"] for entry in result["entries"]] == names


def source(registry, **given):
    return {**{option: spec.get("default") for option, spec in SOURCE_SPEC.items()}, "registry": registry, **given}


def test_sources_are_asked_by_priority_and_only_when_they_are_enabled(registry):
    sources = [
        source(registry, type="official", priority=3, enabled=True, account=PARTNER),
        source("/stranger", type="community", priority=2),
        source(None, type="local", priority=1),
    ]
    result = find(FakeSnapshotGateway([SHARED]), sources=sources)
    assert result["snapshot"]["source"] == f"official registry {registry}"
    assert result["trace"][:2] == [
        "tags in us-east-1: no snapshot carries the fingerprint.",
        "community registry /stranger is not asked: it is not enabled.",
    ]


def test_an_account_is_trusted_for_its_own_source_only(registry):
    sources = [source(registry, type="organization"), source("/elsewhere", type="organization", account=PARTNER)]
    result = find(FakeSnapshotGateway([SHARED]), sources=sources)
    assert not result["found"]
    assert any("is not in trusted_accounts" in step for step in result["trace"])


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"require_proof": True}, "its proof is unknown, and require_proof is set"),
        ({"require_encryption": True}, "it is not known to be encrypted"),
    ],
)
def test_a_policy_refuses_what_does_not_meet_it(registry, policy, reason):
    result = find(FakeSnapshotGateway([BUILT, SHARED]), registries=[registry], trusted_accounts=[PARTNER], **policy)
    assert not result["found"]
    assert [reason in step for step in result["trace"]].count(True) == 2


def test_a_proven_and_encrypted_snapshot_meets_the_policy():
    proven = dataclasses.replace(BUILT, tags={**TAGS, "petal:proof": "passed"}, encrypted=True)
    assert find(FakeSnapshotGateway([proven]), require_proof=True, require_encryption=True)["found"]


def test_only_a_signature_that_counts_is_enough(registry, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"builds@example.com {(tmp_path / 'key.pub').read_text()}")
    policy = {"require_signature": True, "allowed_signers": str(signers), "trusted_accounts": [PARTNER], "registries": [registry]}
    refused = find(FakeSnapshotGateway([BUILT, SHARED]), **policy)
    assert not refused["found"]
    assert sum("no signature on it counts" in step for step in refused["trace"]) == 2
    store = DirectoryStore(registry)
    store.signer = Signer("builds@example.com", str(tmp_path / "key"))
    store.update("bio", lambda found: found, vouch=True)
    accepted = find(FakeSnapshotGateway([BUILT, SHARED]), **policy)
    assert (accepted["snapshot"]["snapshot_id"], accepted["snapshot"]["signed_by"]) == ("snap-2", ["builds@example.com"])
    assert ask(None, registries=[registry], allowed_signers=str(signers))["entries"][0]["signed_by"] == ["builds@example.com"]


def test_a_miss_names_the_nearest_entry(registry):
    result = ask(FakeSnapshotGateway(), fingerprint="1" * 64, registries=[registry], packages=["samtools@1.17", "bwa"])
    assert result["nearest"]["missing"] == ["bwa"]
    assert result["msg"].endswith(f"The nearest is bio (registry {registry}): it lacks bwa.")
    assert ask(FakeSnapshotGateway(), fingerprint="1" * 64, registries=[registry], packages=["gromacs"])["nearest"] is None


def test_the_documented_options_are_those_of_the_argument_spec():
    documented = yaml.safe_load(snapshot_registry_info.DOCUMENTATION)["options"]
    assert documented.keys() == ARGUMENT_SPEC.keys()
    assert documented["sources"]["suboptions"].keys() == SOURCE_SPEC.keys()
