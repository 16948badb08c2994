"""Three accounts, three regions, real bytes: A publishes, B trusts A and keeps a copy, C does not, and A goes."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

from tests.lab import world
from tests.lab.client import ACCOUNT
from tests.lab.devices import BY_ID, link_name

pytestmark = [pytest.mark.lab, pytest.mark.blocks, pytest.mark.skipif(os.geteuid() != 0, reason="block devices need root")]

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = ROOT / "tests/data/seeds/minimal.yaml"
HOME, EUROPE, AUSTRALIA = REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
A, B, C = ACCOUNT, "999888777666", "555566667777"
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "samtools", "versionInfo": "1.17", "licenseDeclared": "MIT"}]}
SOFTWARE = "what A has built\n" * 5000


class Account:
    """One account of the lab, and what its people do: run playbooks, and mount volumes on their instances, which are this machine."""

    def __init__(self, lab, number, folder):
        self.lab, self.number, self.folder = lab, number, folder / number
        self.folder.mkdir()
        self.registry = self.folder / "registry"

    def ec2(self, region):
        return self.lab.client("ec2", region=region, account=self.number)

    def play(self, playbook, region=HOME, **variables):
        environment = {
            **os.environ,
            **self.lab.environment(region, self.number),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
        }
        command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(ROOT / playbook)]
        said = json.dumps({"region": region, **variables})
        return subprocess.run([*command, "-e", said], env=environment, capture_output=True, text=True, check=False)

    def deploy(self, region, **variables):
        """Write the config of a cluster in a region; returns the run, and the snapshot that the cluster mounts."""
        config = self.folder / f"{region}.yaml"
        done = self.play(
            "playbooks/deploy_cluster.yml", region, seed=str(SEED), cluster_config_path=str(config), cluster_config_validate="none",
            cluster_config_subnet_id="subnet-0123456789abcdef0", cluster_config_key_name=world.KEY_NAME, **variables,
        )  # fmt: skip
        if done.returncode:
            return done, None
        (storage,) = [one for one in yaml.safe_load(config.read_text())["SharedStorage"] if one["Name"] == "software"]
        return done, storage["EbsSettings"]["SnapshotId"]

    @contextlib.contextmanager
    def attached(self, region, **parameters):
        """A volume of the account on an instance of it, as a device."""
        ec2 = self.ec2(region)
        image, placement = world.official_image(region), {"AvailabilityZone": f"{region}a"}
        run = ec2.run_instances(ImageId=image, InstanceType="c7i.large", MinCount=1, MaxCount=1, Placement=placement)
        instance = run["Instances"][0]["InstanceId"]
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", VolumeType="gp3", **parameters)["VolumeId"]
        ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        try:
            yield volume, BY_ID / link_name(volume)
        finally:
            ec2.detach_volume(VolumeId=volume)
            ec2.delete_volume(VolumeId=volume)
            ec2.terminate_instances(InstanceIds=[instance])

    def read_software(self, region, snapshot):
        """Mount a volume of a snapshot and return what lies on it."""
        with self.attached(region, SnapshotId=snapshot) as (_volume, device), mounted(device, self.folder / "mount", "ro"):
            return (self.folder / "mount" / "software").read_text()

    def owned(self):
        """Return the snapshots that the account owns, by region."""
        found = {region: self.ec2(region).describe_snapshots(OwnerIds=["self"])["Snapshots"] for region in REGIONS}
        return {region: {one["SnapshotId"] for one in listed} for region, listed in found.items()}


@contextlib.contextmanager
def mounted(device, folder, options="rw"):
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", options, str(device), str(folder)], check=True)
    try:
        yield folder
    finally:
        # The playbook that publishes a volume has unmounted it.
        subprocess.run(["umount", str(folder)], check=False, capture_output=True)


def publish(account, **files):
    """Let an account put software on a volume and publish it as a build does; returns the run."""
    with account.attached(HOME, Size=1) as (volume, device):
        subprocess.run(["mkfs.ext4", "-q", str(device)], check=True)
        with mounted(device, account.folder / "mount") as folder:
            for name, text in {"software": SOFTWARE, ".petal/sbom.spdx.json": json.dumps(SBOM), **files}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
            variables = {"seed": str(SEED), "registry": str(account.registry), "folder": str(folder), "volume_id": volume}
            return account.play("tests/lab/playbooks/publish_volume.yml", **variables)


def entry_of(account):
    (path,) = (account.registry / "snapshots").glob("*.json")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def accounts(lab, tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    return {number: Account(lab, number, folder) for number in (A, B, C)}


def succeed(done):
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done


# One journey; each test is a step of it, and the next one starts where it ends.


def test_a_volume_with_a_secret_and_a_closed_package_is_not_published(accounts):
    closed = {"packages": [*SBOM["packages"], {"name": "nvhpc", "versionInfo": "24.7", "licenseDeclared": "NOASSERTION"}]}
    files = {"home/.bash_history": "secret\n", ".petal/notes": "\nAKIA" + "Q3EGR7TW5NXZ2LKD\n", ".petal/sbom.spdx.json": json.dumps(closed)}
    done = publish(accounts[A], **files)
    assert done.returncode != 0
    for problem in ("shell-history: home/.bash_history", "aws-access-key-id: .petal/notes:2", "licence-proprietary: nvhpc@24.7"):
        assert problem in done.stdout
    assert accounts[A].owned()[HOME] == set() and not accounts[A].registry.exists()


def test_a_publishes_and_brings_the_entry_to_three_regions_and_two_accounts_although_one_region_fails(accounts, lab):
    succeed(publish(accounts[A]))
    name = entry_of(accounts[A])["name"]
    wanted = {"registry": str(accounts[A].registry), "entry": name, "regions": [EUROPE, AUSTRALIA], "share_with": [B, C], "at_once": 1}
    lab.faults([{"action": "CopySnapshot", "code": "SnapshotLimitExceeded", "times": 1}])
    failed = accounts[A].play("playbooks/replicate_snapshot.yml", **wanted)
    lab.faults([])
    assert failed.returncode != 0 and "1 of 3 failed" in failed.stdout and "SnapshotLimitExceeded" in failed.stdout
    assert len(entry_of(accounts[A])["snapshots"]) == 2
    succeed(accounts[A].play("playbooks/replicate_snapshot.yml", **wanted))
    assert [one["region"] for one in entry_of(accounts[A])["snapshots"]] == sorted(REGIONS)
    assert [len(owned) for owned in accounts[A].owned().values()] == [1, 1, 1]
    lab.reset_calls()
    succeed(accounts[A].play("playbooks/replicate_snapshot.yml", **wanted))
    assert not {"CopySnapshot", "ModifySnapshotAttribute"} & set(lab.calls())


def test_b_trusts_a_and_deploys_from_its_own_region(accounts):
    done, snapshot = accounts[B].deploy(EUROPE, registry=str(accounts[A].registry), trusted_accounts=[A])
    succeed(done)
    assert {snapshot} == accounts[A].owned()[EUROPE]
    assert accounts[B].read_software(EUROPE, snapshot) == SOFTWARE


def test_c_does_not_trust_a_and_is_told_why(accounts):
    done, _snapshot = accounts[C].deploy(EUROPE, registry=str(accounts[A].registry))
    assert done.returncode != 0
    assert f"its owner, account {A}, is not in trusted_accounts" in done.stdout


def test_b_keeps_a_copy_of_its_own(accounts):
    name = entry_of(accounts[A])["name"]
    wanted = {"source_registry": str(accounts[A].registry), "registry": str(accounts[B].registry), "entry": name, "regions": [EUROPE]}
    stranger = accounts[B].play("playbooks/copy_snapshot.yml", EUROPE, **wanted)
    assert stranger.returncode != 0 and f"belong to account {A}, which is not in trusted_accounts" in stranger.stdout
    succeed(accounts[B].play("playbooks/copy_snapshot.yml", EUROPE, trusted_accounts=[A], **wanted))
    assert {one["aws_account"] for one in entry_of(accounts[B])["snapshots"]} == {B}


def test_as_retirement_leaves_bs_copy_alone(accounts):
    name, registry = entry_of(accounts[A])["name"], str(accounts[A].registry)
    everything = {"registries": [registry], "regions": list(REGIONS), "min_age_days": 0, "delete": True}
    succeed(accounts[A].play("playbooks/collect_garbage.yml", **everything))
    assert [len(owned) for owned in accounts[A].owned().values()] == [1, 1, 1], "what the registry names is no garbage"
    succeed(accounts[A].play("playbooks/retire_snapshot.yml", registry=registry, entry=name, superseded_by="minimal-v2"))
    done, _snapshot = accounts[A].deploy(HOME, registry=registry)
    assert done.returncode != 0 and "minimal-v2 takes its place" in done.stdout
    succeed(accounts[A].play("playbooks/collect_garbage.yml", **everything))
    assert not any(accounts[A].owned().values())
    done, snapshot = accounts[B].deploy(EUROPE, registry=str(accounts[B].registry))
    succeed(done)
    assert {snapshot} == accounts[B].owned()[EUROPE]
    assert accounts[B].read_software(EUROPE, snapshot) == SOFTWARE
