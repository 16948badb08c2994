# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A repository of recipes in a directory of the controller: the files that are copied to a volume, and the hash that stands for them."""

from __future__ import annotations

import hashlib
import json
import os

from .._core.errors import ExplainedError


def repository_files(directory: str) -> dict[str, str]:
    """Return the text of each file by its path in the directory, sorted by path."""
    if not os.path.isfile(os.path.join(directory, "repo.yaml")):
        raise ExplainedError(
            f"{directory} is no Spack repository: it holds no repo.yaml.", resource=directory, next_step="Name the directory that does."
        )
    found = []
    for inside, subdirectories, names in os.walk(directory):
        subdirectories[:] = [name for name in subdirectories if name != "__pycache__"]
        found += [os.path.relpath(os.path.join(inside, name), directory) for name in names]
    return {name: _text(os.path.join(directory, name)) for name in sorted(found)}


def content_hash(directory: str) -> str:
    """Return a SHA-256 of what repository_files returns, wherever the directory lies."""
    return "sha256:" + hashlib.sha256(json.dumps(repository_files(directory), sort_keys=True).encode("utf-8")).hexdigest()


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as content:
            return content.read()
    except UnicodeDecodeError as error:
        raise ExplainedError(f"{path} is not a text file.", resource=path, next_step="Recipes and patches have to be UTF-8.") from error
