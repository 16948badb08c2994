"""Prints the table of rules as tests/lab/README.md has it: `python -m tests.lab.rules`."""

from tests.lab.rules import table

print(table())
