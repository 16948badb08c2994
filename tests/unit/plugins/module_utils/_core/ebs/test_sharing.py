import pytest

from plugins.module_utils._core.ebs.sharing import SharingFacts, SharingRequest, check_accounts, plan_key_grants, plan_sharing
from plugins.module_utils._core.ebs.snapshot import Snapshot
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.plan import Plan

ANNA, BEN = "111122223333", "444455556666"
PLAIN = Snapshot("snap-1", "completed", encrypted=False)
ENCRYPTED = Snapshot("snap-2", "completed", encrypted=True, kms_key_id="arn:aws:kms:us-east-1:123456789012:key/1")


@pytest.mark.parametrize(
    ("asked", "now", "actions", "then"),
    [
        (SharingRequest(share_with=(ANNA,)), (), ("share",), [ANNA]),
        (SharingRequest(share_with=(ANNA,)), (ANNA, BEN), (), [ANNA, BEN]),
        (SharingRequest(unshare_from=(ANNA,)), (ANNA, BEN), ("unshare",), [BEN]),
        (SharingRequest(unshare_from=(ANNA,)), (BEN,), (), [BEN]),
        (SharingRequest(share_with=(ANNA,), unshare_from=(BEN,)), (BEN,), ("share", "unshare"), [ANNA]),
        (SharingRequest(public=True, confirm_public=True), (BEN,), ("share",), [BEN, "all"]),
        (SharingRequest(public=False), (BEN, "all"), ("unshare",), [BEN]),
    ],
)
def test_only_what_is_named_changes_and_access_is_added_before_it_is_taken(asked, now, actions, then):
    plan = plan_sharing(asked, PLAIN, SharingFacts(shared_with=now))
    assert (plan.actions, plan.after["shared_with"]) == (actions, then)


def test_everybody_needs_a_confirmation():
    with pytest.raises(ExplainedError, match="confirm_public: true"):
        plan_sharing(SharingRequest(public=True), PLAIN, SharingFacts())


def test_what_is_public_already_needs_none():
    assert not plan_sharing(SharingRequest(public=True), PLAIN, SharingFacts(shared_with=("all",))).changed


def test_an_encrypted_snapshot_never_becomes_public():
    with pytest.raises(ExplainedError, match="cannot be made public"):
        plan_sharing(SharingRequest(public=True, confirm_public=True), ENCRYPTED, SharingFacts(key_is_aws_managed=False))


@pytest.mark.parametrize("state", ["block-new-sharing", "block-all-sharing"])
def test_a_block_on_public_access_is_explained(state):
    with pytest.raises(ExplainedError, match=state):
        plan_sharing(SharingRequest(public=True, confirm_public=True), PLAIN, SharingFacts(public_access=state))


def test_the_default_key_cannot_be_shared_but_access_can_be_taken_away():
    facts = SharingFacts(shared_with=(BEN,), key_is_aws_managed=True)
    with pytest.raises(ExplainedError, match="default key aws/ebs cannot be shared"):
        plan_sharing(SharingRequest(share_with=(ANNA,)), ENCRYPTED, facts)
    assert plan_sharing(SharingRequest(unshare_from=(BEN,)), ENCRYPTED, facts).actions == ("unshare",)


@pytest.mark.parametrize(("managed", "unsure"), [(False, False), (None, True)])
def test_an_own_key_must_be_allowed_too(managed, unsure):
    (warning,) = plan_sharing(SharingRequest(share_with=(ANNA,)), ENCRYPTED, SharingFacts(key_is_aws_managed=managed)).warnings
    assert f"{ANNA} can use the snapshot only with permission for its key arn:aws:kms" in warning
    assert ("could not be found out" in warning) is unsure


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (SharingRequest(share_with=("12345",)), "no account ids: 12345"),
        (SharingRequest(unshare_from=("everybody",)), "no account ids: everybody"),
        (SharingRequest(share_with=(ANNA,), unshare_from=(ANNA,)), f"both name {ANNA}"),
    ],
)
def test_requests_that_make_no_sense_are_refused(asked, complaint):
    with pytest.raises(ExplainedError, match=complaint):
        check_accounts(asked)


@pytest.mark.parametrize(
    ("request_", "granted", "actions", "after"),
    [
        (SharingRequest(share_with=("111122223333",)), [], ("grant",), ["111122223333"]),
        (SharingRequest(share_with=("111122223333",)), ["111122223333"], (), ["111122223333"]),
        (SharingRequest(unshare_from=("111122223333",)), ["111122223333", "444455556666"], ("revoke",), ["444455556666"]),
        (SharingRequest(public=True), [], (), []),
    ],
)
def test_the_key_follows_the_accounts_that_are_named(request_, granted, actions, after):
    plan = plan_key_grants(request_, Snapshot("snap-1", "completed", encrypted=True), granted)
    assert (plan.actions, plan.after["key_granted_to"]) == (actions, after)


def test_without_encryption_there_is_no_key_to_grant():
    assert plan_key_grants(SharingRequest(share_with=("111122223333",)), Snapshot("snap-1", "completed"), []) == Plan()
