from plugins.module_utils._core.cluster.overrides import merge_overrides

CONFIG = {
    "Region": "us-east-1",
    "Scheduling": {"SlurmQueues": [{"Name": "a", "CapacityType": "SPOT"}, {"Name": "b", "CapacityType": "SPOT"}]},
    "Tags": [{"Key": "k", "Value": "v"}],
}


def test_mappings_are_merged_key_by_key():
    assert merge_overrides(CONFIG, {"HeadNode": {"Imds": {"Secured": False}}})["Region"] == "us-east-1"


def test_named_items_are_merged_by_name_and_new_ones_added():
    merged = merge_overrides(CONFIG, {"Scheduling": {"SlurmQueues": [{"Name": "b", "JobExclusiveAllocation": True}, {"Name": "c"}]}})
    assert merged["Scheduling"]["SlurmQueues"] == [
        {"Name": "a", "CapacityType": "SPOT"},
        {"Name": "b", "CapacityType": "SPOT", "JobExclusiveAllocation": True},
        {"Name": "c"},
    ]


def test_tags_are_merged_by_key():
    assert merge_overrides(CONFIG, {"Tags": [{"Key": "k", "Value": "w"}]})["Tags"] == [{"Key": "k", "Value": "w"}]


def test_other_lists_are_replaced():
    assert merge_overrides({"SubnetIds": ["a", "b"]}, {"SubnetIds": ["c"]}) == {"SubnetIds": ["c"]}


def test_none_removes_a_key():
    assert "Tags" not in merge_overrides(CONFIG, {"Tags": None})


def test_the_configuration_itself_is_not_changed():
    before = repr(CONFIG)
    merge_overrides(CONFIG, {"Tags": None, "Scheduling": {"SlurmQueues": [{"Name": "a", "CapacityType": "ONDEMAND"}]}})
    assert repr(CONFIG) == before
