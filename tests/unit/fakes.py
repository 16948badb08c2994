"""Gateways that keep everything in memory, for tests of modules."""

from __future__ import annotations

import dataclasses
import datetime
import threading

from plugins.module_utils._aws.snapshots import SnapshotQuery
from plugins.module_utils._core.ebs.lock import Lock
from plugins.module_utils._core.ebs.sharing import SharingFacts
from plugins.module_utils._core.ebs.snapshot import Snapshot, alike
from plugins.module_utils._core.ebs.tier import Tier
from plugins.module_utils._core.ebs.volume import Attachment, Modification, client_token
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.tags import ours


class FakeSnapshotGateway:
    """Snapshots in memory: a new one is pending, and completed once somebody waits for it.

    calls: the names of the calls that change something, in order. reads: how often EC2 was searched. waits: for which ids.
    failing: errors that waiting finds, by snapshot id.
    """

    def __init__(self, snapshots=(), volumes=(), images=None, region="us-east-1", account="123456789012"):
        self.region, self.account = region, account
        self.snapshots = {snapshot.snapshot_id: snapshot for snapshot in snapshots}
        self.volumes = {volume.volume_id: volume for volume in volumes}
        self.images = images or {}
        self.sharing, self.grants = {}, {}
        self.key_is_aws_managed, self.encrypts_all = None, False
        self.refuse_copies = False
        self.slept = 0
        self.calls, self.reads, self.waits, self.ever = [], 0, [], 0
        self.failing, self.instances, self.being_restored = {}, {}, frozenset()
        self.features = FakeSnapshotFeatures(self.calls)
        self.templates = FakeLaunchTemplates()

    def sleep(self, seconds):
        self.slept += seconds

    def list_snapshots(self, query):
        for snapshot in self.snapshots.values():
            if (
                ("self" not in query.owners or snapshot.owner_id == self.account)
                and (not query.snapshot_ids or snapshot.snapshot_id in query.snapshot_ids)
                and query.volume_id in (None, snapshot.volume_id)
                and query.name in (None, snapshot.name)
                and query.tags.items() <= snapshot.tags.items()
                and (not query.managed_only or ours(snapshot.tags))
                and (not query.restorable_by or self._may_use(snapshot))
            ):
                yield snapshot

    def _may_use(self, snapshot):
        return snapshot.owner_id == self.account or self.account in self.shared_with(snapshot.snapshot_id)

    def find_by_fingerprint(self, fingerprint, query=None):
        return [found for found in self.list_snapshots(query or SnapshotQuery()) if found.fingerprint == fingerprint]

    def find_candidates(self, requests):
        self.reads += 1
        return list(self.list_snapshots(SnapshotQuery()))

    def find_alike(self, request):
        return alike(request, self.find_candidates([request]))

    def find_visible(self, snapshot_ids):
        return {snapshot_id: self.snapshots[snapshot_id] for snapshot_id in snapshot_ids if snapshot_id in self.snapshots}

    def find_public(self, snapshot_ids):
        return frozenset(one for one in snapshot_ids if one in self.snapshots and "all" in self.shared_with(one))

    def get_snapshot(self, snapshot_id):
        return self.snapshots[snapshot_id]

    def find_volumes(self, volume_ids):
        return {volume_id: self.volumes[volume_id] for volume_id in volume_ids if volume_id in self.volumes}

    def get_volume(self, volume_id):
        if volume_id not in self.volumes:
            raise ExplainedError(f"Volume {volume_id} does not exist.", resource=volume_id)
        return self.volumes[volume_id]

    def create_snapshot(self, volume_id, description, tags, find_made):
        self.calls.append("create_snapshot")
        return self._made(volume_id, description, tags)

    def _made(self, volume_id, description, tags):
        number = self._next_number()
        made = Snapshot(
            snapshot_id=f"snap-{number:017x}",
            state="pending",
            volume_id=volume_id,
            volume_size_gib=self.volumes[volume_id].size_gib,
            encrypted=self.volumes[volume_id].encrypted,
            kms_key_id=self.volumes[volume_id].kms_key_id,
            owner_id=self.account,
            start_time=f"2026-11-22T12:{number:02d}:00+00:00",
            description=description,
            tags=dict(tags),
        )
        self.snapshots[made.snapshot_id] = made
        return made

    def _next_number(self):
        """EC2 never gives an id twice, however many snapshots were deleted."""
        self.ever = max(self.ever, len(self.snapshots)) + 1
        return self.ever

    def find_instance_volumes(self, instance_id):
        return self.instances.get(instance_id)

    def create_snapshots(self, request, tags):
        self.calls.append("create_snapshots")
        volumes = self.instances[request.instance_id].of(request)
        self.volumes |= {volume.volume_id: volume for volume in volumes}
        return [self._made(volume.volume_id, request.description or "", tags) for volume in volumes]

    def wait_until_completed(self, snapshot_id, time_limit):
        self.snapshots[snapshot_id] = dataclasses.replace(self.snapshots[snapshot_id], state="completed", progress="100%")
        return self.snapshots[snapshot_id]

    def wait_for_all(self, snapshot_ids, time_limit):
        ids = list(snapshot_ids)
        self.waits.append(ids)
        return {snapshot_id: self.failing.get(snapshot_id) or self.wait_until_completed(snapshot_id, time_limit) for snapshot_id in ids}

    def tag_snapshot(self, snapshot_id, tags):
        self.calls.append("tag_snapshot")
        found = self.snapshots[snapshot_id]
        self.snapshots[snapshot_id] = dataclasses.replace(found, tags={**found.tags, **tags})

    def delete_snapshot(self, snapshot_id):
        self.calls.append("delete_snapshot")
        if snapshot_id in self.failing:
            raise self.failing[snapshot_id]
        del self.snapshots[snapshot_id]

    def images_needing(self, snapshot_ids):
        return self.images

    def snapshots_being_restored(self):
        return self.being_restored

    def images_made_from(self, snapshot_id):
        return self.images.get(snapshot_id, [])

    def shared_with(self, snapshot_id):
        return self.sharing.get(snapshot_id, [])

    def own_account(self):
        return self.account

    def key_grants(self, snapshot):
        return dict.fromkeys(self.grants.get(snapshot.snapshot_id, ()), "grant")

    def change_key_grants(self, snapshot, gained, lost):
        self.calls.append("change_key_grants")
        self.grants[snapshot.snapshot_id] = {*self.grants.get(snapshot.snapshot_id, ()), *gained} - set(lost)

    def find_copies(self, source, source_region):
        copied_from = {"petal:copied-from": f"{source_region}/{source.snapshot_id}"}
        copies = list(self.list_snapshots(SnapshotQuery(tags=copied_from)))
        return copies or (self.find_by_fingerprint(source.fingerprint) if source.fingerprint else [])

    def copy_snapshot(self, source_region, copy, find_made):
        self.calls.append("copy_snapshot")
        if self.refuse_copies:
            raise ExplainedError(f"{self.region} takes no copies.")
        number = self._next_number()
        made = dataclasses.replace(copy, snapshot_id=f"snap-{number:017x}", owner_id=self.account, start_time="2026-11-22T13:00:00+00:00")
        self.snapshots[made.snapshot_id] = made
        return made

    def sharing_facts(self, snapshot, request):
        return SharingFacts(tuple(self.shared_with(snapshot.snapshot_id)), self.key_is_aws_managed, "unblocked" if request.public else None)

    def encrypts_by_default(self):
        return self.encrypts_all

    def default_key(self):
        return "alias/aws/ebs"

    def change_sharing(self, snapshot_id, gained, lost):
        self.calls.append("change_sharing")
        self.sharing[snapshot_id] = sorted({*self.shared_with(snapshot_id), *gained} - set(lost))


class FakeLaunchTemplates:
    """named: ids of launch templates by the snapshot that they name."""

    def __init__(self):
        self.named = {}

    def naming(self, snapshot_ids):
        return {one: self.named[one] for one in snapshot_ids if one in self.named}


class FakeSnapshotFeatures:
    """Locks, tiers and fast restores in memory, by snapshot id. calls: the gateway's."""

    def __init__(self, calls):
        self.locks, self.tiers, self.zones = {}, {}, {}
        self.calls = calls

    def lock_of(self, snapshot_id):
        return self.locks.get(snapshot_id)

    def locks_of(self, snapshot_ids):
        return self.locks

    def lock(self, snapshot_id, request):
        self.calls.append("lock")
        self.locks[snapshot_id] = Lock(request.mode, request.days)

    def unlock(self, snapshot_id):
        self.calls.append("unlock")
        del self.locks[snapshot_id]

    def tier_of(self, snapshot_id):
        return self.tiers.get(snapshot_id, Tier())

    def archive(self, snapshot_id):
        self.calls.append("archive")
        self.tiers[snapshot_id] = Tier("archive", "archival-completed")

    def restore(self, snapshot_id, temporary_days):
        self.calls.append(f"restore for {temporary_days}")
        self.tiers[snapshot_id] = Tier("archive" if temporary_days else "standard", "restored", "later" if temporary_days else None)

    def fast_restores_of(self, snapshot_id):
        return self.zones.get(snapshot_id, {})

    def fast_restores(self, snapshot_ids):
        return self.zones

    def set_fast_restore(self, snapshot_id, zones, fast):
        self.calls.append(f"fast in {zones}" if fast else f"slow in {zones}")
        states = self.zones.setdefault(snapshot_id, {})
        for zone in zones:
            states[zone] = "enabled" if fast else "disabling"


class FakeVolumeGateway:
    """EC2's volumes in memory, under a clock that moves only when somebody sleeps.

    calls: the names of the calls that change something, in order. reads: how often volumes were read.
    faults: {call: [errors]}; each call raises the next error of its list, if one is left.
    creating, attaching: seconds that a new volume and a new attachment take to be ready.
    """

    def __init__(self, volumes=(), instances=(), snapshots=(), creating=0, attaching=0):
        self.volumes = {volume.volume_id: volume for volume in volumes}
        self.instances = {instance.instance_id: instance for instance in instances}
        self.snapshots = {snapshot.snapshot_id: snapshot for snapshot in snapshots}
        self.modifications = {}
        self.tokens = {}
        self.calls, self.reads, self.faults = [], 0, {}
        self.creating, self.attaching = creating, attaching
        self.ready_at = {}
        self.now = 0.0
        self._lock = threading.Lock()

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def find_volumes(self, *, ids=(), names=()):
        self.reads += 1
        self._settle()
        ids, names = set(ids), set(names)
        return [volume for volume in self.volumes.values() if volume.volume_id in ids or volume.name in names]

    def list_volumes(self, query):
        self.reads += 1
        for volume in self.volumes.values():
            if (query.volume_ids is None or volume.volume_id in query.volume_ids) and query.required_tags().items() <= volume.tags.items():
                yield volume

    def find_instances(self, ids):
        return {instance_id: self.instances[instance_id] for instance_id in ids if instance_id in self.instances}

    def find_source_snapshots(self, ids):
        return {snapshot_id: self.snapshots[snapshot_id] for snapshot_id in ids if snapshot_id in self.snapshots}

    def find_modifications(self, ids):
        return {volume_id: self.modifications[volume_id] for volume_id in ids if volume_id in self.modifications}

    def create_volume(self, wanted, generation):
        with self._lock:
            self._called("create_volume")
            # What is wanted in the end may be attached; what EC2 creates is not.
            wanted = dataclasses.replace(wanted, state="creating", attachments=())
            token = client_token(wanted, generation)
            if token in self.tokens:
                volume_id, parameters = self.tokens[token]
                if parameters != wanted or volume_id not in self.volumes:
                    raise aws_error("IdempotentParameterMismatch")
                return self.volumes[volume_id]
            volume_id = f"vol-{len(self.tokens) + 1:017x}"
            created = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC).isoformat()
            self.volumes[volume_id] = dataclasses.replace(wanted, volume_id=volume_id, create_time=created)
            self.tokens[token] = (volume_id, wanted)
            self.ready_at[volume_id] = self.now + self.creating
            return self.volumes[volume_id]

    def modify_volume(self, volume_id, changes):
        self._called("modify_volume")
        self.modifications[volume_id] = Modification("optimizing", changes)
        self._replace(volume_id, **changes)

    def attach_volume(self, volume_id, instance_id, device):
        with self._lock:
            self._called("attach_volume")
            volume = self.volumes[volume_id]
            if volume.holders and not volume.multi_attach:
                raise aws_error("VolumeInUse")
            attachment = Attachment(instance_id, device, "attaching")
            self._replace(volume_id, state="in-use", attachments=(*volume.attachments, attachment))
            self.ready_at[volume_id] = self.now + self.attaching

    def detach_volume(self, volume_id, instance_id, force):
        self._called("detach_volume --force" if force else "detach_volume")
        staying = tuple(held for held in self.volumes[volume_id].attachments if held.instance_id != instance_id)
        self._replace(volume_id, state="in-use" if staying else "available", attachments=staying)

    def set_delete_on_termination(self, volume_id, attachment):
        self._called("set_delete_on_termination")
        others = tuple(held for held in self.volumes[volume_id].attachments if held.instance_id != attachment.instance_id)
        self._replace(volume_id, attachments=(*others, attachment))

    def create_tags(self, volume_id, tags):
        self._called("create_tags")
        wanted = {**self.volumes[volume_id].tags, **tags}
        self._replace(volume_id, tags=wanted, name=wanted.get("Name"))

    def delete_tags(self, volume_id, keys):
        self._called("delete_tags")
        self._replace(volume_id, tags={key: value for key, value in self.volumes[volume_id].tags.items() if key not in keys})

    def delete_volume(self, volume_id):
        self._called("delete_volume")
        if self.volumes[volume_id].holders:
            raise aws_error("VolumeInUse")
        del self.volumes[volume_id]

    def _called(self, name):
        self.calls.append(name)
        if self.faults.get(name):
            raise self.faults[name].pop(0)

    def _settle(self):
        for volume_id, volume in list(self.volumes.items()):
            if self.ready_at.get(volume_id, 0) <= self.now:
                state = "available" if volume.state == "creating" else volume.state
                held = tuple(dataclasses.replace(one, state="attached") if one.state == "attaching" else one for one in volume.attachments)
                self._replace(volume_id, state=state, attachments=held)

    def _replace(self, volume_id, **changes):
        self.volumes[volume_id] = dataclasses.replace(self.volumes[volume_id], **changes)


def aws_error(code):
    """An error as `_aws` raises it when AWS answers with this code."""
    return ExplainedError(f"AWS refused: {code}.", aws_code=code, aws_message=f"text of {code}")
