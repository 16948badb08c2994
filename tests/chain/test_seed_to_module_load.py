"""The whole journey: a seed becomes a volume, a snapshot and a cluster config, and a compute node uses the software over NFS."""

import hashlib
import json
import pathlib
import re
import subprocess

import pytest
import yaml

from plugins.module_utils._core.software.facts import recomputed_fingerprint, software_from, tagged_software
from plugins.module_utils._core.software.spec import canonical_spec
from tests.chain.playbook import ROOT, file_of_snapshot, left_over, run, snapshots
from tests.lab import hooks
from tests.lab.fixtures import lab_hosts  # noqa: F401
from tests.spack import toy

pytestmark = pytest.mark.hosts
SEED = ROOT / "tests/data/seeds/toy.yaml"
PARTNER = "111122223333"
STACK = {"Resources": {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "cluster"}}}}
# How verify_cluster reaches the head node: its variables, and those of the lab.
ACCESS = {"key_file": "private_key_file", "ssh_common_args": "ssh_common_args"}
IMAGE_SOFTWARE = {"libfabric": "1.22.0", "slurm": "24.05.8"}


@pytest.fixture(scope="module")
def journey(lab_hosts, tmp_path_factory):  # noqa: F811
    """Build once for a partner too, deploy what is signed and proven, and use it; the tests look at what came of it."""
    folder: pathlib.Path = tmp_path_factory.mktemp("journey")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    (folder / "allowed_signers").write_text(f"builds@example.com {(folder / 'key.pub').read_text()}")
    options = {
        "seed": str(a_seed_that_uses_more_of_the_host(folder) if toy.is_real() else SEED),
        "build_host_image_id": official_image(lab_hosts),
        "spack_bootstrap_lmod": "auto" if toy.is_real() else False,
        "registry": str(folder / "registry"),
        "volume_size_gib": 8,
        "cluster_config_path": str(folder / "cluster.yaml"),
        "cluster_config_hooks": hooks.publish(lab_hosts),
        "cluster_config_validate": "none",
        "kms_key_id": lab_hosts.client("kms").create_key()["KeyMetadata"]["Arn"],
        "share_with": [PARTNER],
        "signing_key": str(folder / "key"),
        "signer": "builds@example.com",
        "allowed_signers": str(folder / "allowed_signers"),
        "require_signature": True,
        "require_proof": True,
    }
    runs = {name: run(name, lab_hosts, **options) for name in ("build_seed.yml", "deploy_cluster.yml")}
    assert runs["build_seed.yml"].ok, runs["build_seed.yml"].text[-4000:]
    left = left_over(lab_hosts)
    runs["again"] = run("build_seed.yml", lab_hosts, **options)
    runs["status"] = run("build_status.yml", lab_hosts, **options)
    (entry,) = (folder / "registry/snapshots").glob("*.json")
    built = json.loads(entry.read_text())
    runs["share"] = run("share_snapshot.yml", lab_hosts, entry=entry.stem, search_again=True, **options)
    searched = json.loads(entry.read_text())
    left += left_over(lab_hosts)
    runs["list"] = run("list_snapshots.yml", lab_hosts, **options)
    runs["use"] = run("../tests/lab/playbooks/use_software.yml", lab_hosts, **options)
    stand_for_cluster(lab_hosts, yaml.safe_load((folder / "cluster.yaml").read_text()))
    access = {name: lab_hosts.variables[f"build_host_{role_name}"] for name, role_name in ACCESS.items()}
    runs["verify"] = run("verify_cluster.yml", lab_hosts, **options, **access)
    yield {"folder": folder, "built": built, "searched": searched, "left": left, "lab": lab_hosts, **runs}
    stop_everything(lab_hosts)


def stand_for_cluster(lab, config):
    """Make the lab's head node that of a cluster, as CloudFormation and tags show it."""
    own = {"parallelcluster:cluster-name": "toy", "parallelcluster:version": "3.16.1"}
    tags = config["Tags"] + [{"Key": key, "Value": value} for key, value in own.items()]
    lab.client("cloudformation").create_stack(StackName="toy", TemplateBody=json.dumps(STACK), Tags=tags)
    named = [{"Name": "tag:Name", "Values": ["lab-head"]}]
    (head,) = (i for r in lab.client("ec2").describe_instances(Filters=named)["Reservations"] for i in r["Instances"])
    tags.append({"Key": "parallelcluster:node-type", "Value": "HeadNode"})
    lab.client("ec2").create_tags(Resources=[head["InstanceId"]], Tags=tags)


def a_seed_that_uses_more_of_the_host(folder):
    """Return the demo's seed with more of what a seed can ask for.

    Slurm and libfabric of the image; toyapp beyond an MPI in a hierarchy of modules; and a smoke command that needs the volume's Lmod.
    """
    seed = yaml.safe_load(SEED.read_text())
    seed["software"]["externals"] = IMAGE_SOFTWARE
    seed["software"]["modules"] = {"tree": "hierarchy", "defaults": {"toylib": "2.0"}}
    seed["software"]["spack_packages"][0] += " +slurm +mpi ^toympi"
    seed["software"]["smoke"]["toyapp"] = 'test -n "$LMOD_CMD" && toyapp'
    (folder / "seed.yaml").write_text(yaml.safe_dump(seed))
    return folder / "seed.yaml"


def official_image(lab):
    names = [{"Name": "name", "Values": ["aws-parallelcluster-3.16.1-amzn2023-hvm-x86_64-*"]}]
    return lab.client("ec2").describe_images(Owners=["amazon"], Filters=names)["Images"][0]["ImageId"]


def stop_everything(lab):
    """Leave the session's lab as it was found."""
    ec2 = lab.client("ec2")
    lab.client("cloudformation").delete_stack(StackName="toy")
    instances = [resource for resource in left_over(lab) if resource.startswith("i-")]
    if instances:
        ec2.terminate_instances(InstanceIds=instances)
    for volume in [resource for resource in left_over(lab) if resource.startswith("vol-")]:
        ec2.delete_volume(VolumeId=volume)


def test_the_build_makes_one_complete_tagged_snapshot(journey):
    assert journey["build_seed.yml"].ok, journey["build_seed.yml"].text[-4000:]
    (snapshot,) = snapshots(journey["lab"], "toy")
    tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
    assert snapshot["State"] == "completed"
    assert {"petal:fingerprint", "petal:os", "petal:arch", "petal:target", "petal:spack", "petal:lock"} <= set(tags)


def test_the_build_leaves_no_host_and_no_volume(journey):
    assert journey["left"] == []


def test_the_second_build_finds_the_snapshot_and_builds_nothing(journey):
    assert journey["again"].ok, journey["again"].text[-4000:]
    assert "nothing to build" in journey["again"].text
    assert "installed" not in [line.split("|")[2].strip() for line in journey["again"].output if line.startswith("petal |")]


def test_the_registry_names_the_snapshot(journey):
    written, (snapshot,) = journey["built"], snapshots(journey["lab"], "toy")
    (registered,) = written["snapshots"]
    assert registered["snapshot_id"] == snapshot["SnapshotId"]
    assert registered["proof"] == "passed"
    (seed,) = (journey["folder"] / "registry/seeds").iterdir()
    asked = sorted(map(canonical_spec, yaml.safe_load(seed.read_text())["software"]["spack_packages"]))
    assert written["packages"] == registered["specs"] == asked
    assert {"toyapp@3.0", "toylib@2.0"} <= set(registered["roots"])
    assert [one["signer"] for one in written["signatures"]] == ["builds@example.com"]


def test_tags_entry_and_manifest_of_a_build_say_the_same_and_come_to_its_fingerprint(journey):
    (registered,), (snapshot,) = journey["built"]["snapshots"], snapshots(journey["lab"], "toy")
    tagged = tagged_software({tag["Key"]: tag["Value"] for tag in snapshot["Tags"]})
    assert software_from(registered) == tagged
    assert recomputed_fingerprint(tagged) == registered["fingerprint"]
    manifest = json.loads(file_of_snapshot(journey["lab"], snapshot["SnapshotId"], ".petal/manifest.json"))
    inputs = software_from(manifest["metadata"]["software"])
    assert recomputed_fingerprint(inputs) == registered["fingerprint"]
    assert (inputs.specs, inputs.mount_path) == (tagged.specs, tagged.mount_path)


def test_entry_and_tags_say_what_stands_for_the_content_of_the_snapshot(journey):
    (registered,), (snapshot,) = journey["built"]["snapshots"], snapshots(journey["lab"], "toy")
    tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
    files = {"manifest": "files.sha256", "spack_lock": "spack.lock", "sbom": "sbom.spdx.json"}
    for field, name in files.items():
        text = file_of_snapshot(journey["lab"], snapshot["SnapshotId"], f".petal/{name}")
        assert registered[field] == tags[f"petal:{field.replace('_', '-')}"] == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    (kept,) = (journey["folder"] / "registry/sboms").iterdir()
    assert kept.read_text() == text, "the last one that was read is the bill of materials"


def test_the_volume_says_which_recipes_were_used(journey):
    (snapshot,) = snapshots(journey["lab"], "toy")
    manifest = json.loads(file_of_snapshot(journey["lab"], snapshot["SnapshotId"], ".petal/manifest.json"))
    assert re.fullmatch("[0-9a-f]{40}", manifest["spack"]["commit"])
    # Spack's own recipes are left out here; the content of the others is in the hash.
    assert manifest["recipes"] == {"git_url": "", "version": "", "commit": "", "extra": ["toy", "builtin_mock"]}
    assert re.fullmatch("[0-9a-f]{64}", manifest["inputs"])


def test_the_volume_was_searched_and_then_shared(journey):
    ((fingerprint, report),) = journey["built"]["reports"].items()
    (snapshot,) = snapshots(journey["lab"], "toy")
    software = file_of_snapshot(journey["lab"], snapshot["SnapshotId"], ".petal/files.sha256").splitlines()
    assert report["passed"] and report["files"] >= len(software) > 100
    assert fingerprint in {tag["Value"] for tag in snapshot["Tags"]}
    partner = journey["lab"].client("ec2", account=PARTNER)
    assert partner.describe_snapshots(SnapshotIds=[snapshot["SnapshotId"]])["Snapshots"][0]["KmsKeyId"]


def test_a_search_on_a_host_comes_to_the_same_report(journey):
    assert journey["share"].ok, journey["share"].text[-4000:]
    first, second = ({**report, "time": ""} for entry in ("built", "searched") for report in journey[entry]["reports"].values())
    assert first == second
    assert "toyapp@3.0" in next(line for line in journey["share"].output if line.startswith("petal |") and "| contents" in line)


@pytest.mark.real  # the stand-in knows no software of the image
def test_snapshot_and_registry_say_what_is_used_of_which_image(journey):
    image = official_image(journey["lab"])
    tags = {tag["Key"]: tag["Value"] for tag in snapshots(journey["lab"], "toy")[0]["Tags"]}
    assert (tags["petal:externals"], tags["petal:image"]) == ("libfabric@1.22.0 slurm@24.05.8", image)
    assert journey["built"]["snapshots"][0]["externals"] == f"libfabric@1.22.0 slurm@24.05.8 of {image}"


def test_the_config_mounts_the_snapshot(journey):
    assert journey["deploy_cluster.yml"].ok, journey["deploy_cluster.yml"].text[-4000:]
    config = yaml.safe_load((journey["folder"] / "cluster.yaml").read_text())
    (storage,) = [entry for entry in config["SharedStorage"] if entry["Name"] == "software"]
    assert storage["EbsSettings"]["SnapshotId"] == snapshots(journey["lab"], "toy")[0]["SnapshotId"]
    assert "CustomAmi" not in config["Image"]


def test_a_user_on_the_compute_node_loads_and_runs_the_software(journey):
    assert journey["use"].ok, journey["use"].text[-4000:]
    assert "toyapp 3.0 with toylib 2.0 over toybase" in journey["use"].text


def test_the_cluster_is_verified_on_its_head_node_and_by_a_job_in_each_queue(journey):
    assert journey["verify"].ok, journey["verify"].text[-4000:]
    for place in ("head node", "compute", "spot"):
        assert re.search(rf"^petal \|[^|]*\| +{place} +\|.*every module loads and every program runs", journey["verify"].text, re.MULTILINE)


def test_status_and_list_name_the_snapshot(journey):
    snapshot_id = snapshots(journey["lab"], "toy")[0]["SnapshotId"]
    assert f"{snapshot_id} is complete" in journey["status"].text
    assert snapshot_id in journey["list"].text
