# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a build host needs to go on with no controller: files, and the variables of the run."""

from __future__ import annotations

from ..registry.place import parse_place

# What a build host needs to go on with no controller: collections, the folders of each, and the roles whose variables go with it.
BUNDLED_COLLECTIONS = ("petal.hpc", "amazon.aws", "ansible.posix")
BUNDLED_FOLDERS = ("plugins", "roles", "playbooks", "templates", "schemas", "meta", "galaxy.yml", "MANIFEST.json", "requirements.txt")
BUNDLED_ROLES = ("shared_volume", "spack_bootstrap", "shared_snapshot", "publish_gate")
# Variables that name files of the controller: each is a list of dictionaries with such a key.
FILES_IN_VARIABLES = {"spack_bootstrap_extra_repos": "path", "spack_bootstrap_trusted_keys": "file"}


def bundle_files(variables: dict, dest: str) -> tuple[dict, dict[str, str]]:
    """Return the variables of a run for a host that has no files of the controller, and the files to send.

    dest: the folder on the host. The files are a dict of the path here to the path in that folder.
    A registry in a folder of the controller stays behind: the next run of the playbook there enters the snapshot.
    """
    kept = {name: value for name, value in variables.items() if name != "registry" or reachable_from_anywhere(value)}
    sources: dict[str, str] = {}
    for name, key in FILES_IN_VARIABLES.items():
        here = {number: entry[key] for number, entry in enumerate(kept.get(name, [])) if key in entry}
        sources |= {path: f"files/{name}-{number}/{path.rstrip('/').rpartition('/')[2]}" for number, path in here.items()}
        if here:
            kept[name] = [{**entry, **({key: f"{dest}/{sources[entry[key]]}"} if key in entry else {})} for entry in kept[name]]
    return kept, sources


def reachable_from_anywhere(registry: str) -> bool:
    """Say whether a registry is an address rather than a folder of one machine."""
    return bool(registry) and parse_place(registry).kind != "path"
