# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EBS snapshots in AWS: find, create exactly one, wait, tag, delete."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator

from .._core import tags as tag
from .._core.ebs.sharing import EVERYBODY, SharingFacts, SharingRequest
from .._core.ebs.snapshot import Snapshot, SnapshotRequest, SnapshottedVolume, alike, bare, copy_source, oldest
from .._core.ebs.snapshot_group import GroupRequest, InstanceVolumes, group_size
from .._core.errors import ExplainedError
from .errors import NOT_YET_VISIBLE_CODES, aws_code, explained
from .fleet import at_once
from .launch_templates import LaunchTemplates
from .requests import CLIENT_CONFIG, batches, literal, tag_list
from .snapshot_blocks import changed_gib
from .snapshot_features import SnapshotFeatures
from .snapshot_making import (
    GOES_ON,
    SnapshotMaker,
    SnapshotQuery,
    is_completed,
    made_once,
    progress,
    sending_once,
    snapshot_from,
    tag_specification,
)
from .waiting import TimeIsUp, wait_until

REGIONS_AT_ONCE = 8
# The key that AWS manages in each account. It need not exist before its first use.
AWS_MANAGED_ALIAS = "alias/aws/ebs"
# What an account needs to make volumes and copies of an encrypted snapshot; EBS User Guide, "Share the KMS key".
GRANTED_OPERATIONS = ("DescribeKey", "CreateGrant", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKeyWithoutPlaintext")


class SnapshotGateway(SnapshotMaker):
    """ec2: a boto3 EC2 client.

    ec2_without_retries: returns a client that sends each request once; botocore's own retries could make two snapshots of one request.
    ec2_in: returns a client for another region, to say where a volume is that is not here; None: do not look.
    sts: returns an STS client; needed for own_account only.
    kms: returns a KMS client; needed for sharing_facts of encrypted snapshots only.
    ebs: returns a client of the EBS direct APIs; needed for changed_gib only.
    """

    def __init__(
        self,
        ec2,
        ec2_without_retries: Callable[[], object] | None = None,
        ec2_in: Callable[[str], object] | None = None,
        sts: Callable[[], object] | None = None,
        kms: Callable[[], object] | None = None,
        ebs: Callable[[], object] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        super().__init__(ec2, ec2_without_retries, sleep)
        self._ec2_in = ec2_in
        self._sts = sts
        self._kms = made_once(kms) if kms else None
        self._ebs = made_once(ebs) if ebs else None
        self.templates = LaunchTemplates(ec2)

    @property
    def features(self) -> SnapshotFeatures:
        """What snapshots can have beside data and tags."""
        return SnapshotFeatures(self._ec2)

    def changed_gib(self, snapshot_id: str, since: str) -> float:
        """Return how many GiB a snapshot stores that an earlier one of its lineage does not."""
        return changed_gib(self._ebs(), snapshot_id, since)

    def find_by_fingerprint(self, fingerprint: str, query: SnapshotQuery | None = None) -> list[Snapshot]:
        """Return the snapshots with that fingerprint under our tag or the old one, written with or without "sha256:"."""
        spellings = [f"sha256:{bare(fingerprint)}", bare(fingerprint)]
        query = query or SnapshotQuery()
        found = {}
        for prefix in (tag.PREFIX, tag.OLD_PREFIX):
            filters = {**query.filters, f"tag:{tag.key(tag.FINGERPRINT, prefix)}": spellings}
            for snapshot in self.list_snapshots(dataclasses.replace(query, filters=filters)):
                found[snapshot.snapshot_id] = snapshot
        return oldest(found.values())

    def find_candidates(self, requests: Iterable[SnapshotRequest]) -> list[Snapshot]:
        """Return our own snapshots, in any state, among which `alike` finds those of each request.

        One request to EC2 for up to 200 ids, names or spellings of fingerprints, however many snapshots are asked for.
        """
        requests = list(requests)
        ids = [request.snapshot_id for request in requests if request.snapshot_id]
        fingerprints = [request.fingerprint for request in requests if request.fingerprint and not request.snapshot_id]
        names = [request.name for request in requests if request.name and not (request.fingerprint or request.snapshot_id)]
        spellings = [spelling for fingerprint in fingerprints for spelling in (fingerprint, bare(fingerprint))]
        wanted = [
            ("snapshot-id", ids),
            (f"tag:{tag.key(tag.FINGERPRINT)}", spellings),
            (f"tag:{tag.key(tag.FINGERPRINT, tag.OLD_PREFIX)}", spellings),
            (f"tag:{tag.NAME}", [literal(name) for name in names]),
        ]
        found = {}
        for name, values in wanted:
            for portion in batches(values):
                for snapshot in self.list_snapshots(SnapshotQuery(filters={name: portion})):
                    found[snapshot.snapshot_id] = snapshot
        return oldest(found.values())

    def find_alike(self, request: SnapshotRequest) -> list[Snapshot]:
        """Return our own snapshots, in any state, that share the request's identity."""
        return alike(request, self.find_candidates([request]))

    def find_copies(self, source: Snapshot, source_region: str) -> list[Snapshot]:
        """Return our own snapshots in this region, in any state, that hold the same as a snapshot of another region."""
        copied_from = {tag.key(tag.COPIED_FROM): copy_source(source, source_region)}
        copies = list(self.list_snapshots(SnapshotQuery(tags=copied_from)))
        return copies or (self.find_by_fingerprint(source.fingerprint) if source.fingerprint else [])

    def find_visible(self, snapshot_ids: Iterable[str]) -> dict[str, Snapshot]:
        """Return, by id, those of the snapshots that this account may see here, whoever owns them."""
        ids = tuple(dict.fromkeys(snapshot_ids))
        return {str(found.snapshot_id): found for found in self.list_snapshots(SnapshotQuery(owners=(), snapshot_ids=ids))} if ids else {}

    def find_public(self, snapshot_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the snapshots that everybody may use here; whoever owns them, anybody may ask."""
        ids = tuple(dict.fromkeys(snapshot_ids))
        query = SnapshotQuery(owners=(), snapshot_ids=ids, restorable_by=("all",))
        return frozenset(str(found.snapshot_id) for found in self.list_snapshots(query)) if ids else frozenset()

    def find_volumes(self, volume_ids: Iterable[str]) -> dict[str, SnapshottedVolume]:
        """Return the volumes with these ids, by id; those that do not exist are left out."""
        found = {}
        for portion in batches(volume_ids):
            with explained("read the volumes"):
                pages = self._ec2.get_paginator("describe_volumes").paginate(Filters=[{"Name": "volume-id", "Values": portion}])
                found.update({answer["VolumeId"]: _volume(answer) for page in pages for answer in page["Volumes"]})
        return found

    def find_instance_volumes(self, instance_id: str) -> InstanceVolumes | None:
        """Return an instance that is not terminated with its volumes, or None."""
        with explained("read the instance", resource=instance_id):
            answer = self._ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])
            pages = self._ec2.get_paginator("describe_volumes").paginate(
                Filters=[{"Name": "attachment.instance-id", "Values": [instance_id]}]
            )
            volumes = tuple(_volume(found) for page in pages for found in page["Volumes"])
        instances = [instance for group in answer["Reservations"] for instance in group["Instances"]]
        if not instances or instances[0]["State"]["Name"] == "terminated":
            return None
        mappings = {
            mapping["DeviceName"]: mapping.get("Ebs", {}).get("VolumeId") for mapping in instances[0].get("BlockDeviceMappings", [])
        }
        boot_volume_id = mappings.get(instances[0].get("RootDeviceName"))
        return InstanceVolumes(instance_id, instances[0]["State"]["Name"] != "stopped", boot_volume_id, volumes)

    def get_volume(self, volume_id: str) -> SnapshottedVolume:
        """Return a volume; an ExplainedError says whether it is missing, elsewhere, or not ours to see."""
        try:
            with explained("read the volume", resource=volume_id):
                return _volume(self._ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0])
        except ExplainedError as error:
            if aws_code(error) != "InvalidVolume.NotFound":
                raise
            raise self._missing_volume(volume_id) from error

    def create_snapshots(self, request: GroupRequest, tags: dict[str, str]) -> list[Snapshot]:
        """Create snapshots of an instance's volumes at one point in time, once, however often an answer is lost on the way.

        tags: in the call, the same for all; the tag group tells the snapshots of this very call.
        """
        group = tags[tag.key(tag.GROUP)]
        specification = {"InstanceId": request.instance_id, "ExcludeBootVolume": request.exclude_boot_volume}
        if request.exclude_volume_ids:
            specification["ExcludeDataVolumeIds"] = list(request.exclude_volume_ids)

        def create(ec2) -> list[Snapshot]:
            with explained("create snapshots of", resource=request.instance_id):
                answer = ec2.create_snapshots(
                    InstanceSpecification=specification,
                    Description=request.description or "",
                    TagSpecifications=tag_specification(tags),
                )
            return [snapshot_from(found) for found in answer["Snapshots"]]

        def find_made() -> list[Snapshot]:
            made = list(self.list_snapshots(SnapshotQuery(tags={tag.key(tag.GROUP): group})))
            # Fewer are the same group, half visible.
            return made if len(made) == group_size(group) else []

        return self.make_once(create, find_made)

    def copy_snapshot(self, source_region: str, copy: Snapshot, find_made: Callable[[], list[Snapshot]]) -> Snapshot:
        """Copy a snapshot of another region into this one, however often an answer is lost on the way.

        copy: the snapshot as it is to be; its tag copied-from names the source, its kms_key_id the key to encrypt it with.
        """
        source_id = tag.read(copy.tags, tag.COPIED_FROM).rpartition("/")[2]
        encryption = {"Encrypted": True, "KmsKeyId": copy.kms_key_id} if copy.kms_key_id else {}

        def request(ec2) -> list[Snapshot]:
            with explained(f"copy to {self.region} the snapshot", resource=source_id):
                answer = ec2.copy_snapshot(
                    SourceRegion=source_region,
                    SourceSnapshotId=source_id,
                    Description=copy.description,
                    TagSpecifications=tag_specification(copy.tags),
                    **encryption,
                )
            return [dataclasses.replace(copy, snapshot_id=answer["SnapshotId"])]

        return self.make_once(request, find_made)[0]

    def wait_for_all(self, snapshot_ids: Iterable[str], time_limit: float) -> dict[str, Snapshot | ExplainedError]:
        """Wait for many snapshots with one request for 200 of them at a time; return each, or what became of it, by id."""
        results: dict[str, Snapshot | ExplainedError] = {}
        waiting = dict.fromkeys(snapshot_ids, "nothing yet")

        def look() -> dict[str, Snapshot]:
            found = self.list_snapshots(SnapshotQuery(snapshot_ids=tuple(waiting)))
            return {str(snapshot.snapshot_id): snapshot for snapshot in found}

        def all_over(found: dict[str, Snapshot]) -> bool:
            for snapshot_id, snapshot in found.items():
                try:
                    over = is_completed(snapshot)
                except ExplainedError as error:
                    results[snapshot_id] = error
                else:
                    waiting[snapshot_id] = progress(snapshot)
                    results.update({snapshot_id: snapshot} if over else {})
            for snapshot_id in results:
                waiting.pop(snapshot_id, None)
            return not waiting

        try:
            if waiting:
                wait_until(
                    look,
                    all_over,
                    what="completed",
                    resource="A snapshot",
                    time_limit=time_limit,
                    next_step=GOES_ON,
                    not_yet=NOT_YET_VISIBLE_CODES,
                    sleep=self.sleep,
                )
        except TimeIsUp:
            for snapshot_id, seen in waiting.items():
                results[snapshot_id] = TimeIsUp(snapshot_id, "completed", time_limit=time_limit, last_seen=seen, next_step=GOES_ON)
        except ExplainedError as error:
            results.update(dict.fromkeys(waiting, error))
        return results

    def tag_snapshot(self, snapshot_id: str, tags: dict[str, str]) -> None:
        with explained("tag the snapshot", resource=snapshot_id):
            self._ec2.create_tags(Resources=[snapshot_id], Tags=tag_list(tags))

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Delete a snapshot; one that is gone already is a success."""
        try:
            with explained("delete the snapshot", resource=snapshot_id):
                self._ec2.delete_snapshot(SnapshotId=snapshot_id)
        except ExplainedError as error:
            if aws_code(error) != "InvalidSnapshot.NotFound":
                raise

    def images_made_from(self, snapshot_id: str) -> list[str]:
        """Return the ids of our own AMIs that need the snapshot."""
        with explained("find the images made from", resource=snapshot_id):
            filters = [{"Name": "block-device-mapping.snapshot-id", "Values": [snapshot_id]}]
            answer = self._ec2.describe_images(Owners=["self"], Filters=filters)
        return sorted(image["ImageId"] for image in answer["Images"])

    def images_needing(self, snapshot_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return the ids of our own AMIs by the snapshot that they need; disabled ones too, as they can be enabled again."""
        found: dict[str, list[str]] = {}
        for portion in batches(snapshot_ids):
            filters = [{"Name": "block-device-mapping.snapshot-id", "Values": portion}]
            with explained("find the images made from snapshots"):
                pages = self._ec2.get_paginator("describe_images").paginate(Owners=["self"], Filters=filters, IncludeDisabled=True)
                images = [image for page in pages for image in page["Images"]]
            for image in images:
                for device in image.get("BlockDeviceMappings", []):
                    if device.get("Ebs", {}).get("SnapshotId") in portion:
                        found.setdefault(device["Ebs"]["SnapshotId"], []).append(image["ImageId"])
        return found

    def snapshots_being_restored(self) -> frozenset[str]:
        """Return the ids of the snapshots from which volumes are being created now."""
        with explained("look for volumes in creation"):
            pages = self._ec2.get_paginator("describe_volumes").paginate(Filters=[{"Name": "status", "Values": ["creating"]}])
            return frozenset(volume["SnapshotId"] for page in pages for volume in page["Volumes"] if volume.get("SnapshotId"))

    def own_account(self) -> str:
        """Return the id of the account that the credentials belong to; every identity may ask for it."""
        with explained("find out whose credentials these are"):
            return self._sts().get_caller_identity()["Account"]

    def shared_with(self, snapshot_id: str) -> list[str]:
        """Return the account ids a snapshot is shared with; "all" stands for everybody."""
        with explained("read who may use", resource=snapshot_id):
            answer = self._ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
        return sorted(permission.get("UserId") or permission["Group"] for permission in answer["CreateVolumePermissions"])

    def sharing_facts(self, snapshot: Snapshot, request: SharingRequest) -> SharingFacts:
        """Return what decides whether a snapshot, which may not exist yet, can be shared as asked."""
        return SharingFacts(
            shared_with=tuple(self.shared_with(snapshot.snapshot_id)) if snapshot.snapshot_id else (),
            key_is_aws_managed=self._key_is_aws_managed(snapshot.kms_key_id) if snapshot.encrypted and request.gained else None,
            public_access=self._public_access() if request.public else None,
        )

    def encrypts_by_default(self) -> bool:
        """Say whether the account encrypts all its volumes in the region, whatever is asked for."""
        with explained("find out whether volumes are encrypted by default"):
            return self._ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]

    def default_key(self) -> str:
        """Return the key of encrypted volumes for which none is named."""
        with explained("find out which key volumes have by default"):
            return self._ec2.get_ebs_default_kms_key_id()["KmsKeyId"]

    def change_sharing(self, snapshot_id: str, gained: Iterable[str], lost: Iterable[str]) -> None:
        """Give the use of a snapshot to some accounts, then take it from others; nobody else is touched."""
        for operation, accounts in (("add", set(gained)), ("remove", set(lost))):
            everybody = {"GroupNames": [EVERYBODY]} if EVERYBODY in accounts else {}
            users = {"UserIds": sorted(accounts - {EVERYBODY})} if accounts - {EVERYBODY} else {}
            if accounts:
                with _explained_sharing(snapshot_id):
                    self._ec2.modify_snapshot_attribute(
                        SnapshotId=snapshot_id, Attribute="createVolumePermission", OperationType=operation, **everybody, **users
                    )

    def key_grants(self, snapshot: Snapshot) -> dict[str, str]:
        """Return the ids of our grants of the snapshot's key for this snapshot, by account."""
        with explained("list the grants of the key", resource=snapshot.kms_key_id):
            pages = self._kms().get_paginator("list_grants").paginate(KeyId=snapshot.kms_key_id)
            grants = [grant for page in pages for grant in page["Grants"] if grant.get("Name") == _grant_name(snapshot)]
        return {grant["GranteePrincipal"].split(":")[4]: grant["GrantId"] for grant in grants}

    def change_key_grants(self, snapshot: Snapshot, gained: Iterable[str], lost: Iterable[str]) -> None:
        """Let some accounts use the snapshot's key, and others no longer; grants that we did not make stay."""
        partition = str(snapshot.kms_key_id).split(":")[1]
        for account in sorted(gained):
            with explained(f"let {account} use the key", resource=snapshot.kms_key_id):
                self._kms().create_grant(
                    KeyId=snapshot.kms_key_id,
                    GranteePrincipal=f"arn:{partition}:iam::{account}:root",
                    Operations=list(GRANTED_OPERATIONS),
                    Name=_grant_name(snapshot),
                )
        known = self.key_grants(snapshot) if lost else {}
        for account in sorted(set(lost) & known.keys()):
            with explained(f"take from {account} the key", resource=snapshot.kms_key_id):
                self._kms().revoke_grant(KeyId=snapshot.kms_key_id, GrantId=known[account])

    def _public_access(self) -> str:
        with explained("find out whether public snapshots are blocked"):
            return self._ec2.get_snapshot_block_public_access_state()["State"]

    def _key_is_aws_managed(self, key_id: str | None) -> bool | None:
        if key_id == AWS_MANAGED_ALIAS:
            return True
        if not key_id or self._kms is None:
            return None
        try:
            with explained("read the key", resource=key_id):
                return self._kms().describe_key(KeyId=key_id)["KeyMetadata"]["KeyManager"] == "AWS"
        except ExplainedError:
            # Whoever may share a snapshot need not be allowed to read its key; EC2 still refuses the default one.
            return None

    def _missing_volume(self, volume_id: str) -> ExplainedError:
        region = self._region_of(volume_id)
        if region:
            return ExplainedError(
                f"Volume {volume_id} is in {region}, not in {self.region}.",
                resource=volume_id,
                next_step=f"Set region: {region}; snapshots are taken where the volume is, and copied from there.",
                found_in_region=region,
            )
        return ExplainedError(
            f"Volume {volume_id} does not exist in {self.region}, nor in another region of this account.",
            resource=volume_id,
            next_step="Check the id and the account (profile); the volume may have been deleted.",
        )

    def _region_of(self, volume_id: str) -> str | None:
        if self._ec2_in is None:
            return None
        with explained("list the regions"):
            regions = [region["RegionName"] for region in self._ec2.describe_regions()["Regions"]]
        others = [region for region in regions if region != self.region]
        found = at_once(lambda region: self._has_volume(region, volume_id), others, REGIONS_AT_ONCE)
        return next((region for region, here in zip(others, found, strict=True) if here), None)

    def _has_volume(self, region: str, volume_id: str) -> bool:
        try:
            with explained("read the volume", resource=volume_id):
                return bool(self._ec2_in(region).describe_volumes(VolumeIds=[volume_id])["Volumes"])
        except ExplainedError:
            # A region that refuses us cannot be told from one that lacks the volume; the message names neither.
            return False


def gateway_of(module, **connection: str) -> SnapshotGateway:
    """Return the SnapshotGateway of an AnsibleAWSModule; connection: what is to differ from its options, such as region."""
    return SnapshotGateway(
        module.client("ec2", **connection, config=CLIENT_CONFIG),
        ec2_without_retries=sending_once(module, **connection),
        ec2_in=lambda region: module.client("ec2", region=region),
        sts=lambda: module.client("sts", **connection),
        kms=lambda: module.client("kms", **connection),
    )


@contextlib.contextmanager
def _explained_sharing(snapshot_id: str) -> Iterator[None]:
    """Explain what EC2 refuses when it comes to sharing, where the key could not be looked at beforehand."""
    try:
        with explained("change who may use", resource=snapshot_id):
            yield
    except ExplainedError as error:
        if aws_code(error) != "OperationNotPermitted":
            raise
        raise ExplainedError(
            f"EC2 does not let snapshot {snapshot_id} be shared: {error.details['aws_message']}.",
            next_step="The default key aws/ebs cannot be shared: copy the snapshot with a key of your own and share the copy.",
            **{"resource": snapshot_id, **error.details},
        ) from error


def _grant_name(snapshot: Snapshot) -> str:
    """One grant for each snapshot and account, so that unsharing one snapshot leaves another one of the same key alone."""
    return f"petal-hpc/{snapshot.snapshot_id}"


def _volume(found: dict) -> SnapshottedVolume:
    return SnapshottedVolume(
        volume_id=found["VolumeId"],
        size_gib=found["Size"],
        attached=any(attachment.get("State") != "detached" for attachment in found.get("Attachments", [])),
        encrypted=found.get("Encrypted"),
        kms_key_id=found.get("KmsKeyId"),
        tags={item["Key"]: item["Value"] for item in found.get("Tags", [])},
    )
