import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.modules.snapshot_sharing_info import ARGUMENT_SPEC, run
from tests.unit.fakes import FakeSnapshotGateway

PARTNER = {"share_with": ["111122223333"]}


def ask(key_is_aws_managed=False, encrypts_all=False, **given):
    gateway = FakeSnapshotGateway()
    gateway.key_is_aws_managed, gateway.encrypts_all = key_is_aws_managed, encrypts_all
    return run({**{option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}, **given}, gateway)


def test_what_would_be_under_the_default_key_could_not_be_shared():
    answer = ask(key_is_aws_managed=True, **PARTNER)
    assert (answer["possible"], answer["kms_key_id"]) == (False, "alias/aws/ebs")
    assert "default key aws/ebs cannot be shared" in answer["msg"] and "kms_key_id of a key of your own" in answer["msg"]


def test_a_key_of_ones_own_or_no_encryption_can_be_shared():
    assert ask(kms_key_id="alias/software", **PARTNER) == {
        "changed": False, "possible": True, "encrypted": True, "kms_key_id": "alias/software"
    }  # fmt: skip
    assert ask(encrypted=False, **PARTNER)["kms_key_id"] is None


def test_public_needs_no_encryption_and_a_confirmation():
    assert "Say confirm_public: true" in ask(encrypted=False, public=True)["msg"]
    assert "cannot be made public" in ask(public=True, confirm_public=True)["msg"]
    assert "cannot be made public" in ask(encrypted=False, encrypts_all=True, public=True, confirm_public=True)["msg"]
    assert ask(encrypted=False, public=True, confirm_public=True)["possible"]


def test_what_is_no_account_is_an_error():
    with pytest.raises(ExplainedError, match="no account ids"):
        ask(share_with=["partner"])
