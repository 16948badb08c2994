"""Install the collections that petal.hpc depends on into this virtual environment, from PyPI.

`ansible-galaxy collection install -r requirements.yml` does the same from Galaxy. The `ansible` package carries the
same collections; only the two we need are taken out of its wheel.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

# The releases of `ansible` whose ansible-core is the one in requirements/run.txt.
PACKAGE = "ansible==14.5.0" if sys.version_info >= (3, 12) else "ansible==12.3.0"
COLLECTIONS = ("amazon/aws", "ansible/posix")


def main() -> None:
    target = pathlib.Path(sysconfig.get_paths()["purelib"])
    stamp = target / "ansible_collections" / f".{PACKAGE}"
    if stamp.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*command, "--only-binary=:all:", "--dest", folder, PACKAGE], check=True)
        wheel = zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))
        wanted = tuple(f"ansible_collections/{name}/" for name in COLLECTIONS)
        wheel.extractall(target, [name for name in wheel.namelist() if name.startswith(wanted)])
    stamp.touch()


if __name__ == "__main__":
    main()
