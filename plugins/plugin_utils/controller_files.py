# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of the controller: those that the caller of Ansible names, and our own."""

from __future__ import annotations

import json
import os
import pathlib

import yaml

COLLECTION = pathlib.Path(__file__).parents[2]


def from_caller(path):
    """Return an absolute path, ~ expanded; a relative one counts from the directory in which Ansible was started. A link stays one.

    Tasks run in children of the process that was started, in its directory.
    """
    return os.path.abspath(os.path.expanduser(path))


def load_yaml(name):
    """Return what a YAML file of the collection says; name: its path in the collection."""
    return yaml.safe_load((COLLECTION / name).read_text(encoding="utf-8"))


def seed_schema():
    """Return the schema that seeds are held against."""
    return json.loads((COLLECTION / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))


def playbook_variables():
    """Return the data that _core.playbook.variables takes."""
    return load_yaml("playbooks/meta/variables.yml")
