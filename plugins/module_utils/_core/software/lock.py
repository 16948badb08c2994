# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a spack.lock says was built."""

from __future__ import annotations

from .fingerprint import lock_fingerprint


def lock_summary(lock: dict[str, object]) -> dict[str, object]:
    """Return what a spack.lock says was built: its fingerprint, the number of packages without externals, and the roots' versions."""
    nodes = lock["concrete_specs"]
    roots = [{"name": nodes[root["hash"]]["name"], "version": str(nodes[root["hash"]].get("version", ""))} for root in lock["roots"]]
    return {
        "fingerprint": lock_fingerprint(lock),
        "package_count": sum("external" not in node for node in nodes.values()),
        "roots": sorted(roots, key=lambda root: (root["name"], root["version"])),
    }
