import pytest

from plugins.module_utils._core.cluster import limits
from plugins.module_utils._core.facts.instance_types import find_instance_type


def kinds(*names):
    return [find_instance_type(name) for name in names]


@pytest.mark.parametrize("name", ["Genomics-1", "ab", "x" * 60])
def test_good_cluster_names_pass(name):
    assert limits.cluster_name_problems(name) == []


@pytest.mark.parametrize(("name", "suggestion"), [("my_cluster", "my-cluster"), ("1st", "q-1st"), ("x" * 61, "x" * 60)])
def test_a_refused_cluster_name_comes_with_one_that_is_taken(name, suggestion):
    (problem,) = limits.cluster_name_problems(name)
    assert suggestion in problem
    assert limits.cluster_name_problems(suggestion) == []


@pytest.mark.parametrize("name", ["GPU", "gpu_queue", "default", "seismic-processing-nodes-01", "0gpu"])
def test_a_refused_queue_name_comes_with_one_that_is_taken(name):
    (problem,) = limits.queue_name_problems([name])
    suggestion = problem.rsplit("'", 2)[1]
    assert limits.queue_name_problems([suggestion]) == []


def test_queue_names_are_unique():
    assert "used 2 times" in limits.queue_name_problems(["gpu", "gpu"])[0]


def test_more_than_fifty_queues_are_refused():
    assert limits.queue_name_problems([f"q{number}" for number in range(50)]) == []
    assert "51 queues" in limits.queue_name_problems([f"q{number}" for number in range(51)])[0]


def test_an_unknown_type_is_named_with_the_nearest():
    (problem,) = limits.instance_type_problems("c5.5xlarge", "Queue 'a'")
    assert problem.startswith("Queue 'a': EC2 has no instance type 'c5.5xlarge'. Did you mean c5.")


def test_types_without_an_open_driver_are_refused_with_official_images_only():
    (problem,) = limits.image_problems(kinds("p3.2xlarge", "g5.xlarge", "p3.8xlarge"), "", "Queue 'gpu'")
    assert "p3.2xlarge, p3.8xlarge are refused" in problem
    assert "g5 or g6" in problem and "cluster_config_custom_ami" in problem
    assert limits.image_problems(kinds("p3.2xlarge"), "ami-0123456789abcdef0", "Queue 'gpu'") == []


@pytest.mark.parametrize(
    ("names", "capacity_type", "strategy", "counts", "words"),
    [
        (["hpc6a.48xlarge"], "SPOT", "", (0, 2), "hpc6a.48xlarge cannot be had as SPOT"),
        (["c5.large"], "SPOT", "prioritized", (0, 2), "Choose from lowest-price, capacity-optimized"),
        (["c5.large"], "ONDEMAND", "capacity-optimized", (0, 2), "Choose from lowest-price, prioritized"),
        (["p5.48xlarge"], "CAPACITY_BLOCK", "lowest-price", (2, 2), "Leave it out"),
        (["p5.48xlarge"], "CAPACITY_BLOCK", "", (0, 2), "min_count equal to max_count"),
        (["c5.large"], "RESERVED", "", (0, 2), "none of ONDEMAND, SPOT, CAPACITY_BLOCK"),
    ],
)
def test_capacity_that_cannot_be_had_is_refused(names, capacity_type, strategy, counts, words):
    (problem,) = limits.capacity_problems("Queue 'a'", kinds(*names), capacity_type, strategy, counts)
    assert words in problem


@pytest.mark.parametrize(("capacity_type", "strategies"), limits.ALLOCATION_STRATEGIES.items())
def test_every_strategy_of_a_capacity_type_passes(capacity_type, strategies):
    for strategy in ("", *strategies):
        assert limits.capacity_problems("", kinds("p5.48xlarge"), capacity_type, strategy, (2, 2)) == []


@pytest.mark.parametrize(("counts", "fine"), [((0, 1), True), ((3, 3), True), ((0, 0), False), ((2, 1), False), ((-1, 1), False)])
def test_counts_are_between_zero_and_max(counts, fine):
    assert (limits.count_problems("", *counts) == []) == fine


@pytest.mark.parametrize(("nodes", "gib"), [(0, 0.6), (100, 4.6), (310, 13), (10_000, 16)])
def test_the_head_node_needs_memory_for_its_nodes(nodes, gib):
    assert limits.head_memory_needed_gib(nodes) == pytest.approx(gib)


def test_a_small_head_node_is_refused_with_the_next_larger():
    (problem,) = limits.head_node_problems("t3.medium", 310)
    assert "4 GiB" in problem and "13 GiB for 310" in problem and "Use t3.xlarge" in problem
    assert limits.head_node_problems("t3.xlarge", 310) == []


def test_one_architecture_in_a_cluster():
    (head,) = kinds("m6a.large")
    (problem,) = limits.architecture_problems(head, kinds("c6g.large", "c6a.large", "c7g.large"))
    assert "c6g.large, c7g.large are not" in problem
    assert limits.architecture_problems(head, kinds("c6a.large")) == []


def test_tags_keep_to_parallelclusters_rules():
    assert "keeps the prefix" in limits.tag_problems({"parallelcluster:x": "1"})[0]
    assert "41 tags" in limits.tag_problems({str(number): "" for number in range(41)})[0]
    assert limits.tag_problems({"project": "x"}) == []


def test_login_pools_have_limits():
    good = {"name": "login", "instance_type": "t3.large"}
    assert limits.login_pool_problems([good, {**good, "name": "second", "count": 0, "grace_minutes": 120}]) == []
    wrong = [{**good, "count": -1, "grace_minutes": 2}, good]
    told = " ".join(limits.login_pool_problems(wrong))
    assert all(part in told for part in ("give 0 or more", "takes 3 to 120", "listed twice"))
    assert "at most 10" in limits.login_pool_problems([{**good, "name": f"login{number}"} for number in range(11)])[0]


def test_accounting_shortens_the_name():
    assert limits.accounting_problems("x" * 41, {}) == []
    assert "at most 40" in limits.accounting_problems("x" * 41, {"Database": {"Uri": "db"}})[0]


GROUP = "arn:aws:resource-groups:us-east-1:123456789012:group/reserved"


@pytest.mark.parametrize(
    ("reservation", "types", "text"),
    [
        ("", ["c5.large", "c5.xlarge"], None),
        ("cr-0123456789abcdef0", ["c5.large"], None),
        (GROUP, ["c5.large", "c5a.large"], None),
        ("cr-0123456789abcdef0", ["c5.large", "c5a.large"], "is for one instance type"),
        ("reserved", ["c5.large"], "neither a capacity reservation"),
    ],
)
def test_reserved_capacity(reservation, types, text):
    problems = limits.reservation_problems("Queue", [find_instance_type(name) for name in types], reservation)
    assert problems == [] if text is None else text in problems[0]


@pytest.mark.parametrize("elastic_ip", ["", "true", "True", "203.0.113.7"])
def test_an_address_of_the_head_node_is_new_or_named(elastic_ip):
    assert limits.network_problems(elastic_ip, ["sg-0123456789abcdef0", "sg-01234567"]) == []


def test_what_is_no_address_and_what_is_no_security_group_is_refused():
    problems = limits.network_problems("eipalloc-0123456789abcdef0", ["web", "sg-01234567"])
    assert ["'eipalloc-0123456789abcdef0'" in problems[0], "names web:" in problems[1]] == [True, True]
