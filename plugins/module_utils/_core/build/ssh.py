# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How ssh is to treat a host that is new to everybody, and may be gone at any moment."""

from __future__ import annotations

import shlex

KNOWN_HOSTS = "petal-known-hosts"


def host_key_arguments(instance_id: str, folder: str, given: str = "") -> str:
    """Return the arguments with which ssh accepts the key of an instance once, and holds the instance to it from then on.

    A host that does not answer for two minutes is given up: one that AWS has taken away says so to nobody.

    instance_id: the name under which the key is kept. Not the address: a network gives the addresses of hosts that are gone to new ones.
    folder: where the list of known keys lies, a folder of this run. given: arguments that go before ours: of two, ssh takes the first.
    """
    # ssh splits the option at white space unless it is quoted, and replaces tokens that begin with a percent sign.
    known = f'"{folder}/{KNOWN_HOSTS}"'.replace("%", "%%")
    options = {
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": known,
        "HostKeyAlias": instance_id,
        # Before OpenSSH 8.5, the address is looked up and kept as well.
        "CheckHostIP": "no",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "8",
    }
    ours = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return f"{given} {shlex.join(ours)}".strip()
