"""Every task, filter and file that docs/quick_reference.md names exists, with the options that it gives."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from plugins.filter.ebs_profile import ebs_profile
from plugins.filter.monthly_cost import monthly_cost
from plugins.filter.spot_breakeven import spot_breakeven
from plugins.filter.storage_advice import storage_advice
from tests.unit.docs.module_options import options_of, unknown_options
from tests.unit.docs.pages import ROOT, broken_links, page, quoted, table, tables

TEXT = page("quick_reference.md")
TASK = re.compile(r"(?P<module>\w+\.\w+\.\w+): (?P<options>\{.*\})")
TASKS = [found for text in quoted(TEXT) if (found := TASK.fullmatch(text))]
# What a reader finds in the original descriptions.
COMMANDS = """
    ebs create --size --type --name --iops --throughput --multi-attach --pre-warm
    ebs list --detailed --name
    ebs attach --instance-id --instance --device
    ebs detach
    ebs delete --force
    ebs snapshot --description --name
    ebs snapshot-list --volume-id --detailed
    ebs restore --size --type --name
    ebs pre-warm --mount-point --mount
    aws create --spot --ebs-volume --ebs-mount --ebs-persist --ebs-snapshot --ebs-optimized --instance-type
    aws create --placement-group --ami --availability-zone --s3-bucket-region --instance-store
    aws ami create --instance-id --name --description
    aws train --data-s3
    s3 download --parallel
    s3 upload --use-acceleration --compress
"""


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.group()[:60])
def test_every_task_names_a_module_and_options_that_exist(task):
    given = yaml.safe_load(task["options"])
    documented = options_of(task["module"])
    assert unknown_options(given, documented) == []
    wrong = {name: value for name, value in given.items() if value not in documented.get(name, {}).get("choices", [value])}
    assert wrong == {}


def test_every_row_of_the_commands_has_a_task_a_role_or_a_file():
    rows = [row for rows in tables(TEXT) if rows[0] == ["command", "task"] for row in rows[1:]]
    empty = [row[0] for row in rows if not re.search(r"`|\]\(|no option is needed", row[1])]
    assert len(rows) > 25
    assert empty == []


@pytest.mark.parametrize("line", COMMANDS.split("\n")[1:-1], ids=str.strip)
def test_every_command_of_the_descriptions_is_translated(line):
    command, *options = re.split(r" (?=--)", line.strip())
    assert [word for word in (command, *options) if f"{word}" not in TEXT] == []


def test_every_filter_call_works():
    filters = {f.__name__: f for f in (monthly_cost, storage_advice, spot_breakeven, ebs_profile)}
    for _question, cell in table(TEXT, "question", "filter"):
        (call,) = quoted(cell)
        subject, name, arguments = re.fullmatch(r"(\S+) \| petal\.hpc\.(\w+)(?:\((.*)\))?", call).groups()
        value = [] if subject == "found.volumes" else ast.literal_eval(subject)
        keywords = ast.parse(f"f({arguments or ''})", mode="eval").body.keywords
        assert filters[name](value, **{keyword.arg: ast.literal_eval(keyword.value) for keyword in keywords})


def test_every_role_variable_exists():
    arguments = yaml.safe_load((ROOT / "roles" / "shared_volume" / "meta" / "argument_specs.yml").read_text())
    named = set(re.findall(r"\bshared_volume_\w+", TEXT))
    assert named
    assert named <= set(arguments["argument_specs"]["main"]["options"])


def test_every_make_command_and_test_file_exists():
    makefile = (ROOT / "Makefile").read_text()
    assert [goal for goal in re.findall(r"`make (\S+)`", TEXT) if not re.search(rf"^[^#\n]*\b{goal}\b.*:", makefile, re.MULTILINE)] == []
    assert [path for path in quoted(TEXT) if path.startswith("tests/") and not (ROOT / path).exists()] == []


def test_no_link_is_broken():
    assert broken_links(TEXT) == []
