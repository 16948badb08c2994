# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration of Spack on the volume."""

from __future__ import annotations

from ..errors import ExplainedError
from .image_software import image_externals
from .module_tree import module_configuration

# Long enough to tell two builds of one version apart, as in the names of Spack's own prefixes.
SHORT_HASH = 7
# For one answer of Spack's solver. 34 packages, 423 with all that they need, take a quarter of it; see docs/real_seeds.md.
SOLVER_SECONDS = 900
LANGUAGES = {"c": "c", "cxx": "c++", "fortran": "fortran"}


def configuration(
    paths: dict[str, str],
    target: str,
    host_compiler: dict[str, str],
    *,
    compiler: str | None = None,
    repos: list[dict[str, str]] | None = None,
    repos_override: bool = False,
    mirrors: list[dict[str, object]] | None = None,
    signatures_count: bool = False,
    image_software: dict[str, str] | None = None,
    externals: dict[str, object] | None = None,
    modules: dict[str, object] | None = None,
    environment_modules: str = "",
    build_stage: str = "/var/tmp/petal-stage",
    bootstrap_from_network: bool = False,
) -> dict[str, dict[str, object]]:
    """Return the files of Spack's configuration scope on the volume, by file name.

    A key that ends in a colon replaces what less important scopes say, rather than being merged with it: Spack's `repos::`.

    paths: what `layout` returned.
    target: the archspec name that every package is required to be built for.
    host_compiler: the GCC of the build host: {"version": "11.5.0", "c": "/usr/bin/gcc", "cxx": ..., "fortran": ...}.
        A language may be missing.
    compiler: the seed's own compiler, as in `environment`.
    repos: further package repositories, [{"name": "site", "path": "/shared/.petal/repos/site/..."}], searched before the recipes.
    repos_override: use those only, and not Spack's own recipes.
    mirrors: [{"name", "url", "signed"}] to fetch finished packages and sources from, beside the cache on the volume.
        A mirror that does not say signed: false has to be signed.
    signatures_count: whether the key of anybody is trusted.
    image_software: what is taken from the image of ParallelCluster rather than built, name to version.
    externals: further entries of packages.yaml for software of the operating system, by package name.
    modules, environment_modules: see module_configuration.
    build_stage: a directory on a fast local disk.
    bootstrap_from_network: let Spack download its solver; needed where no Python on the host can import clingo.
    """
    return {
        "config.yaml": {
            "config": {
                "install_tree": {"root": paths["software"], "projections": {"all": f"{{name}}-{{version}}-{{hash:{SHORT_HASH}}}"}},
                "build_stage": [build_stage],
                "source_cache": f"{paths['cache']}/source",
                "misc_cache": f"{paths['cache']}/misc",
            }
        },
        "concretizer.yaml": {
            # host_compatible: the build host is often newer than the oldest node that the packages have to run on.
            # static_analysis: leave out what no choice can lead to; the choice comes sooner.
            # timeout: build.py then has Spack choose for each package alone.
            "concretizer": {
                "reuse": False,
                "unify": "when_possible",
                "static_analysis": True,
                # Measured with Spack 1.2: to keep an answer of 155 packages takes three times as long as to find it.
                "concretization_cache": {"enable": False},
                "targets": {"host_compatible": False},
                "timeout": SOLVER_SECONDS,
            }
        },
        "packages.yaml": {"packages": _packages(target, host_compiler, {**image_externals(image_software or {}), **(externals or {})})},
        "repos.yaml": {"repos:": _repos(paths, repos or [], repos_override)},
        "mirrors.yaml": {"mirrors:": _mirrors(mirrors or [], signatures_count)},
        "bootstrap.yaml": {"bootstrap": _bootstrap(paths, bootstrap_from_network)},
        "modules.yaml": {
            "modules": {
                "default": module_configuration(paths, f"gcc@{host_compiler['version']}", compiler, modules, environment_modules),
            }
        },
    }


def _packages(target: str, host_compiler: dict[str, str], externals: dict[str, object]) -> dict[str, object]:
    programs = {language: host_compiler[language] for language in LANGUAGES if host_compiler.get(language)}
    languages = ",".join(LANGUAGES[language] for language in programs)
    gcc = {
        "spec": f"gcc@{host_compiler['version']} languages:='{languages}'",
        "prefix": "/usr",
        "extra_attributes": {"compilers": programs},
    }
    of_all = externals.get("all", {})
    further = of_all.get("require", [])
    # `read: world` is Spack's default, spelled out because users other than the owner load these packages.
    ours = {
        "permissions": {"read": "world", "write": "user"},
        "require": [f"target={target}", *(further if isinstance(further, list) else [further])],
    }
    # What is wished for all packages joins what every build needs, and does not replace it.
    return {"gcc": {"externals": [gcc]}, **externals, "all": {**of_all, **ours}}


def _repos(paths: dict[str, str], repos: list[dict[str, str]], override: bool) -> dict[str, object]:
    own = {} if override else {"builtin": f"{paths['recipes']}/repos/spack_repo/builtin"}
    return {**{repo["name"]: repo["path"] for repo in repos}, **own}


def _mirrors(mirrors: list[dict[str, object]], signatures_count: bool) -> dict[str, object]:
    """Return mirrors.yaml, in which each mirror says whether its packages have to be signed: they have, unless it says otherwise."""
    for mirror in mirrors:
        _check_mirror(mirror, signatures_count)
    names = [str(mirror["name"]) for mirror in mirrors]
    if len(set(names)) < len(names):
        raise ExplainedError(f"Two mirrors have one name: {', '.join(names)}.", next_step="Give each in spack_bootstrap_mirrors its own.")
    return {str(mirror["name"]): {"signed": True, **{key: mirror[key] for key in mirror if key != "name"}} for mirror in mirrors}


def _check_mirror(mirror: dict[str, object], signatures_count: bool) -> None:
    if not mirror.get("name") or not (mirror.get("url") or mirror.get("fetch")):
        raise ExplainedError(f"A mirror lacks its name or its url: {mirror}.", next_step="Give both in spack_bootstrap_mirrors.")
    name, signed = mirror["name"], mirror.get("signed", True)
    if not isinstance(signed, bool):
        raise ExplainedError(f"Mirror {name} says signed: {signed!r}.", resource=str(name), next_step="Write true or false.")
    # Without a trusted key Spack would say so of each package, and build it.
    if signed and mirror.get("binary", True) and not signatures_count:
        raise ExplainedError(
            f"Packages of the mirror {name} have to be signed, and no key is trusted, so none could be taken from it.",
            resource=str(name),
            next_step="Name the publisher's key in spack_bootstrap_trusted_keys. Where everybody who can write to that mirror is trusted, "
            "and only there, say signed: false for it.",
        )


def _bootstrap(paths: dict[str, str], from_network: bool) -> dict[str, object]:
    root = {"root": f"{paths['cache']}/bootstrap"}
    # Not `enable: false`: that also breaks `spack gpg` where gpg is on the PATH.
    return root if from_network else {**root, "sources:": [], "trusted:": {}}
