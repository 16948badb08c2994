import base64
import hashlib

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.modules.snapshot_registry import ARGUMENT_SPEC, run

FINGERPRINT = "sha256:" + "0f3a" * 16
SNAPSHOT = "snap-0123456789abcdef0"
SECOND = "snap-0123456789abcdef1"


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "registry")


def bring(store, region="us-east-1", today="2026-11-22", check_mode=False, **given):
    params = {
        **{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()},
        "registry": str(store.path),
        "name": "bio",
        **given,
    }
    return run(params, store, region, today, check_mode)


def register(store, **given):
    return bring(store, **{"snapshot_id": SNAPSHOT, "fingerprint": FINGERPRINT, "os": "al2023", "seed": "cluster: {}\n", **given})


def test_a_snapshot_is_registered(store):
    result = register(store, packages=["samtools", "bwa"], description="Genomics")
    assert result["changed"]
    assert result["entry"]["packages"] == ["bwa", "samtools"]
    assert result["entry"]["snapshots"][0]["os"] == "alinux2023"
    assert result["entry"]["seed_url"] == "seeds/bio.yaml"
    assert store.read_entry("bio").to_result() == result["entry"]
    assert store.read_seed("bio") == "cluster: {}\n"


def test_a_second_run_changes_nothing_even_on_another_day(store):
    first = register(store)
    second = register(store, today="2026-12-24")
    assert not second["changed"]
    assert second["entry"] == first["entry"]
    assert second["diff"]["before"] == second["diff"]["after"]


def test_a_changed_seed_is_a_change(store):
    register(store)
    assert register(store, seed="cluster: {name: other}\n")["changed"]
    assert store.read_seed("bio") == "cluster: {name: other}\n"


def test_an_index_that_has_lost_an_entry_is_mended(store):
    register(store)
    (store.path / "index.json").unlink()
    assert register(store)["changed"]
    assert store.read_index().names == ["bio"]


def test_a_lost_index_is_made_anew_from_all_files(store):
    register(store)
    register(store, name="chem", snapshot_id=SECOND)
    (store.path / "index.json").unlink()
    predicted = bring(store, state="repaired", name=None, check_mode=True)
    assert not (store.path / "index.json").exists()
    done = bring(store, state="repaired", name=None)
    assert (predicted["changed"], predicted["index"]) == (done["changed"], done["index"])
    assert (done["changed"], done["index"]) == (True, {"added": ["bio", "chem"], "removed": []})
    assert store.read_index().names == ["bio", "chem"]
    assert not bring(store, state="repaired", name=None)["changed"]


def test_a_name_whose_file_is_gone_is_removed_from_the_index(store):
    register(store)
    (store.path / "snapshots" / "bio.json").unlink()
    assert bring(store, state="absent")["changed"]
    assert store.read_index().names == []
    assert not bring(store, state="absent")["changed"]


def test_check_mode_says_the_same_and_writes_nothing(store):
    predicted = register(store, check_mode=True)
    assert not store.path.exists()
    done = register(store)
    assert (predicted["changed"], predicted["entry"]) == (done["changed"], done["entry"])


def test_a_second_region_joins_the_entry(store):
    register(store)
    result = register(store, region="us-west-2", snapshot_id=SECOND)
    assert result["entry"]["regions"] == ["us-east-1", "us-west-2"]


def test_retired_snapshots_stay_listed(store):
    register(store)
    result = bring(store, state="retired", superseded_by="bio-v2")
    assert result["changed"]
    assert result["entry"]["snapshots"][0]["retired"] == "2026-11-22"
    assert not bring(store, state="retired", today="2026-12-24")["changed"]


def test_a_report_about_a_deprecated_snapshot_does_not_recommend_it_again(store):
    register(store)
    bring(store, state="deprecated", superseded_by="bio-v2")
    result = register(store, report={"passed": True}, recommend=False)
    assert (result["entry"]["snapshots"][0]["deprecated"], result["entry"]["snapshots"][0]["superseded_by"]) == ("2026-11-22", "bio-v2")
    assert result["entry"]["reports"] == {FINGERPRINT: {"passed": True}}
    assert register(store)["entry"]["snapshots"][0]["deprecated"] is None


def test_retiring_an_unknown_entry_is_an_error(store):
    with pytest.raises(ExplainedError, match="no entry bio"):
        bring(store, state="retired")


def test_the_last_snapshot_takes_the_entry_and_its_seed_with_it(store):
    register(store)
    register(store, snapshot_id=SECOND)
    assert bring(store, state="absent", snapshot_id=SECOND)["entry"]["snapshots"][0]["snapshot_id"] == SNAPSHOT
    assert bring(store, state="absent")["entry"] is None
    assert not bring(store, state="absent")["changed"]
    assert store.read_seed("bio") is None


def test_a_name_that_leads_out_of_the_registry_is_refused_before_anything_is_written(store):
    with pytest.raises(ExplainedError, match="cannot be the name"):
        register(store, name="../bio")
    assert list(store.path.rglob("*.json")) == []


def test_verifying_is_an_action_of_its_own(store):
    register(store)
    verified = bring(store, state="verified")
    assert (verified["changed"], verified["entry"]["verified"]) == (True, True)
    assert not bring(store, state="verified", today="2027-01-01")["changed"]
    assert not register(store, snapshot_id="snap-0123456789abcdef9")["entry"]["verified"]
    with pytest.raises(ExplainedError, match="as verified"):
        bring(store, state="verified", name="nothing")


def test_where_the_software_comes_from_is_kept(store):
    said = {"spack_lock": "sha256:2", "manifest": "sha256:3", "sbom": "sha256:4", "parent": "snap-1", "proof": "passed"}
    (snapshot,) = register(store, **said)["entry"]["snapshots"]
    assert said.items() <= snapshot.items()


SBOM = '{"spdxVersion": "SPDX-2.3"}'
CONTENT = base64.b64encode(SBOM.encode()).decode()


def test_a_bill_of_materials_lies_beside_the_entry_under_its_hash(store):
    (snapshot,) = register(store, sbom_content=CONTENT)["entry"]["snapshots"]
    assert snapshot["sbom"] == f"sha256:{hashlib.sha256(SBOM.encode()).hexdigest()}"
    assert store.read_sbom("bio", snapshot["sbom"]) == SBOM
    assert not register(store, sbom_content=CONTENT, sbom=snapshot["sbom"])["changed"]
    with pytest.raises(ExplainedError, match="has the hash sha256:"):
        register(store, sbom_content=CONTENT, sbom="sha256:" + "0" * 64)
    (path,) = store.path.glob("sboms/bio-*.spdx.json")
    path.write_text("{}")
    with pytest.raises(ExplainedError, match="is not what the entry bio names"):
        store.read_sbom("bio", snapshot["sbom"])
    assert register(store, sbom_content=CONTENT)["changed"]
    assert store.read_sbom("bio", snapshot["sbom"]) == SBOM


def test_a_bill_of_materials_goes_with_the_last_snapshot_that_names_it(store):
    register(store, sbom_content=CONTENT)
    register(store, snapshot_id=SECOND, sbom_content=CONTENT)
    bring(store, state="absent", snapshot_id=SECOND)
    assert list(store.path.glob("sboms/*"))
    bring(store, state="absent")
    assert not list(store.path.glob("sboms/*"))


@pytest.mark.parametrize("digest", ["../../etc/passwd", "sha256:../..", ""])
def test_what_is_no_hash_names_no_file(store, digest):
    with pytest.raises(ExplainedError):
        store.read_sbom("bio", digest)
