"""The root file system of the lab's hosts: Debian 12, made once per recipe by mmdebstrap and kept in the cache.

Needs root, mmdebstrap, and the package sources that this machine's apt and pip (or uv) already use.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import places

SUITE = "bookworm"
# an instance: init, ssh, sudo, file systems
INSTANCE = "systemd-sysv dbus openssh-server sudo iproute2 procps psmisc e2fsprogs xfsprogs ca-certificates curl less zsh tcsh fish"
# what ParallelCluster's images bring: modules, compilers, a Python that makes virtual environments; and what Spack asks of a machine
CLUSTER = "environment-modules python3-minimal python3 python3-venv gcc g++ gfortran libc6-dev make binutils"
SPACK = "patch file git bzip2 xz-utils unzip zstd gnupg"
# what Lmod needs; Lmod itself comes apart, because Debian lets it and Environment Modules not both be installed
LMOD = "lua5.3 lua-filesystem lua-json lua-posix lua-term libtcl8.6"
# head node: an NFS server in user space; compute node: an NFS client in user space (see nfs_mount.py)
NFS = "nfs-ganesha nfs-ganesha-vfs fuse3 libnfs13"
PACKAGES = f"{INSTANCE} {CLUSTER} {SPACK} {LMOD} {NFS}".split()
PYTHON_PACKAGES = places.REPOSITORY / "requirements/pins/host-image.txt"
WHEELS = ("--only-binary", ":all:", "--require-hashes", "--python-version", "3.11")  # the Python of SUITE, not ours
SETUP = Path(__file__).with_name("image_setup.sh")


class ImageError(Exception):
    """The image could not be built; says what to do about it."""


def folder() -> Path:
    """Return where the image of today's recipe is, or will be."""
    recipe = "\n".join([SUITE, *PACKAGES, *WHEELS, PYTHON_PACKAGES.read_text(), SETUP.read_text(), "lmod"])
    return places.cache() / f"host-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure() -> Path:
    """Return the image's folder, after building it when it is not there. Two callers at once build it once."""
    image = folder()
    if not image.is_dir():
        image.parent.mkdir(parents=True, exist_ok=True)
        with (image.parent / ".image.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not image.is_dir():
                _build(image)
    return image


def _build(image: Path) -> None:
    """Build in a folder beside the final one, and rename: an image that exists is complete."""
    print(f"lab: building the image of the hosts in {image} (about a minute, once)", file=sys.stderr, flush=True)
    for leftover in image.parent.glob(f"{image.name}.new-*"):
        shutil.rmtree(leftover)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{image.name}.new-", dir=image.parent))
    try:
        _run(_mmdebstrap(unfinished))
        _run(_install_python_packages(unfinished))
        unfinished.rename(image)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _mmdebstrap(root: Path) -> list[str]:
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--components=main",
        f"--include={','.join(PACKAGES)}",
        *[f"--aptopt={setting}" for setting in _apt_connection_settings()],
        '--customize-hook=cd "$1/tmp" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq download lmod',
        f'--customize-hook=sh {SETUP} "$1"',
        SUITE,
        str(root),
        *_apt_sources(),
    ]


def _apt_sources() -> list[str]:
    """Return the `deb` lines for SUITE, at the addresses from which this machine's apt takes Debian.

    apt itself reads its configuration for us, so both ways of writing sources are understood. On a machine that is not
    Debian the list is empty: mmdebstrap then uses the address it knows.
    """
    question = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages")
    rows = _output(*question)
    if not rows:  # apt tells only what it has fetched, and containers come without
        _run(["apt-get", "-qq", "update"])
        rows = _output(*question)
    main = [row.split()[:2] for row in rows.splitlines() if row.split()[2:] == ["main", "Debian"]]
    of_suite = {f"deb {uri} {release} main" for uri, release in main if release.split("-")[0] == SUITE}
    of_another_release = {f"deb {uri} {SUITE} main" for uri, release in main if re.fullmatch(r"\w+", release)}
    return sorted(of_suite or of_another_release)


def _apt_connection_settings() -> list[str]:
    """Return this machine's apt settings for proxies, certificates and timeouts, which mmdebstrap does not inherit."""
    return [line for line in _output("apt-config", "dump").splitlines() if re.match(r'Acquire::https?::\S+ "[^"]', line)]


def _install_python_packages(root: Path) -> list[str]:
    """Return the command of uv or pip, whichever there is: both take wheels for another Python in the same words."""
    uv = shutil.which("uv") or shutil.which(f"{sys.prefix}.uv/bin/uv")
    program = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
    target = root / "usr/lib/python3/dist-packages"
    return [*program, "install", "--quiet", *WHEELS, "--no-deps", "--target", str(target), "--requirement", str(PYTHON_PACKAGES)]


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise ImageError(f"{command[0]} is not on this machine: hosts need Debian or Ubuntu.") from error


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ImageError(f"{command[0]} failed with {result.returncode}:\n{(result.stdout + result.stderr)[-3000:]}")
