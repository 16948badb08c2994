# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The name of a build's content: builds with equal fingerprints are interchangeable. docs/fingerprint.md is the definition."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ExplainedError
from ..facts.mount_points import canonical_mount_point
from ..facts.operating_system import find_os
from ..git import canonical_git_ref
from .module_tree import MODULES
from .spec import canonical_spec

# Raised when the definition changes, so that fingerprints of two definitions never meet.
FORMAT_VERSION = 1
SHORT_LENGTH = 12

# Options of the role spack_bootstrap that decide what is built, beside those that a seed and its variant name, with their defaults.
# docs/fingerprint.md lists all options, and says why the others are in no fingerprint.
DECIDING_OPTIONS: dict[str, Any] = {
    "environment": {},
    "externals": {},
    "extra_repos": [],
    "keep_build_dependencies": False,
    "lmod": "auto",
    "repos_override": False,
    "root": None,
}
# Of the environment: how the network is reached, and who asks. What comes over it is checked by its hash.
_WAY_TO_THE_NETWORK = re.compile(
    r"(https?|ftp|all|no)_proxy|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|GIT_SSL_\w+|AWS_\w+", re.I
)


def fingerprint_inputs(
    *,
    os: str,
    arch: str,
    target: str,
    spack_version: str,
    recipes_version: str,
    specs: Iterable[str],
    compiler: str | None = None,
    mount_path: str = "/shared",
    externals: dict[str, str] | None = None,
    image_id: str | None = None,
    modules: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return all that determines a build, in canonical form; equal inputs give equal fingerprints.

    os: any spelling that find_os knows. arch: "x86_64" or "arm64". target: an archspec name.
    compiler: a spec, or None for the operating system's own.
    externals: name to version of what is taken from the image rather than built; only then does the image count.
    modules: how modules are laid out, as a seed has it.
    options: what deciding_options returned, for this mount path.
    """
    if externals and not image_id:
        raise ExplainedError(
            f"Packages of the image ({', '.join(sorted(externals))}) are used, and the image is not named.",
            next_step="Name it: cluster.custom_ami in the seed, or the variable build_host_image_id. Nodes have to run the same image.",
        )
    # Absent where it is the default, so that what was built before there was a choice keeps its name.
    chosen = {} if {**MODULES, **(modules or {})} == MODULES else {"modules": {**MODULES, **modules}}
    chosen |= {"options": options} if options else {}
    return {
        **chosen,
        "format": FORMAT_VERSION,
        "os": find_os(os).name,
        "arch": arch,
        "target": target,
        "spack": canonical_git_ref(spack_version),
        "recipes": canonical_git_ref(recipes_version),
        "compiler": canonical_spec(compiler) if compiler else None,
        "mount_path": canonical_mount_point(mount_path),
        "specs": canonical_specs(specs),
        "externals": dict(externals or {}),
        "image": image_id if externals else None,
    }


def deciding_options(options: Mapping[str, Any], mount_path: str = "/shared") -> dict[str, Any]:
    """Return the options of the role spack_bootstrap that decide what is built, in canonical form; only those that are not as by default.

    options: by name without spack_bootstrap_; others than DECIDING_OPTIONS do not count. Of extra_repos each entry that lies on the
    controller has its "content", a hash of its files, in the place of its path, which may be another one wherever a build goes on.
    """
    found = {name: value for name in DECIDING_OPTIONS if (value := options.get(name)) is not None}
    canonical = {name: _canonical_option(name, value) for name, value in found.items()}
    if canonical.get("root") == f"{canonical_mount_point(mount_path)}/spack":
        del canonical["root"]
    return {name: value for name, value in sorted(canonical.items()) if value != DECIDING_OPTIONS[name]}


def _canonical_option(name: str, value: Any) -> Any:
    match name:
        case "environment":
            return {key: str(text) for key, text in value.items() if not _WAY_TO_THE_NETWORK.fullmatch(key)}
        case "root":
            return canonical_mount_point(value) if value else None
        case "lmod" if str(value) == "auto":
            return "auto"
        case "lmod" | "repos_override" | "keep_build_dependencies":
            return str(value).lower() in ("true", "yes", "on", "1", "y", "t")
        case "extra_repos":
            return [{key: repo[key] for key in ("name", "content", "host_path") if repo.get(key)} for repo in value]
    return value


def canonical_specs(specs: Iterable[str]) -> list[str]:
    """Return the specs in canonical form, sorted, each once."""
    return sorted({canonical_spec(spec) for spec in specs})


def fingerprint(inputs: dict[str, Any]) -> str:
    """Return "sha256:" and 64 hexadecimal digits for what fingerprint_inputs returned."""
    return _sha256(json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


def short_fingerprint(fingerprint_text: str) -> str:
    """Return the first twelve hexadecimal digits, the form used in names."""
    return fingerprint_text.removeprefix("sha256:")[:SHORT_LENGTH]


def lock_fingerprint(lock: dict[str, Any]) -> str:
    """Return the fingerprint of what was really built, from a spack.lock: its roots' hashes, sorted, one a line.

    Each of those covers recipe text, target, operating system and compiler of the root and all below it.
    """
    try:
        hashes = {root["hash"] for root in lock["roots"]}
    except (KeyError, TypeError) as error:
        raise ExplainedError("This is no spack.lock: it has no roots with hashes.", next_step="Give the lock as a dictionary.") from error
    return _sha256("\n".join(sorted(hashes)))


def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()
