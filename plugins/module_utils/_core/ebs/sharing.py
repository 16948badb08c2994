# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may use a snapshot: what is asked, what must be refused, what has to change."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from ..errors import ExplainedError
from ..plan import Plan
from .snapshot import Snapshot

# How EC2 calls the group of all accounts.
EVERYBODY = "all"

_ACCOUNT = re.compile(r"\d{12}")


@dataclasses.dataclass(frozen=True)
class SharingRequest:
    """Which accounts gain or lose the use of a snapshot; accounts that are not named keep what they have.

    public: True for everybody, False for no longer everybody, None to leave that as it is.
    confirm_public: the user has said that everybody is meant.
    """

    share_with: tuple[str, ...] = ()
    unshare_from: tuple[str, ...] = ()
    public: bool | None = None
    confirm_public: bool = False

    @property
    def asks_for_something(self) -> bool:
        return bool(self.share_with or self.unshare_from or self.public is not None)

    @property
    def gained(self) -> set[str]:
        return {*self.share_with, *([EVERYBODY] if self.public else [])}

    @property
    def lost(self) -> set[str]:
        return {*self.unshare_from, *([EVERYBODY] if self.public is False else [])}


@dataclasses.dataclass(frozen=True)
class SharingFacts:
    """What decides whether a snapshot can be shared, beside the snapshot itself.

    shared_with: the accounts that may use it now; "all" stands for everybody.
    key_is_aws_managed: whether its key is the account's default EBS key; None when that could not be found out.
    public_access: the region's state, "unblocked", "block-new-sharing" or "block-all-sharing"; None when it was not asked.
    """

    shared_with: tuple[str, ...] = ()
    key_is_aws_managed: bool | None = None
    public_access: str | None = None


def check_accounts(request: SharingRequest) -> SharingRequest:
    """Return the request; raises ExplainedError for account ids that are none, and for accounts that gain and lose at once."""
    wrong = sorted(account for account in {*request.share_with, *request.unshare_from} if not _ACCOUNT.fullmatch(account))
    if wrong:
        raise ExplainedError(
            f"These are no account ids: {', '.join(wrong)}.",
            next_step="An account id has twelve digits; write it in quotes, or YAML drops its leading zeros.",
        )
    both = sorted(set(request.share_with) & set(request.unshare_from))
    if both:
        raise ExplainedError(f"share_with and unshare_from both name {', '.join(both)}.", next_step="Name each account once.")
    return request


def plan_sharing(request: SharingRequest, snapshot: Snapshot, facts: SharingFacts) -> Plan:
    """Decide which permissions to add and which to take away.

    Returns a Plan whose actions are "share" and "unshare", in this order: nobody loses access in between.
    Its before and after hold shared_with, sorted.
    Raises ExplainedError when AWS would refuse, or when everybody is meant and that is not confirmed.
    """
    before = set(facts.shared_with)
    after = (before | request.gained) - request.lost
    gained, lost = after - before, before - after
    if EVERYBODY in gained:
        _refuse_public(request, snapshot, facts)
    if gained:
        _refuse_default_key(snapshot, facts)
    actions = (*(("share",) if gained else ()), *(("unshare",) if lost else ()))
    return Plan(actions, {"shared_with": sorted(before)}, {"shared_with": sorted(after)}, tuple(_warnings(gained, snapshot, facts)))


def _refuse_public(request: SharingRequest, snapshot: Snapshot, facts: SharingFacts) -> None:
    resource = snapshot.snapshot_id
    if not request.confirm_public:
        raise ExplainedError(
            "Everybody with an AWS account could copy a public snapshot and read what is on it.",
            resource=resource,
            next_step="Say confirm_public: true when its content has been checked and that is meant.",
        )
    if snapshot.encrypted:
        raise ExplainedError(
            "An encrypted snapshot cannot be made public.",
            resource=resource,
            next_step="Share it with accounts (share_with), or build the software on an unencrypted volume.",
        )
    if facts.public_access not in (None, "unblocked"):
        raise ExplainedError(
            f"This account blocks public snapshots in the region ({facts.public_access}).",
            resource=resource,
            next_step="Share it with accounts, or let an administrator call DisableSnapshotBlockPublicAccess first.",
        )


def _refuse_default_key(snapshot: Snapshot, facts: SharingFacts) -> None:
    if snapshot.encrypted and facts.key_is_aws_managed:
        raise ExplainedError(
            f"A snapshot that is encrypted with the default key aws/ebs cannot be shared; its key is {snapshot.kms_key_id}.",
            resource=snapshot.snapshot_id,
            next_step="Build the volume with kms_key_id of a key of your own, or copy the snapshot with such a key.",
        )


def _warnings(gained: Iterable[str], snapshot: Snapshot, facts: SharingFacts) -> list[str]:
    accounts = ", ".join(sorted(set(gained) - {EVERYBODY}))
    if not accounts or not snapshot.encrypted:
        return []
    unknown = "" if facts.key_is_aws_managed is False else " Whether it is a key of your own could not be found out."
    return [
        f"{accounts} can use the snapshot only with permission for its key {snapshot.kms_key_id} (kms:Decrypt, kms:CreateGrant).{unknown}"
    ]


def plan_key_grants(request: SharingRequest, snapshot: Snapshot, granted: Iterable[str]) -> Plan:
    """Decide which accounts gain or lose the use of an encrypted snapshot's key, for this snapshot.

    granted: the accounts that have a grant for it now. Nothing has to happen for a snapshot without encryption.
    Returns a Plan whose actions are "grant" and "revoke"; its before and after hold key_granted_to, sorted.
    """
    if not snapshot.encrypted:
        return Plan()
    before = set(granted)
    after = (before | set(request.share_with)) - set(request.unshare_from)
    actions = (*(("grant",) if after - before else ()), *(("revoke",) if before - after else ()))
    return Plan(actions, {"key_granted_to": sorted(before)}, {"key_granted_to": sorted(after)})
