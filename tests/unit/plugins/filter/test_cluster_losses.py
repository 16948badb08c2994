import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.cluster_losses import FilterModule

cluster_losses = FilterModule().filters()["cluster_losses"]
CONFIG = {"HeadNode": {}, "Scheduling": {"SlurmQueues": []}}
SEED = {"compute": {"queues": [{"name": "compute"}]}, "users": [], "data": {"s3_mounts": []}}


def test_a_missing_queue_is_told():
    assert cluster_losses(CONFIG, SEED) == ["Queue 'compute' is missing."]


def test_what_is_no_configuration_is_refused():
    with pytest.raises(AnsibleFilterError, match="no ParallelCluster configuration"):
        cluster_losses({"Region": "us-east-1"}, SEED)
