import pytest

from plugins.module_utils._core.cost.cost import price_of_sharing, snapshot_cost, volume_cost
from plugins.module_utils._core.cost.resource_cost import label, resource_cost
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.prices import PRICES

VOLUME_ID, SNAPSHOT_ID = "vol-0123456789abcdef0", "snap-0123456789abcdef0"


@pytest.mark.parametrize(
    ("volume", "usd"),
    [
        pytest.param({"volume_type": "gp3", "size_gib": 500}, 40, id="gp3, 3000 IOPS and 125 MiB/s are free"),
        pytest.param({"volume_type": "gp3", "size_gib": 500, "iops": 3000, "throughput": 125}, 40, id="gp3, the same written out"),
        pytest.param({"volume_type": "gp3", "size_gib": 500, "iops": 6000}, 40 + 15, id="gp3, each IOPS above 3000"),
        pytest.param({"volume_type": "gp3", "size_gib": 500, "iops": 4000, "throughput": 1000}, 40 + 5 + 35, id="gp3, MiB/s above 125"),
        pytest.param({"volume_type": "gp2", "size_gib": 100, "iops": 300}, 10, id="gp2, IOPS are part of the price"),
        pytest.param({"volume_type": "io1", "size_gib": 100, "iops": 1000}, 12.5 + 65, id="io1"),
        pytest.param({"volume_type": "io2", "size_gib": 100, "iops": 32000}, 12.5 + 2080, id="io2, the first tier"),
        pytest.param({"volume_type": "io2", "size_gib": 100, "iops": 32001}, 12.5 + 2080.0455, id="io2, one IOPS of the second tier"),
        pytest.param({"volume_type": "io2", "size_gib": 100, "iops": 70000}, 12.5 + 2080 + 1456 + 191.1, id="io2, all tiers"),
        pytest.param({"volume_type": "st1", "size_gib": 1000, "throughput": 40}, 45, id="st1"),
        pytest.param({"volume_type": "sc1", "size_gib": 1000}, 15, id="sc1"),
        pytest.param({"volume_type": "standard", "size_gib": 100}, 5, id="standard"),
    ],
)
def test_a_volume_costs_what_is_provisioned(volume, usd):
    assert volume_cost(**volume, prices=PRICES).usd == pytest.approx(usd)


def test_terms_of_nothing_are_left_out():
    assert [term.what for term in volume_cost("gp3", 500, iops=3000, throughput=250, prices=PRICES).terms] == [
        "gp3 storage",
        "gp3 throughput above 125 MiB/s",
    ]


def test_a_volume_that_ec2_would_refuse_has_no_cost():
    with pytest.raises(ExplainedError, match="out of range; gp3 takes 3000 to 80000"):
        volume_cost("gp3", 500, iops=90000, prices=PRICES)
    with pytest.raises(ExplainedError, match="iops is required for io2"):
        volume_cost("io2", 500, prices=PRICES)


def test_prices_are_the_callers():
    assert volume_cost("gp3", 500, prices={**PRICES, "gp3_gib_month": 0.1}).usd == pytest.approx(50)


@pytest.mark.parametrize(
    ("snapshot", "usd"),
    [
        pytest.param({}, 25, id="the full size is the upper bound"),
        pytest.param({"stored_gib": 20}, 1, id="the blocks that changed"),
        pytest.param({"stored_gib": 0}, 0, id="no block has changed"),
        pytest.param({"storage_tier": "archive"}, 6.25, id="archived"),
        pytest.param({"storage_tier": "archive", "stored_gib": 100}, 1.25, id="archived, with its data"),
        pytest.param({"stored_gib": 20, "fast_restore_zones": 2}, 1 + 2 * 730 * 0.75, id="fast restore, zone by zone"),
        pytest.param({"stored_gib": 20, "fast_restore_zones": 1, "fast_restore_hours": 4}, 1 + 3, id="fast restore for an afternoon"),
    ],
)
def test_a_snapshot_costs_what_it_stores(snapshot, usd):
    assert snapshot_cost(500, **snapshot, prices=PRICES).usd == pytest.approx(usd)


def test_an_upper_bound_is_called_one():
    assert snapshot_cost(500, prices=PRICES).notes[0].startswith("The upper bound")
    assert snapshot_cost(500, stored_gib=1, prices=PRICES).notes == ()
    assert "90 days" in snapshot_cost(500, stored_gib=1, storage_tier="archive", prices=PRICES).notes[0]


def test_a_snapshot_cannot_store_more_than_its_volume():
    with pytest.raises(ExplainedError, match="of a 500 GiB volume cannot store 501 GiB"):
        snapshot_cost(500, stored_gib=501, prices=PRICES)


def test_an_archived_snapshot_has_no_fast_restore():
    with pytest.raises(ExplainedError, match="no fast snapshot restore"):
        snapshot_cost(500, storage_tier="archive", fast_restore_zones=1, prices=PRICES)


def test_what_the_info_modules_return_has_a_cost():
    # A volume knows the snapshot it was made from, and a snapshot its volume.
    volume = {"volume_id": VOLUME_ID, "snapshot_id": SNAPSHOT_ID, "volume_type": "gp2", "size_gib": 10, "iops": 100, "throughput": None}
    snapshot = {"snapshot_id": SNAPSHOT_ID, "volume_id": VOLUME_ID, "volume_size_gib": 10, "storage_tier": "standard", "tags": {}}
    assert [resource_cost(one, PRICES).usd for one in (volume, snapshot)] == pytest.approx([1, 0.5])
    assert [label(one) for one in (volume, snapshot)] == [VOLUME_ID, SNAPSHOT_ID]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"name": "x"}, "x is neither a volume nor a snapshot. Give volume_type and size_gib"),
        ({"volume_type": "gp9", "size_gib": 1}, "volume_type is 'gp9'; give one of gp3, gp2, io1"),
        ({"volume_type": "gp3"}, "size_gib is missing"),
        ({"volume_size_gib": 1, "storage_tier": "cold"}, "storage_tier is 'cold'; give one of standard, archive"),
    ],
)
def test_what_has_no_cost_is_refused_with_what_is_needed(resource, expected):
    with pytest.raises(ExplainedError) as refusal:
        resource_cost(resource, PRICES)
    assert expected in str(refusal.value)


def test_what_sharing_a_volume_costs_is_told_beside_the_gp3_volume_that_it_replaces():
    # io2: 1000 x 0.125 + 3000 x 0.065; gp3: 1000 x 0.08, and 3000 IOPS for nothing.
    sentence = price_of_sharing("io2", 1000, 3000)
    assert "240.00 USD a month more than gp3 of that size and speed: 320.00 instead of 80.00 (prices of us-east-1, " in sentence


def test_sharing_is_compared_with_the_fastest_gp3_volume_where_gp3_is_slower():
    # 8 GiB: io2 takes 8000 IOPS, gp3 4000.
    assert "521.00 instead of 5.64" in price_of_sharing("io2", 8, 8000)
