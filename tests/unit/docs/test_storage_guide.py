"""The numbers of docs/storage_guide.md are what the filters return."""

from __future__ import annotations

import re

import pytest
import yaml

from plugins.filter.ebs_profile import ebs_profile
from plugins.filter.monthly_cost import monthly_cost
from plugins.filter.spot_breakeven import spot_breakeven
from plugins.filter.storage_advice import DOCUMENTATION
from plugins.module_utils._core.facts import prices
from tests.unit.docs.pages import broken_links, page, quoted, table

GUIDE = page("storage_guide.md")


def given(cell):
    (text,) = quoted(cell)
    return yaml.safe_load(text)


def numbers(*values):
    return [f"{value:.2f}" for value in values]


def test_the_prices_are_those_of_the_filters():
    assert {given(name): float(usd) for name, usd, _unit in table(GUIDE, "name", "USD")} == prices.PRICES


def test_the_prices_are_dated_and_their_sources_named():
    assert prices.DATE in GUIDE
    for source in prices.SOURCES:
        title, address = source.split(", ")
        assert f"*{title}* ({address})" in GUIDE


@pytest.mark.parametrize("row", table(GUIDE, "volume or snapshot"), ids=lambda row: row[0])
def test_the_costs_are_what_the_filter_returns(row):
    assert row[1:] == numbers(monthly_cost(given(row[0]))["usd"])


@pytest.mark.parametrize("row", table(GUIDE, "input", "S3"), ids=lambda row: row[0])
def test_the_break_even_is_what_the_filter_returns(row):
    result = spot_breakeven(500, **given(row[0]))
    assert row[1:] == [*numbers(result["s3_usd"], result["ebs_usd"]), str(result["break_even_restarts"])]


@pytest.mark.parametrize("row", table(GUIDE, "input", "type"), ids=lambda row: row[0])
def test_the_profiles_are_what_the_filter_returns(row):
    profile = ebs_profile(**given(row[0]))
    speed = [str(profile[name] or "–") for name in ("iops", "throughput")]  # noqa: RUF001
    assert row[1:] == [profile["volume_type"], *speed, *numbers(monthly_cost(profile)["usd"])]


def test_the_rules_are_those_of_the_filter_in_its_order():
    documented = yaml.safe_load(DOCUMENTATION)["description"]
    rules = [found[1] for line in documented if (found := re.match(r"C\((\w+)\) - ", line))]
    assert [given(row[0]) for row in table(GUIDE, "rule", "fires when")] == rules


def test_no_link_is_broken():
    assert broken_links(GUIDE) == []
