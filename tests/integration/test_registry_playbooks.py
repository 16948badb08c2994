"""A snapshot goes from a contributor's account into a registry in git: checked, submitted, reviewed, verified, found."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry.open import open_store
from plugins.module_utils._registry.signing import Verifier
from plugins.module_utils._registry.store import Access, digest_of
from tests.integration.targets_runner import ROOT

pytestmark = pytest.mark.lab

SEED = ROOT / "tests" / "data" / "seeds" / "minimal.yaml"
PLAYBOOKS = ROOT / "playbooks"
FINGERPRINT = "sha256:" + "0f3a" * 16
MANIFEST = "sha256:" + "3" * 64


class Registry:
    """A git registry, and the playbooks that work on it."""

    def __init__(self, lab, folder: pathlib.Path):
        self.lab, self.folder = lab, folder
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder / "remote")], check=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
        (folder / "allowed_signers").write_text(f"builds@example.com {(folder / 'key.pub').read_text()}")
        self.place = f"git+file://{folder}/remote"
        self.signing = {"signing_key": str(folder / "key"), "signer": "builds@example.com"}

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of Ansible as an execution environment does, which has no home."""
        environment = {
            **os.environ,
            **self.lab.environment(),
            "ANSIBLE_COLLECTIONS_PATH": str(PLAYBOOKS / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
            "HOME": "/nonexistent",
        }
        command = [str(pathlib.Path(sys.executable).parent / program), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def play(self, playbook: str, fails: bool = False, **variables) -> tuple[dict, str]:
        """Run a playbook; returns what it hands to the next job, and what it printed."""
        given = {"cache_dir": str(self.folder / "cache"), "region": "us-east-1", "seed": str(SEED), **variables}
        done = self.run("ansible-playbook", str(PLAYBOOKS / f"{playbook}.yml"), "-e", json.dumps(given))
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        stats = re.search(r"CUSTOM STATS: \*+\s*\n\s*RUN: (\{.*\})\s*$", done.stdout, re.MULTILINE)
        return json.loads(stats[1]) if stats else {}, done.stdout + done.stderr


@pytest.fixture(scope="module")
def registry(lab, tmp_path_factory):
    return Registry(lab, tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def variant(registry):
    """The seed's variant, which nobody has built yet."""
    stats, output = registry.play("registry_check", registry=str(registry.folder))
    assert not stats["petal_check"]["available"]
    assert "no snapshot found for region=us-east-1" in output
    (fingerprint,) = stats["petal_check"]["variants"]
    return fingerprint


@pytest.fixture(scope="module")
def snapshot(lab, variant):
    """A snapshot that says it holds the variant."""
    ec2 = lab.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=2, VolumeType="gp3")["VolumeId"]
    tags = {"petal:fingerprint": variant, "petal:proof": "passed", "petal:sbom": "sha256:3", "petal:manifest": MANIFEST}
    tags["CreatedBy"] = "petal.hpc"
    made = ec2.create_snapshot(
        VolumeId=volume,
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}],
    )["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[made])
    return made


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"share_with": ["111122223333"]}, "need a registry"),
        ({"share_with": ["111122223333"], "detach": True, "registry": "/srv/registry"}, "the report of its search would be lost"),
        ({"share_with": ["111122223333"], "registry": "/srv/registry"}, "encrypted with the default key aws/ebs cannot be shared"),
    ],
    ids=["no registry", "a registry that the host cannot reach", "the default key"],
)
def test_what_could_not_be_shared_is_refused_before_anything_is_paid_for(registry, lab, asked, answer):
    ec2 = lab.client("ec2")
    before = len(ec2.describe_volumes()["Volumes"])
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    host = {"build_host_subnet_id": subnet, "build_host_instance_profile": "petal-build", "lint_seed": False}
    _stats, output = registry.play("build_seed", fails=True, os="ubuntu2404", **host, **asked)
    assert answer in " ".join(output.split())
    assert len(ec2.describe_volumes()["Volumes"]) == before


def test_the_next_run_enters_what_a_host_has_built_alone(registry, snapshot, variant, tmp_path):
    mine = {"registry": str(tmp_path / "registry"), "build_host_instance_profile": "petal-build"}
    stats, output = registry.play("build_seed", detach=True, **mine, **registry.signing)
    assert stats["petal_build"]["variants"][0]["snapshot_id"] == snapshot
    assert f"{snapshot} is entered as " in output
    assert "it is not signed, as this run has not built it" in " ".join(output.split())
    (path,) = (tmp_path / "registry/snapshots").glob("*.json")
    entry = json.loads(path.read_text())
    assert {"snapshot_id": snapshot, "fingerprint": variant, "proof": "passed", "sbom": "sha256:3"}.items() <= entry["snapshots"][0].items()
    assert "signatures" not in entry
    # Neither does any later command with the key sign what nobody has checked.
    registry.play("build_seed", **mine, **registry.signing)
    assert "signatures" not in json.loads(path.read_text())
    _stats, output = registry.play("retire_snapshot", entry=entry["name"], state="deprecated", **mine, **registry.signing)
    assert f"nothing says that {snapshot} was checked" in " ".join(output.split())
    deprecated = path.read_text()
    assert "signatures" not in json.loads(deprecated)
    registry.play("build_seed", **mine)
    assert path.read_text() == deprecated
    policy = {"require_signature": True, "allowed_signers": str(registry.folder / "allowed_signers")}
    stats, _output = registry.play("registry_check", **policy, **{"registry": mine["registry"]})
    assert not stats["petal_check"]["available"]


@pytest.fixture(scope="module")
def submitted(registry, snapshot, variant):
    report = {"format": 1, "passed": True, "public": True, "time": "2026-11-22T10:00:00Z", "blocking": []}
    report |= {"fingerprint": variant, "manifest": MANIFEST}
    said = {"entry": "bio", "description": "Genomics", "labels": ["ngs"], "report": report}
    stats, _output = registry.play("registry_submit", registry=registry.place, snapshot_id=snapshot, **said)
    return stats["petal_submission"]


@pytest.fixture(scope="module")
def merged(registry, submitted):
    """The submission, taken in by a maintainer."""
    subprocess.run(["git", "-C", str(registry.folder / "remote"), "update-ref", "refs/heads/main", submitted["commit"]], check=True)


def test_a_submission_is_one_commit_on_a_branch_of_its_own(registry, submitted):
    remote = ["git", "-C", str(registry.folder / "remote")]
    assert submitted["branch"] == "submit-bio"
    head = subprocess.run([*remote, "rev-parse", "submit-bio"], capture_output=True, text=True, check=True).stdout.strip()
    assert submitted["commit"] == head
    files = subprocess.run([*remote, "ls-tree", "-r", "--name-only", head], capture_output=True, text=True, check=True).stdout.split()
    assert files == ["index.json", "seeds/bio.yaml", "snapshots/bio.json"]


def test_a_snapshot_that_does_not_hold_the_seed_is_not_submitted(registry, lab, snapshot):
    other = lab.client("ec2").create_snapshot(
        VolumeId=lab.client("ec2").describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["VolumeId"]
    )
    _stats, output = registry.play(
        "registry_submit", fails=True, registry=registry.place, entry="bad", snapshot_id=other["SnapshotId"], description="Bad"
    )
    assert "carries the fingerprint of nothing" in " ".join(output.split())


def test_the_review_names_what_is_wrong_and_passes_once_it_is_mended(registry, lab, snapshot, submitted):
    place = {"registry": f"{registry.place}?branch=submit-bio", "entry": "bio", "allowed_signers": str(registry.folder / "allowed_signers")}
    stats, output = registry.play("registry_review", fails=True, **place)
    assert "it is not public" in output
    failed = [finding for finding in stats["petal_review"]["findings"] if finding["passed"] is False]
    assert [finding["check"] for finding in failed] == [f"{snapshot} in us-east-1"]
    lab.client("ec2").modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    stats, output = registry.play("registry_review", **place)
    unsure = [finding for finding in stats["petal_review"]["findings"] if not finding["passed"]]
    assert (stats["petal_review"]["passed"], [finding["check"] for finding in unsure]) == (True, ["signature"])
    assert "bio may be taken in if you can answer for 1 thing that could not be checked." in output


def verify(registry, place):
    """What a maintainer runs once an entry is merged."""
    options = " ".join(f"{name}={value}" for name, value in {"registry": place, "name": "bio", **registry.signing}.items())
    done = registry.run("ansible", "localhost", "-m", "petal.hpc.snapshot_registry", "-a", f"state=verified {options}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_merged_is_listed_searched_shown_and_found_signed_and_proven(registry, snapshot, merged):
    verify(registry, registry.place)
    place = {"registry": registry.place, "allowed_signers": str(registry.folder / "allowed_signers")}
    for playbook, given in (("registry_list", {}), ("registry_search", {"search": "NGS"}), ("registry_info", {"entry": "bio"})):
        stats, output = registry.play(playbook, **place, **given)
        assert [entry["name"] for entry in stats["petal_registry"]] == ["bio"]
        assert "signed by builds@example.com" in " ".join(output.split())
    assert snapshot in output
    source = {"type": "organization", "registry": registry.place}
    policy = {"require_signature": True, "require_proof": True, "allowed_signers": place["allowed_signers"]}
    stats, output = registry.play("registry_check", snapshot_sources=[source], **policy)
    assert stats["petal_check"]["available"]
    assert snapshot in output
    stats, output = registry.play("registry_search", search="nothing-like-it", **place)
    assert stats["petal_registry"] == []


def test_an_index_that_was_lost_in_git_is_made_anew(registry, merged):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(registry.folder / "clone")]
    subprocess.run(["git", "clone", "-q", "-b", "main", registry.folder / "remote", registry.folder / "clone"], check=True)
    for command in (["rm", "-q", "index.json"], ["commit", "-q", "-m", "Lose it"], ["push", "-q", "origin", "HEAD:main"]):
        subprocess.run([*git, *command], check=True)
    stats, output = registry.play("registry_repair", registry=registry.place)
    assert stats["petal_repair"] == {"changed": True, "added": ["bio"], "removed": []}, output
    stats, output = registry.play("registry_repair", registry=registry.place)
    assert stats["petal_repair"] == {"changed": False, "added": [], "removed": []}, output


def test_a_miss_names_the_nearest_entry(registry, merged, tmp_path):
    document = yaml.safe_load(SEED.read_text())
    document["software"]["spack_packages"] = [*document["software"]["spack_packages"], "fftw@3.3.10"]
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(document))
    stats, output = registry.play("registry_check", seed=str(tmp_path / "more.yaml"), registry=registry.place)
    assert not stats["petal_check"]["available"]
    assert "The nearest is bio" in " ".join(output.split())
    assert "it lacks fftw@3.3.10" in " ".join(output.split())


def test_a_maintainer_verifies_an_entry_in_s3_with_one_command(registry, lab):
    lab.client("s3").create_bucket(Bucket="petal-software")
    place = "s3://petal-software/registry"
    store = open_store(place, Access(s3=lambda: lab.client("s3")))
    store.update(
        "bio", lambda _found: Entry("bio", snapshots=(RegisteredSnapshot("us-east-1", "snap-0123456789abcdef0", fingerprint=FINGERPRINT),))
    )
    verify(registry, place)
    store.verifier = Verifier(str(registry.folder / "allowed_signers"))
    entry = store.read_entry("bio")
    assert (entry.verified, entry.signed_by) == (True, ("builds@example.com",))


SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "zlib", "versionInfo": "1.3.1", "licenseDeclared": "Zlib"}]}
# What a scanner is to us: it reads the SBOM and prints CycloneDX.
SCANNER = """\
grep --quiet '"name": "zlib"' "$1" || exit 2
printf '{"bomFormat": "CycloneDX", "components": [{"bom-ref": "z", "name": "zlib", "version": "1.3.1"}], "vulnerabilities":
  [{"id": "CVE-2026-1", "ratings": [{"severity": "%s"}], "affects": [{"ref": "z"}]}]}' "$2"
"""


def test_a_vulnerability_that_becomes_known_deprecates_an_entry_on_request(registry, lab, snapshot, tmp_path):
    store = open_store(str(tmp_path / "registry"))
    registered = RegisteredSnapshot("us-east-1", snapshot, fingerprint=FINGERPRINT, sbom=digest_of(json.dumps(SBOM)))
    store.update("bio", lambda _found: Entry("bio", snapshots=(registered,)), sbom=json.dumps(SBOM))
    (tmp_path / "scanner").write_text(SCANNER)

    def watch(severity, **given):
        command = ["sh", str(tmp_path / "scanner"), "{sbom}", severity]
        return registry.play("cve_watch", registry=store.place, publish_gate_vulnerability_command=command, **given)

    stats, _output = watch("critical", fails=True)
    assert stats["petal_watch"][0]["problems"] == ["CVE-2026-1: zlib@1.3.1 (critical)"]
    assert store.read_entry("bio").snapshots[0].deprecated is None
    watch("critical", deprecate=True, superseded_by="bio-v2")
    (now,) = store.read_entry("bio").snapshots
    assert now.deprecated and now.superseded_by == "bio-v2"
    tags = lab.client("ec2").describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"]
    assert {"Key": "petal:superseded-by", "Value": "bio-v2"} in tags
