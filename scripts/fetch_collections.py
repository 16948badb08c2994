"""Install the collections that petal.hpc depends on into this virtual environment, from PyPI.

fetch_collections.py LIST   for the environment of requirements/LIST

`ansible-galaxy collection install -r requirements.yml` does the same from Galaxy. The `ansible` package carries the
same collections; only the two we need are taken out of its wheel, of the release that is pinned.
"""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

PINS = pathlib.Path(__file__).resolve().parents[1] / "requirements" / "pins"
COLLECTIONS = ("amazon/aws", "ansible/posix")


def main() -> None:
    of_its_own = PINS / f"{pathlib.Path(sys.argv[1]).stem}-collections.txt"
    pins = of_its_own if of_its_own.exists() else PINS / "collections.txt"
    target = pathlib.Path(sysconfig.get_paths()["purelib"])
    stamp = target / "ansible_collections" / f".{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if stamp.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*command, "--only-binary=:all:", "--dest", folder, "--requirement", str(pins)], check=True)
        for name in COLLECTIONS:
            shutil.rmtree(target / "ansible_collections" / name, ignore_errors=True)
        wheel = zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))
        wanted = tuple(f"ansible_collections/{name}/" for name in COLLECTIONS)
        wheel.extractall(target, [name for name in wheel.namelist() if name.startswith(wanted)])
    stamp.touch()


if __name__ == "__main__":
    main()
