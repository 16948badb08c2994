# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the modules of a volume are laid out: one policy for Lmod's tree and for that of Environment Modules."""

from __future__ import annotations

from .version import parse_version

# What a seed gets that says nothing: all modules at once, and of each package the newest version.
MODULES: dict[str, object] = {"tree": "flat", "defaults": {}}
# Since then it can hide modules that others load.
HIDING_ENVIRONMENT_MODULES = "4.7"


def module_configuration(
    paths: dict[str, str],
    host_compiler: str,
    compiler: str | None,
    modules: dict[str, object] | None = None,
    environment_modules: str = "",
) -> dict[str, object]:
    """Return one module set of Spack's modules.yaml.

    paths: what `layout` returned. host_compiler, compiler: the host's and the seed's own, as specs.
    modules: "tree", "flat" or "hierarchy", and "defaults", versions by package name; as a seed has them.
    environment_modules: the version that the host has; empty when unknown.
    Names carry no hash: build.py adds it where two packages would share a name.
    """
    policy = {**MODULES, **(modules or {})}
    common = {
        "hash_length": 0,
        "projections": {"all": "{name}/{version}"},
        "defaults": [f"{name}@{version}" for name, version in sorted(policy["defaults"].items())],
    }
    hierarchy = policy["tree"] == "hierarchy"
    # Replaced, because Spack would merge it with its own ["mpi"], and an empty list would leave that as it is.
    levels = {"hierarchy:": ["mpi"] if hierarchy else []}
    # Packages of a core compiler are offered from the start, those of another one once it is loaded.
    core = [host_compiler] if hierarchy or not compiler else [host_compiler, compiler]
    return {
        # Written after the install: the hook of Spack 1.2 writes dependencies on modules that do not exist.
        "enable:": [],
        "arch_folder": False,
        "roots": {"lmod": paths["lmod"], "tcl": paths["tcl"]},
        "lmod": {**common, "core_compilers": core, **levels, "hide_implicits": True},
        "tcl": {**common, **_tcl(environment_modules)},
    }


def _tcl(environment_modules: str) -> dict[str, object]:
    if not environment_modules or parse_version(environment_modules) >= parse_version(HIDING_ENVIRONMENT_MODULES):
        return {"hide_implicits": True}
    # Without what they need packages of Python and the like find each other only where users load those too.
    return {"exclude_implicits": True, "all": {"autoload": "none"}}
