"""Python packages for hosts, which have no way to an index: a folder of wheels in the cache, made once per list of requirements."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from . import places
from .image import WHEELS

# pip reads conditions such as `python_version < "3.13"` for the Python that it runs on, so what only hosts need is named here.
FOR_OLDER_PYTHON = ("typing-extensions>=4.4",)
REQUIREMENTS = places.REPOSITORY / "requirements.txt"


def ensure() -> str:
    """Return the folder, as hosts see it, that holds the collection's requirements and an ansible-core no newer than ours."""
    ansible = f"ansible-core<={version('ansible-core')}"
    recipe = "\n".join([ansible, *FOR_OLDER_PYTHON, *WHEELS, REQUIREMENTS.read_text()])
    folder = places.cache() / f"wheels-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Downloaded beside the final folder and renamed: a folder that exists is complete.
        unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *WHEELS, "--dest", str(unfinished)]
        subprocess.run([*command, ansible, *FOR_OLDER_PYTHON, "--requirement", str(REQUIREMENTS)], check=True)
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    return f"/srv/petal/{folder.name}"
