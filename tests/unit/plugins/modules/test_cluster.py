"""The module against a CloudFormation and a command that remember."""

import dataclasses

import pytest

from plugins.module_utils._core.cluster.state import Storage
from plugins.module_utils._core.errors import ExplainedError, ManyProblems
from plugins.modules.cluster import ARGUMENT_SPEC, run
from tests.unit.plugins.module_utils._core.cluster.test_state import CLUSTER

ACCOUNT = CLUSTER.stack_id.split(":")[4]

RUNS = "HeadNode: {InstanceType: m6a.large}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the configuration that the cluster runs with."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genomics.yaml").write_text(f"# The same, with a note.\n{RUNS}")
    return tmp_path


class Account:
    """Gateway and command in one: the clusters there are, and what was asked for."""

    def __init__(self, *clusters, storage=()):
        self.clusters = {cluster.name: cluster for cluster in clusters}
        self.kept, self.asked = list(storage), []
        self.number, self.unreadable = ACCOUNT, False
        self.configs = {cluster.name: RUNS for cluster in clusters}

    def find_cluster(self, name):
        return self.clusters.get(name)

    def storage(self, _cluster):
        return self.kept

    def config(self, cluster):
        if self.unreadable:
            raise ExplainedError("AccessDenied: s3:GetObject.")
        return self.configs[cluster.name]

    def account(self):
        return self.number

    def create(self, name, config):
        self.asked.append(("create", name, config))
        self.clusters[name] = dataclasses.replace(CLUSTER, name=name, status="CREATE_IN_PROGRESS")
        self.configs[name] = RUNS

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


LARGER = "HeadNode: {InstanceType: m6a.4xlarge}\n"
CHANGE = "HeadNode.InstanceType: m6a.large -> m6a.4xlarge"


def test_a_cluster_that_runs_with_the_configuration_exists_already():
    result = call(Account(CLUSTER))
    assert (result["action"], result["compared"], result["warnings"]) == ("none", True, [])


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS"])
def test_a_configuration_that_would_change_a_cluster_is_refused_with_the_difference(folder, status):
    (folder / "new.yaml").write_text(LARGER)
    account = Account(dataclasses.replace(CLUSTER, status=status))
    with pytest.raises(ManyProblems) as refused:
        call(account, config="new.yaml", fingerprint="sha256:aa")
    assert refused.value.problems == [CHANGE]
    assert "upgrade_software" in str(refused.value) and "--cluster-configuration new.yaml" in str(refused.value)
    assert account.asked == []


def test_where_the_cluster_s_own_cannot_be_read_the_file_counts_and_that_is_said(folder):
    (folder / "new.yaml").write_text(LARGER)
    account = Account(CLUSTER)
    account.unreadable = True
    with pytest.raises(ManyProblems, match=CHANGE):
        call(account, config="new.yaml", running_config="genomics.yaml")
    same = call(account, running_config="genomics.yaml")
    assert same["compared"]
    assert "AccessDenied" in same["warnings"][0] and "genomics.yaml was held against it" in same["warnings"][0]


@pytest.mark.parametrize("file", [None, "missing.yaml"])
def test_where_nothing_can_be_compared_nothing_is_claimed(file):
    account = Account(CLUSTER)
    account.unreadable = True
    result = call(account, running_config=file)
    assert not result["compared"] and "Nothing was compared" in result["warnings"][0]


def test_an_update_is_no_refusal(folder):
    (folder / "new.yaml").write_text(LARGER)
    account = Account(CLUSTER)
    call(account, config="new.yaml", update=True)
    assert account.asked == [("update", "genomics", "new.yaml")]
