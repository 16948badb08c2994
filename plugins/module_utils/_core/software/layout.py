# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where everything lies on the software volume."""

from __future__ import annotations


def layout(mount_path: str = "/shared", root: str | None = None) -> dict[str, str]:
    """Return every path of the software volume by its name; docs/software_volume.md explains each.

    mount_path: where the volume is mounted, on the build host and on every node alike: prefixes are never relocated.
    root: where Spack itself lies; `spack` on the volume when left out.
    """
    petal = f"{mount_path}/.petal"
    return {
        "mount_path": mount_path,
        "root": root or f"{mount_path}/spack",
        "configuration": f"{root or f'{mount_path}/spack'}/etc/spack",
        "recipes": f"{mount_path}/spack-packages",
        "software": f"{mount_path}/software",
        "lmod": f"{mount_path}/modules/lmod",
        "tcl": f"{mount_path}/modules/tcl",
        "lmod_program": f"{mount_path}/etc/lmod",
        "profile": f"{mount_path}/etc/profile.d",
        "petal": petal,
        "programs": f"{petal}/bin",
        "spack": f"{petal}/bin/spack",
        "repos": f"{petal}/repos",
        "trusted_keys": f"{petal}/keys",
        "home": f"{petal}/home",
        "cache": f"{petal}/cache",
        "build_cache": f"{petal}/build-cache",
        "failures": f"{petal}/failures",
        "settings": f"{petal}/build.json",
        "status": f"{petal}/status.json",
        "log": f"{petal}/build.log",
        "environment": f"{petal}/spack.yaml",
        "lock": f"{petal}/spack.lock",
        "packages": f"{petal}/packages.json",
        "manifest": f"{petal}/manifest.json",
        "proof": f"{petal}/proof.json",
        "hot_list": f"{petal}/hot-list",
        "sbom": f"{petal}/sbom.spdx.json",
        "hashes": f"{petal}/files.sha256",
        "seed": f"{petal}/seed.yaml",
    }


def repo_paths(repos: list[dict[str, str]], paths: dict[str, str]) -> list[dict[str, str]]:
    """Return [{"name", "path"}] with where each extra repository lies on the build host.

    repos: [{"name", "path"}] for a directory on the controller that is copied to the volume, or [{"name", "host_path"}] for one that
    the host already has. Spack finds the recipes' namespace in the names of the last two directories, so the copy keeps them.
    """
    return [{"name": repo["name"], "path": repo.get("host_path") or _copied_to(repo, paths)} for repo in repos]


def _copied_to(repo: dict[str, str], paths: dict[str, str]) -> str:
    namespace = repo["path"].rstrip("/").split("/")[-1]
    return f"{paths['repos']}/{repo['name']}/spack_repo/{namespace}"
