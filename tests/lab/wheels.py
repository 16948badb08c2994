"""Python packages for hosts, which have no way to an index: a folder of wheels in the cache, made once per list of pins."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from . import places
from .image import WHEELS

PINS = places.REPOSITORY / "requirements/pins/host-wheels.txt"


def ensure() -> str:
    """Return the folder, as hosts see it, that holds the collection's requirements and an ansible-core no newer than ours."""
    folder = places.cache() / f"wheels-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Downloaded beside the final folder and renamed: a folder that exists is complete.
        unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
        # The pins are complete for the hosts' Python; pip would look for what ours needs.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", *WHEELS]
        subprocess.run([*command, "--dest", str(unfinished), "--requirement", str(PINS)], check=True)
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    return f"/srv/petal/{folder.name}"
