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
    "instances",
)

for _chapter in CHAPTERS:
    importlib.import_module(f"{__name__}.{_chapter}")


def install() -> None:
    """Put all rules into force in this process's moto."""
    from tests.lab.rules import rulebook

    rulebook.install()


__all__ = ["BOOK", "CHAPTERS", "Rule", "install"]
