# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where copies of remote registries are kept between runs, and how old a copy is."""

from __future__ import annotations

import hashlib
import os
import pathlib
import stat
import tempfile

from .._core.errors import ExplainedError


def cache_folder(chosen: str | None, address: str) -> pathlib.Path:
    """Return the folder for copies of what an address has, made for this user alone.

    chosen: the folder that the user wants; None for one under the folder for temporary files: an execution environment has no home.
    Raises ExplainedError when somebody else could write there.
    """
    top = pathlib.Path(chosen).expanduser() if chosen else pathlib.Path(tempfile.gettempdir()) / f"petal-registry-{os.getuid()}"
    folder = top / hashlib.sha256(address.encode()).hexdigest()[:16]
    try:
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = top.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise ExplainedError(
                f"{top} cannot hold copies of registries: somebody else could change them.",
                resource=str(top),
                next_step="Remove it, or name a folder of your own as cache_dir.",
            )
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ExplainedError(
            f"Cannot use {error.filename}: {error.strerror}.", resource=str(top), next_step="Name another folder as cache_dir."
        ) from error
    return folder


def age_text(seconds: float) -> str:
    """Return how old something is, in the largest unit of which there are two: "36 hours"."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0, seconds):.0f} seconds"
