"""EC2's own rules, as far as EBS needs them. One rule, one function; its docstring names the document it comes from."""

from __future__ import annotations

import importlib

from tests.lab.rules.rulebook import BOOK, Rule

# In this order: a file's rules run before those of the files after it.
CHAPTERS = (
    "client_tokens",
    "identifiers",
    "tags",
    "encryption",
    "volumes",
    "modifications",
    "attachments",
    "snapshots",
    "sharing",
    "protection",
    "fast_restore",
    "volume_status",
    "describing",
    "images",
    "keys",
    "objects",
    "instances",
    "stacks",
)

for _chapter in CHAPTERS:
    importlib.import_module(f"{__name__}.{_chapter}")


def install() -> None:
    """Put all rules into force in this process's moto."""
    from tests.lab.rules import rulebook

    rulebook.install()


def table() -> str:
    """All rules as a Markdown table, in the order of the files: what holds, and the document that says so."""
    lines = ["| rule | where | document |", "|---|---|---|"]
    for chapter in CHAPTERS:
        for rule in BOOK:
            if rule.function.__module__ == f"{__name__}.{chapter}":
                lines.append(f"| {rule.summary} | [{chapter}](rules/{chapter}.py) | {rule.source} |")
    return "\n".join(lines)


__all__ = ["BOOK", "CHAPTERS", "Rule", "install", "table"]
