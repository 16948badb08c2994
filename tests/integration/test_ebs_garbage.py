"""petal.hpc.ebs_garbage against the lab: random accounts, and an own, slow look at what refers to what."""

from __future__ import annotations

import datetime
import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugins.module_utils._aws.garbage import GarbageGateway
from plugins.module_utils._aws.snapshots import SnapshotGateway, SnapshotQuery
from plugins.module_utils._core import tags as tag
from plugins.module_utils._core.build.lease import Lease
from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.build.parent import rank_parents
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.module_utils._registry.registered_snapshots import Registries
from plugins.modules.ebs_garbage import ARGUMENT_SPEC, run
from plugins.modules.snapshot_registry import ARGUMENT_SPEC as REGISTRY_OPTIONS
from plugins.modules.snapshot_registry import run as write_registry
from tests.lab.client import Lab

pytestmark = pytest.mark.lab
REGIONS = ("us-east-1", "eu-west-1")
STRANGER = "111122223333"


def variant(number, specs=("bwa",)):
    return {"os": "alinux2023", "arch": "x86_64", "target": "x86_64_v3", "fingerprint": f"sha256:{number:064x}", "specs": list(specs)}


@pytest.fixture
def records():
    """A lab of its own, without bytes: it is about references."""
    with Lab.start(data_plane=False) as running:
        yield running


@pytest.fixture
def store(tmp_path):
    """A registry with one entry, so that it is not empty."""
    store = DirectoryStore(tmp_path / "registry")
    register(store, "us-east-1", "snap-00000000000000000", f"sha256:{0:064x}")
    return store


def bring(store, region, **given):
    params = {**{option: spec.get("default") for option, spec in REGISTRY_OPTIONS.items()}, "registry": str(store.path), **given}
    return write_registry(params, store, region, "2026-01-01", False)


def register(store, region, snapshot, fingerprint):
    bring(store, region, name=f"bio-{snapshot}", snapshot_id=snapshot, fingerprint=fingerprint)


class RandomAccount:
    """An account with snapshots that are used in many ways, or in none. needed: the ids of those that must stay."""

    def __init__(self, lab, store, seed):
        self.dice, self.lab, self.store = random.Random(seed), lab, store
        self.needed, self.software, self.shared = set(), set(), set()
        for region in REGIONS:
            self._populate(region)

    def _populate(self, region):
        ec2 = self.lab.client("ec2", region=region)
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, VolumeType="gp3")["VolumeId"]
        uses = [self._name, self._restore, self._launch, self._lock, self._protect, self._share, self._build_on, self._leave, self._leave]
        for _number in range(8):
            wanted = variant(self.dice.randrange(1, 16**64))
            tags = build_tags(wanted["fingerprint"][7:19], wanted, outcome={"proof": "passed"})
            kind = self.dice.choice(["software", "software", "software", "data", "foreign"])
            tags.pop({"data": "petal:fingerprint", "foreign": "CreatedBy"}.get(kind, ""), None)
            snapshot = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[specification("snapshot", tags)])["SnapshotId"]
            self.software |= {snapshot} if kind == "software" else set()
            self.needed |= set() if kind == "software" else {snapshot}
            self.dice.choice(uses)(ec2, region, snapshot, wanted)

    def _leave(self, ec2, region, snapshot, wanted):
        pass

    def _name(self, ec2, region, snapshot, wanted):
        register(self.store, region, snapshot, wanted["fingerprint"])
        self.needed.add(snapshot)

    def _restore(self, ec2, region, snapshot, wanted):
        ec2.create_volume(AvailabilityZone=f"{region}a", SnapshotId=snapshot, VolumeType="gp3")
        self.needed.add(snapshot)

    def _launch(self, ec2, region, snapshot, wanted):
        launch(ec2, snapshot)
        # Only an old version names it.
        ec2.create_launch_template_version(LaunchTemplateName=snapshot, LaunchTemplateData={"InstanceType": "t3.micro"})
        self.needed.add(snapshot)

    def _lock(self, ec2, region, snapshot, wanted):
        ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1)
        self.needed.add(snapshot)

    def _protect(self, ec2, region, snapshot, wanted):
        tagged(ec2, snapshot, {tag.PROTECTED: "true"})
        self.needed.add(snapshot)

    def _share(self, ec2, region, snapshot, wanted):
        SnapshotGateway(ec2).change_sharing(snapshot, [STRANGER], [])
        self.shared |= {(region, snapshot)} & {(region, one) for one in self.software}
        self.needed.add(snapshot)

    def _build_on(self, ec2, region, snapshot, wanted):
        """A child that is protected: it stays, and so does what it was built on."""
        parents = [one.to_result() for one in SnapshotGateway(ec2).list_snapshots(SnapshotQuery(snapshot_ids=(snapshot,)))]
        more = variant(self.dice.randrange(1, 16**64), ["bwa", "zlib"])
        tags = build_tags(more["fingerprint"][7:19], more, parent=rank_parents(more, parents)[0])
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, VolumeType="gp3")["VolumeId"]
        child = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[specification("snapshot", tags)])["SnapshotId"]
        tagged(ec2, child, {tag.PROTECTED: "true"})
        self.needed |= {snapshot, child}

    def snapshots(self):
        regions = [self.lab.client("ec2", region=region) for region in REGIONS]
        return {one["SnapshotId"] for ec2 in regions for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}


def specification(kind, tags):
    return {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tagged(ec2, resource, tags):
    SnapshotGateway(ec2).tag_snapshot(resource, {tag.key(name): value for name, value in tags.items()})


def launch(ec2, snapshot):
    device = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": snapshot}}
    ec2.create_launch_template(LaunchTemplateName=snapshot, LaunchTemplateData={"BlockDeviceMappings": [device]})


def collect(lab, store, gateway=GarbageGateway, **given):
    params = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    gateways = {region: gateway(lab.client("ec2", region=region)) for region in REGIONS}
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=60)
    registries = Registries([str(store.path)])
    return run({**params, **given}, gateways, registries.read(), False, later, registries.read)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_is_needed_is_deleted_and_all_else_is(records, store, seed):
    account = RandomAccount(records, store, seed)
    before = account.snapshots()
    assert account.needed <= before and account.software - account.needed, "the dice leave nothing to look at; take another seed"
    listed = collect(records, store)
    assert account.snapshots() == before
    done = collect(records, store, delete=True)
    assert account.snapshots() == before - (account.software - account.needed)
    assert [one["id"] for one in listed["garbage"]] == [one["id"] for one in done["garbage"]]
    assert not collect(records, store, delete=True)["changed"]


def test_the_youngest_stay_whatever_refers_to_them(records, store):
    RandomAccount(records, store, 7)
    assert collect(records, store, min_age_days=90)["garbage"] == []


def test_what_its_own_tag_has_retired_goes_in_the_end_although_another_account_may_use_it(records, store):
    account = RandomAccount(records, store, 8)
    assert account.shared, "the dice share nothing; take another seed"
    for region, snapshot in account.shared:
        tagged(records.client("ec2", region=region), snapshot, {tag.RETIRED: "2026-01-01"})
    collect(records, store, delete=True)
    assert not account.snapshots() & {snapshot for _region, snapshot in account.shared}


# A world that moves

WANTED = variant(0xB10)


class Accident:
    """A snapshot and a build volume that nothing needs, and somebody who comes between the look and the deletion."""

    def __init__(self, lab, store):
        self.lab, self.store = lab, store
        self.ec2 = lab.client("ec2", region="us-east-1")
        tags = build_tags("b10", WANTED, outcome={"proof": "passed"})
        create = {"AvailabilityZone": "us-east-1a", "Size": 1, "VolumeType": "gp3"}
        source = self.ec2.create_volume(**create)["VolumeId"]
        self.snapshot = self.ec2.create_snapshot(VolumeId=source, TagSpecifications=[specification("snapshot", tags)])["SnapshotId"]
        self.volume = self.ec2.create_volume(**create, TagSpecifications=[specification("volume", tags)])["VolumeId"]

    def protect(self):
        tagged(self.ec2, self.snapshot, {tag.PROTECTED: "true"})
        return self.snapshot

    def share(self):
        SnapshotGateway(self.ec2).change_sharing(self.snapshot, [STRANGER], [])
        return self.snapshot

    def restore(self):
        self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=self.snapshot, VolumeType="gp3")
        return self.snapshot

    def register(self):
        register(self.store, "us-east-1", self.snapshot, WANTED["fingerprint"])
        return self.snapshot

    def register_elsewhere(self):
        register(self.store, "eu-west-1", "snap-0123456789abcdef0", WANTED["fingerprint"])
        return self.snapshot

    def lock(self):
        self.ec2.lock_snapshot(SnapshotId=self.snapshot, LockMode="governance", LockDuration=1)
        return self.snapshot

    def enable_fast_restore(self):
        self.ec2.enable_fast_snapshot_restores(AvailabilityZones=["us-east-1a"], SourceSnapshotIds=[self.snapshot])
        return self.snapshot

    def launch(self):
        launch(self.ec2, self.snapshot)
        return self.snapshot

    def build_on(self):
        found = [one.to_result() for one in SnapshotGateway(self.ec2).list_snapshots(SnapshotQuery(snapshot_ids=(self.snapshot,)))]
        more = variant(0xB11, ["bwa", "zlib"])
        tags = build_tags("b11", more, parent=rank_parents(more, found)[0])
        self.ec2.create_snapshot(VolumeId=self.volume, TagSpecifications=[specification("snapshot", tags)])
        return self.snapshot

    def lease(self):
        lease = Lease("host/1", int(datetime.datetime.now(datetime.UTC).timestamp()) + 90 * 86400)
        tagged(self.ec2, self.volume, {tag.LEASE: lease.to_tag()})
        return self.volume

    def protect_volume(self):
        tagged(self.ec2, self.volume, {tag.PROTECTED: "true"})
        return self.volume

    def there(self):
        snapshots = self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return {one["SnapshotId"] for one in snapshots} | {one["VolumeId"] for one in self.ec2.describe_volumes()["Volumes"]}


ACCIDENTS = [name for name, act in vars(Accident).items() if callable(act) and not name.startswith("_") and name != "there"]


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_what_is_needed_since_the_look_stays_and_says_why(records, store, accident):
    world, saved = Accident(records, store), []

    class Interrupted(GarbageGateway):
        def shared_with(self, snapshot_ids):
            """The last thing that is read before anything is deleted."""
            found = super().shared_with(snapshot_ids)
            if self.region == "us-east-1" and not saved:
                saved.append(getattr(world, accident)())
            return found

    done = collect(records, store, Interrupted, delete=True)
    (kept,) = saved
    assert world.there() >= {kept}
    assert {one["id"]: one["reasons"] for one in done["kept"]}[kept]
    assert not world.there() & ({world.snapshot, world.volume} - {kept})


def test_four_collectors_at_once_delete_everything_and_none_of_them_fails(records, store):
    ec2 = records.client("ec2", region="us-east-1")
    create = {"AvailabilityZone": "us-east-1a", "Size": 1, "VolumeType": "gp3"}
    for number in range(1, 7):
        tags = build_tags(f"b{number}", variant(number), outcome={"proof": "passed"})
        volume = ec2.create_volume(**create, TagSpecifications=[specification("volume", tags)])["VolumeId"]
        ec2.create_snapshot(VolumeId=volume, TagSpecifications=[specification("snapshot", tags)])
        launch(ec2, f"snap-{number:017x}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _number: collect(records, store, delete=True), range(4)))
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert ec2.describe_volumes()["Volumes"] == []


@pytest.mark.parametrize("accident", ["lost", "one line lost", "one line damaged"])
def test_an_index_that_was_lost_costs_no_software(records, store, accident):
    """The index is lost, somebody registers something, the collector runs: the worst that ordinary people do on one day."""
    world = Accident(records, store)
    world.register()
    index = store.path / "index.json"
    document = json.loads(index.read_text())
    line = next(line for line in document["snapshots"] if world.snapshot in line["name"])
    if accident == "one line damaged":
        line["packages"] = 5
    else:
        document["snapshots"].remove(line)
    index.write_text(json.dumps(document))
    if accident == "lost":
        index.unlink()
    with pytest.raises(ExplainedError, match="registry_repair"):
        collect(records, store, delete=True)
    if accident == "one line damaged":
        with pytest.raises(ExplainedError, match="registry_repair"):
            register(store, "us-east-1", "snap-0123456789abcdef0", f"sha256:{7:064x}")
        bring(store, None, state="repaired")
    register(store, "us-east-1", "snap-0123456789abcdef0", f"sha256:{7:064x}")
    collect(records, store, delete=True)
    assert world.snapshot in world.there()


def test_an_entry_whose_snapshot_is_gone_does_not_cost_its_successor(records, store):
    world = Accident(records, store)
    world.register()
    successor = world.ec2.create_snapshot(VolumeId=world.volume, TagSpecifications=[specification("snapshot", build_tags("b10", WANTED))])[
        "SnapshotId"
    ]
    world.ec2.delete_snapshot(SnapshotId=world.snapshot)
    collect(records, store, delete=True)
    assert successor in world.there()


def test_a_registry_alone_retires_nothing(records, store):
    world = Accident(records, store)
    world.register()
    world.share()
    bring(store, None, name=f"bio-{world.snapshot}", state="retired")
    file = store.path / "snapshots" / f"bio-{world.snapshot}.json"
    file.write_text(file.read_text().replace("2026-01-01", "2020-01-01"))
    collect(records, store, delete=True)
    assert world.snapshot in world.there()
    tagged(world.ec2, world.snapshot, {tag.RETIRED: "2026-01-01"})
    collect(records, store, delete=True)
    assert world.snapshot not in world.there()
