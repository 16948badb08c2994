"""The module against a CloudFormation and a command that remember."""

import dataclasses

import pytest

from plugins.module_utils._core.cluster_state import Storage
from plugins.module_utils._core.errors import ExplainedError
from plugins.modules.cluster import ARGUMENT_SPEC, run
from tests.unit.plugins.module_utils._core.test_cluster_state import CLUSTER

ACCOUNT = CLUSTER.stack_id.split(":")[4]


class Account:
    """Gateway and command in one: the clusters there are, and what was asked for."""

    def __init__(self, *clusters, storage=()):
        self.clusters = {cluster.name: cluster for cluster in clusters}
        self.kept, self.asked = list(storage), []
        self.number = ACCOUNT

    def find_cluster(self, name):
        return self.clusters.get(name)

    def storage(self, _cluster):
        return self.kept

    def account(self):
        return self.number

    def create(self, name, config):
        self.asked.append(("create", name, config))
        self.clusters[name] = dataclasses.replace(CLUSTER, name=name, status="CREATE_IN_PROGRESS")

    def update(self, name, config):
        self.asked.append(("update", name, config))

    def delete(self, name):
        self.asked.append(("delete", name))
        self.clusters[name] = dataclasses.replace(self.clusters[name], status="DELETE_IN_PROGRESS")


def call(account, check_mode=False, **params):
    defaults = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    return run({**defaults, "name": "genomics", "config": "genomics.yaml", **params}, account, account, check_mode)


def test_a_cluster_is_created_once():
    account = Account()
    assert [call(account)["action"], call(account)["action"]] == ["create", "none"]
    assert account.asked == [("create", "genomics", "genomics.yaml")]


def test_check_mode_asks_for_nothing():
    account = Account()
    assert call(account, check_mode=True)["changed"] and account.asked == []


def test_an_update_is_asked_for():
    account = Account(CLUSTER)
    call(account, update=True, fingerprint="sha256:bb")
    assert account.asked == [("update", "genomics", "genomics.yaml")]


def test_a_cluster_is_deleted_once():
    account = Account(CLUSTER)
    wanted = {"state": "absent", "confirm": "genomics"}
    assert [call(account, **wanted)["action"], call(account, **wanted)["action"]] == ["delete", "none"]
    assert account.asked == [("delete", "genomics")]


def test_what_is_gone_stays_gone():
    assert call(Account(), state="absent")["changed"] is False


def test_data_holds_a_deletion_up_in_check_mode_too():
    account = Account(CLUSTER, storage=[Storage("Scratch", "EBS volume", "Delete")])
    with pytest.raises(ExplainedError, match="delete_data=true"):
        call(account, check_mode=True, state="absent", confirm="genomics")


@pytest.mark.parametrize("params", [{"state": "absent", "confirm": "genomics"}, {"update": True}])
def test_a_command_that_would_act_on_another_account_is_not_run(params):
    account = Account(CLUSTER)
    account.number = "999988887777"
    with pytest.raises(ExplainedError, match=f"found in account {ACCOUNT}, and the pcluster command would act for account 999988887777"):
        call(account, **params)
    assert account.asked == []
