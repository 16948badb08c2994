"""`python -m tests.lab.rules` prints the table of rules; with --write it replaces the one in tests/lab/README.md."""

import pathlib
import sys

from tests.lab.rules import table

README = pathlib.Path(__file__).parents[1] / "README.md"
HEAD = "| rule | where | document |"

if "--write" in sys.argv:
    README.write_text(README.read_text().partition(HEAD)[0] + table() + "\n")
else:
    print(table())
