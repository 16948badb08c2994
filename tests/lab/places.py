"""Where the lab keeps things: a state folder per running lab, and a cache that outlives them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def cache() -> Path:
    """Return the folder of what is slow to make: the hosts' image and the git mirror of Spack. Hosts see it at /srv/petal."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "petal-tests"


def labs() -> Path:
    """Return the folder that holds one state folder per lab. Users who are not root each have their own, as others may not write to it."""
    user = os.geteuid()
    return Path(tempfile.gettempdir()).resolve() / (f"petal-lab-{user}" if user else "petal-lab")


def state(name: str) -> Path:
    """Return the state folder of the lab called `name`."""
    return labs() / name


def network(namespace: str) -> Path:
    """Return where `ip netns` keeps a network namespace.

    For nsenter: `ip netns exec` gives a program a mount namespace too, and this machine's mounts would last there as long as it runs.
    """
    return Path("/run/netns") / namespace
