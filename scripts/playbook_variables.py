#!/usr/bin/env python3
"""Write what the comments of the playbooks and docs/playbook_variables.md say of variables, from playbooks/meta/variables.yml.

    python scripts/playbook_variables.py

What stands in a comment above the list of variables is written by hand and stays.
"""

from __future__ import annotations

import pathlib
import sys
import textwrap
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from plugins.module_utils._core.playbook.variables import example_of, names_in, playbook_definition  # noqa: E402

DATA = ROOT / "playbooks/meta/variables.yml"
PAGE = ROOT / "docs/playbook_variables.md"
LIST = "# Variables: "
WIDTH = 140

INTRODUCTION = """\
# The variables of the playbooks

Written by `scripts/playbook_variables.py` from [`playbooks/meta/variables.yml`](../playbooks/meta/variables.yml); do not edit.

Give a variable with `-e`, in a file with `-e @site.yml`, or in an inventory. Each playbook begins by holding what it is given against this
page: it names at once all that is missing, of another type, or none of the choices. A value that is empty counts as not given.
The variables of roles are in `roles/NAME/README.md`.
"""


def read_data() -> dict[str, Any]:
    return yaml.safe_load(DATA.read_text(encoding="utf-8"))


def said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def own_names(data: dict[str, Any], name: str) -> tuple[list[str], list[str]]:
    """Return the variables of a playbook, but for those that it only takes with another playbook; and these playbooks."""
    playbook = data["playbooks"][name]
    others = [one for one in playbook.get("with", []) if one in data["playbooks"]]
    theirs = {one for other in others for one in playbook_definition(data, other)["variables"]} - set(playbook.get("takes", []))
    return [one for one in playbook_definition(data, name)["variables"] if one not in theirs], others


def optional_names(data: dict[str, Any], name: str) -> tuple[list[str], str]:
    """Return what a playbook takes beside what it requires, and whose variables it takes too, in words."""
    playbook = data["playbooks"][name]
    names, others = own_names(data, name)
    roles = playbook.get("roles", [])
    whose = [f"those of {' and '.join(others)}"] if others else []
    whose += [f"those of the role{'s' if len(roles) > 1 else ''} {', '.join(roles)}"] if roles else []
    needed = names_in(playbook.get("required", []))
    return [one for one in names if one not in needed], "; ".join(whose)


def comment_of(data: dict[str, Any], name: str) -> str:
    """Return the end of a playbook's comment: its variables, with the defaults that are one word."""
    variables = playbook_definition(data, name)["variables"]
    names, whose = optional_names(data, name)
    defaults = {one: said(variables[one].get("default", "")) for one in names}
    taken = ", ".join(f"{one} ({defaults[one]})" if defaults[one] and " " not in defaults[one] else one for one in names)
    text = "; ".join(filter(None, [", ".join(data["playbooks"][name].get("required", [])), taken, whose]))
    lines = textwrap.wrap(text, WIDTH, initial_indent=LIST, subsequent_indent="# ", break_on_hyphens=False, break_long_words=False)
    return "\n".join(lines) + ".\n# docs/playbook_variables.md says what each is for.\n"


def with_comment(data: dict[str, Any], name: str, text: str) -> str:
    """Return the text of a playbook with its list of variables as the data has it."""
    lines = text.splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if number and not line.startswith("#"))
    prose = next((number for number, line in enumerate(lines[:end]) if line.startswith(LIST)), end)
    return "".join(lines[:prose]) + comment_of(data, name) + "".join(lines[end:])


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def playbook_row(data: dict[str, Any], name: str) -> str:
    playbook = data["playbooks"][name]
    names, whose = optional_names(data, name)
    taken = "; ".join(filter(None, [", ".join(f"`{one}`" for one in names), whose]))
    changed = [f"`{one}`: {change_in_words(change)}" for one, change in playbook.get("but", {}).items()]
    together = [f"{' and '.join(f'`{one}`' for one in group)} exclude each other" for group in playbook.get("exclusive", [])]
    return row(f"`{name}`", "; ".join(playbook.get("required", [])), ". ".join(filter(None, [taken, *changed, *together])))


def change_in_words(change: dict[str, Any]) -> str:
    return ", ".join(filter(None, [change.get("words"), f"default {said(change['default'])}" if "default" in change else None]))


def variable_row(name: str, variable: dict[str, Any]) -> str:
    words = variable["words"] + (f": {', '.join(variable['choices'])}" if "choices" in variable else "")
    example = f"`{example_of(name, variable)}`"
    return row(f"`{name}`", variable["type"], said(variable.get("default", "")), words, example)


def page(data: dict[str, Any]) -> str:
    playbooks = "".join(playbook_row(data, name) for name in data["playbooks"])
    variables = "".join(variable_row(name, variable) for name, variable in data["variables"].items())
    heading = row("playbook", "needs", "takes") + "|---|---|---|\n"
    columns = row("variable", "type", "default", "what it is for", "for example") + "|---|---|---|---|---|\n"
    return f"{INTRODUCTION}\n## What each playbook takes\n\n{heading}{playbooks}\n## What each variable is for\n\n{columns}{variables}"


def main() -> None:
    data = read_data()
    for name in data["playbooks"]:
        path = ROOT / f"playbooks/{name}.yml"
        path.write_text(with_comment(data, name, path.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(page(data), encoding="utf-8")


if __name__ == "__main__":
    main()
