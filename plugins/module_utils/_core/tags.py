# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only place where the key of an AWS tag is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import ManyProblems

MAX_VALUE = 256
PREFIX = "petal:"
# Snapshots made by petal before it was renamed carry this prefix; we read it and never write it.
OLD_PREFIX = "pctl:"

CREATED_BY = "CreatedBy"
CREATOR = "petal.hpc"
NAME = "Name"

# Names without prefix; `key("fingerprint")` gives the tag.
FINGERPRINT = "fingerprint"
SNAPSHOT_ID = "snapshot-id"
BUILD_ID = "build-id"
STAGE = "stage"
SEED = "seed"
OS = "os"
ARCH = "arch"
TARGET = "target"
SPACK = "spack"
RECIPES = "recipes"
COMPILER = "compiler"
MOUNT_PATH = "mount-path"
MODULES = "modules"
OPTIONS = "options"
PACKAGES = "packages"
ROOTS = "roots"
LOCK = "lock"
PACKAGE_COUNT = "package-count"
PROGRESS = "progress"
FAILURE = "failure"
LEASE = "lease"
OWNER = "owner"
PROJECT = "project"
PROTECTED = "protected"
GENERATION = "generation"
RESTORED_FROM = "restored-from"
COPIED_FROM = "copied-from"
COPY_OF = "copy-of"
PARENT = "parent"
PARENT_SNAPSHOT = "parent-snapshot"
BASE = "base"
SPECS = "specs"
BUILD_GENERATION = "build-generation"
BUILD_SECONDS = "build-seconds"
CONSISTENCY = "consistency"
PROOF = "proof"
SPACK_LOCK = "spack-lock"
MANIFEST = "manifest"
SBOM = "sbom"
EXTERNALS = "externals"
IMAGE = "image"
FINAL_OF = "final-of"
GROUP = "group"
INSTANCE = "instance"
DEPRECATED = "deprecated"
SUPERSEDED_BY = "superseded-by"
RETIRED = "retired"


def key(name: str, prefix: str = PREFIX) -> str:
    """Return the tag key for a name: key("stage") == "petal:stage"."""
    return f"{prefix}{name}"


def value(text: str) -> str:
    """Return a text as a tag can hold it: one line, and no longer than EC2 allows.

    Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
    """
    line = " ".join(text.split())
    return line if len(line) <= MAX_VALUE else line[: MAX_VALUE - 3] + "..."


def texts(tags: Mapping[Any, Any], resource: str | None = None) -> dict[str, str]:
    """Return tags as EC2 takes them: keys and values that YAML made numbers, dates or booleans become text (4711, True).

    resource: whose tags they are, for the message.
    Raises ManyProblems for values that are no text: nothing at all, lists and dictionaries.
    """
    wrong = [key for key, value in tags.items() if value is None or isinstance(value, (Mapping, list, tuple, set))]
    if wrong:
        raise ManyProblems(
            f"The tags{f' of {resource}' if resource else ''} have values that are no text:",
            [f"{key}: {tags[key]!r}" for key in wrong],
            resource=resource,
            next_step='Give a text for each, "" for an empty one.',
        )
    return {str(key): str(value) for key, value in tags.items()}


def read(tags: dict[str, str], name: str, prefix: str = PREFIX) -> str | None:
    """Return a tag's value under our prefix, else under the old one, else None."""
    return tags.get(key(name, prefix), tags.get(key(name, OLD_PREFIX)))


def ours(tags: dict[str, str]) -> bool:
    """Say whether we made the resource: nothing else is ever deleted."""
    return tags.get(CREATED_BY) == CREATOR


def managed(name: str | None = None, extra: dict[str, str] | None = None) -> dict[str, str]:
    """Return the tags that every resource of ours carries from its first moment."""
    own = {CREATED_BY: CREATOR, **({NAME: name} if name else {})}
    return {**(extra or {}), **own}
