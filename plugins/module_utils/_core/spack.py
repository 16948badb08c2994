# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A seed's packages as a Spack environment: where it lies, how it is configured, how far its build has come."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from .errors import ExplainedError
from .fingerprint import lock_fingerprint
from .image_software import image_externals, image_problems
from .module_tree import module_configuration

SPACK_VERSION = "v1.2.2"
SPACK_GIT_URL = "https://github.com/spack/spack.git"
RECIPES_VERSION = "v2026.06.0"
RECIPES_GIT_URL = "https://github.com/spack/spack-packages.git"

# Long enough to tell two builds of one version apart, as in the names of Spack's own prefixes.
SHORT_HASH = 7
# For one answer of Spack's solver. 34 packages, 423 with all that they need, take a quarter of it; see docs/real_seeds.md.
SOLVER_SECONDS = 900
LANGUAGES = {"c": "c", "cxx": "c++", "fortran": "fortran"}


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


def environment(packages: list[str], paths: dict[str, str], compiler: str | None = None, lmod: bool = False) -> dict[str, object]:
    """Return spack.yaml: every package in one environment, so that all of them are concretised together.

    packages: canonical specs; the order does not matter.
    paths: what `layout` returned.
    compiler: a spec such as "gcc@12.5.0" that is built first and then required for every package; None for the host's own.
    lmod: whether Lmod joins the packages.
    Source: Spack 1.2, schema/env.py (groups of specs with `needs` and `override`).
    """
    if not packages:
        raise ExplainedError("A Spack environment needs at least one package.", next_step="List packages in software.spack_packages.")
    specs: list[object] = sorted({*packages, *(["lmod"] if lmod else [])})
    if compiler:
        # Of the packages, not of the languages: a compiler required for C would be required for its own build, too. The last one, any
        # version, is for packages in no language.
        built_by = {"any_of": [*(f"%{language}={compiler}" for language in LANGUAGES), "@:"]}
        specs = [
            {"group": "compiler", "specs": [compiler]},
            {"group": "packages", "needs": ["compiler"], "specs": specs, "override": {"packages": {"all": {"require": [built_by]}}}},
        ]
    # Spack 1.2 forgets finished packages when it is killed: each is pushed here the moment it is done, and found again by the next run.
    # Here and not in the configuration of the volume: who uses Spack on a node has no business with it.
    cache = {"url": f"file://{paths['build_cache']}", "signed": False, "autopush": True, "binary": True, "source": False}
    return {
        "spack": {
            "specs": specs,
            "view": False,
            "concretizer": {"unify": "when_possible", "reuse": False},
            "mirrors": {"petal-volume": cache},
        }
    }


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


# Finished packages after which a build's own pace says more than that of earlier builds.
ENOUGH_FOR_A_PACE = 5


@dataclass(frozen=True)
class Progress:
    """How far an install has come, counted in packages of the lock that are not external.

    done: finished packages, `name@version`, including those that came from a cache.
    failed: packages whose build failed.
    active: what is being worked on, package to phase ("build", "fetch", ...).
    roots_total, roots_done: the same count for the packages that were asked for.
    """

    total: int
    done: int
    failed: list[str]
    active: dict[str, str]
    roots_total: int
    roots_done: int

    @property
    def percent(self) -> int:
        """Finished packages per hundred. It can jump: a package from a cache needs none of its build dependencies."""
        return 100 * self.done // self.total if self.total else 100

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "percent": self.percent}


# One event of Spack 1.2 when it does not write to a terminal: "[+] ez24jgy toyapp@3.0 /shared/software/... (2s)".
_EVENT = re.compile(r"^\[(?P<event>[ +xe])\] (?P<hash>[a-z2-7]{7,32}) (?P<name>[^@\s]+)@(?P<version>\S+) ?(?P<rest>.*?)(?: \([^()]*\))?$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def progress(lock: dict[str, object], lines: list[str]) -> Progress:
    """Read an install's progress from its lock and its log.

    Not from `spack find`: Spack 1.2 writes its database after the build has been quiet for five seconds.

    lock: the parsed spack.lock. lines: the log so far; lines that are no event are skipped, so any log will do.
    """
    names = {key: f"{node['name']}@{node.get('version', '')}" for key, node in lock["concrete_specs"].items() if "external" not in node}
    by_short_hash = {key[:SHORT_HASH]: key for key in names}
    state: dict[str, str] = {}
    phase: dict[str, str] = {}
    for line in lines:
        match = _EVENT.match(_COLOUR.sub("", line.rstrip()))
        key = by_short_hash.get(match["hash"][:SHORT_HASH]) if match else None
        if key:
            state[key] = {"+": "done", "e": "done", "x": "failed"}.get(match["event"], "active")
            phase[key] = match["rest"] or "start"
    roots = {root["hash"] for root in lock["roots"]} & set(names)
    done = {key for key in names if state.get(key) == "done"}
    return Progress(
        total=len(names),
        done=len(done),
        failed=sorted(names[key] for key in names if state.get(key) == "failed"),
        active={names[key]: phase[key] for key in sorted(names, key=names.get) if state.get(key) == "active"},
        roots_total=len(roots),
        roots_done=len(roots & done),
    )


def progress_line(stage: str, found: Progress | None, width: int = 20) -> str:
    """Return where a build stands, for a person: "[########------------]  40%   2/5 packages | building | toylib@2.0 (install)".

    stage: what the build does now. found: None while Spack has not chosen the packages yet. width: of the bar, in characters.
    """
    if found is None:
        return stage
    full = width * found.done // found.total if found.total else width
    parts = [f"[{'#' * full}{'-' * (width - full)}] {found.percent:3d}% {found.done:3d}/{found.total} packages", stage]
    if found.failed:
        parts.append(f"failed: {', '.join(found.failed)}")
    if found.active:
        parts.append(", ".join(f"{package} ({phase})" for package, phase in found.active.items()))
    return " | ".join(parts)


def seconds_left(found: Progress, done_at_start: int, elapsed: float, seconds_per_package: float) -> float:
    """Estimate how long an install goes on: at its own pace once a few packages are done, before that at the pace of earlier builds.

    done_at_start: packages that were finished when the clock started. elapsed: seconds since then.
    seconds_per_package: of earlier builds, 0 when unknown. Returns 0 when nothing can be said, or nothing is left.
    """
    done_here = found.done - done_at_start
    pace = elapsed / done_here if done_here >= ENOUGH_FOR_A_PACE else seconds_per_package
    return pace * (found.total - found.done)


def lock_summary(lock: dict[str, object]) -> dict[str, object]:
    """Return what a spack.lock says was built: its fingerprint, the number of packages without externals, and the roots' versions."""
    nodes = lock["concrete_specs"]
    roots = [{"name": nodes[root["hash"]]["name"], "version": str(nodes[root["hash"]].get("version", ""))} for root in lock["roots"]]
    return {
        "fingerprint": lock_fingerprint(lock),
        "package_count": sum("external" not in node for node in nodes.values()),
        "roots": sorted(roots, key=lambda root: (root["name"], root["version"])),
    }


def explain_failures(status: dict[str, object], found: Progress | None) -> str:
    """Say why a build failed, from its status.json: what is finished, then each package with where its log is kept and how it ends."""
    finished = f" {found.done} of {found.total} packages are finished and kept." if found else ""
    paragraphs = [f"{status.get('message') or 'The build failed.'}{finished} Run the play again to build the rest."]
    for failure in status.get("failures", []):
        needed_by = f" Not built because of it: {', '.join(failure['dependents'])}." if failure["dependents"] else ""
        paragraphs.append(f"{failure['package']}: the log is kept in {failure['log']}.{needed_by} It ends:\n{failure['tail']}")
    return "\n\n".join(paragraphs)


def proof_problems(proof: dict[str, object]) -> list[str]:
    """Return one sentence for each thing that proof.json says does not work, with what the command printed."""
    packages = [
        f"{tried['package']}: {_smoke(tried)} ended with code {tried['code']}: {tried['output'] or 'no output'}"
        for tried in proof["packages"]
        if not tried["passed"]
    ]
    broken_shells = [tried for tried in proof["shells"] if not tried["passed"]]
    shells = [f"The profile script does not work in {tried['shell']}: {tried['output']}" for tried in broken_shells]
    libraries = [f"{missing['file']} lacks {', '.join(missing['libraries'])}." for missing in proof["missing_libraries"]]
    foreign = [
        f"{code['file']} needs {code['library']} of the build host, which {code['why']}: a node need not have it."
        for code in proof.get("foreign_libraries", [])
    ]
    image = image_problems(proof.get("image_software", []))
    beyond = [
        f"{code['file']} holds code beyond the target {proof['target']}: `{code['instruction']}` needs {code['needs']}."
        for code in proof.get("beyond_target", [])
    ]
    return [*image, *packages, *shells, *libraries, *foreign, *beyond]


def _smoke(tried: dict[str, object]) -> str:
    return " && ".join(filter(None, [f"module load {tried['module']}", tried["command"]]))
