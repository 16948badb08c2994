# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipe repositories: brought here by git, read once a commit, kept as an index in a cache folder."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable

from .._core.errors import ExplainedError
from .._core.git import canonical_git_ref, without_prompts
from .._core.recipes.index import INDEX_FORMAT, Recipes, index_recipes
from .._core.recipes.recipe import read_recipe
from .._core.software.releases import RECIPES_GIT_URL, RECIPES_VERSION

# Where a repository of recipes for Spack 1.x keeps them.
BUILTIN = "repos/spack_repo/builtin"
_FILES = ("packages/*/package.py", "build_systems/*.py")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Owners of a cache that anyone may use: root can do anything anyway.
_TRUSTED = frozenset({0})
# A release of the recipes is 8 MB.
_FETCH_TIMEOUT = 600


def default_cache() -> pathlib.Path:
    """Return a folder of the user's own, outside the home directory: in an execution environment nothing else may be written."""
    return pathlib.Path(tempfile.gettempdir()) / f"petal-recipes-{os.getuid()}"


ARGUMENT_SPEC = {
    "recipes_git_url": {"type": "str", "default": RECIPES_GIT_URL},
    "recipes_version": {"type": "str"},
    "extra_repos": {"type": "list", "elements": "dict", "default": []},
    "repos_override": {"type": "bool", "default": False},
    "cache_path": {"type": "path"},
}


@dataclasses.dataclass(frozen=True)
class Source:
    """Recipes, and where they are from. version, commit: "" where the repositories of a site replace Spack's own."""

    recipes: Recipes
    version: str = ""
    commit: str = ""


def load_recipes(options: dict, version: str | None = None) -> Source:
    """Return the recipes that a build with these options would use.

    options: of ARGUMENT_SPEC. An extra repository that only the build host has cannot be read, so the recipes are not complete then.
    version: what the seed asks for, when the options name none.
    """
    paths = [pathlib.Path(repo["path"]).expanduser() if repo.get("path") else None for repo in options["extra_repos"]]
    extra = [read_directory(path) for path in paths if path and path.is_dir()]
    complete = len(extra) == len(paths)
    if options["repos_override"]:
        return Source(Recipes(extra, complete))
    version = canonical_git_ref(options["recipes_version"] or version) or RECIPES_VERSION
    cache = pathlib.Path(options["cache_path"]) if options["cache_path"] else default_cache()
    commit, index = load_index(options["recipes_git_url"], version, cache)
    return Source(Recipes([*extra, index], complete), version, commit)


def load_index(git_url: str, version: str, cache: pathlib.Path) -> tuple[str, dict]:
    """Return the commit of a recipe repository's version, and the index of its recipes.

    git_url: a URL, or the path of a repository on this machine.
    version: tag, branch or commit. A tag or commit that is in the cache already is not asked for again.
    """
    _make_private(cache)
    repository, commit = _find_commit(git_url, version, cache)
    kept = cache / f"index-{INDEX_FORMAT}-{commit}.json"
    if kept.is_file():
        return commit, json.loads(kept.read_text(encoding="utf-8"))
    index = index_recipes("builtin", _read_all(_archived(repository, commit)))
    if not index["packages"]:
        raise ExplainedError(
            f"{git_url} holds no recipes at {version}: there is no {BUILTIN}/{_FILES[0]}.",
            resource=git_url,
            next_step="Name the recipes for Spack 1.x, https://github.com/spack/spack-packages.git or a copy of it.",
        )
    _write(kept, json.dumps(index, separators=(",", ":")))
    return commit, index


def read_directory(path: pathlib.Path) -> dict:
    """Return the index of a small repository of recipes in a directory, .../spack_repo/NAMESPACE."""
    files = [(str(file.relative_to(path)), file.read_text(encoding="utf-8")) for pattern in _FILES for file in sorted(path.glob(pattern))]
    return index_recipes(path.name, _read_all(files))


def _make_private(cache: pathlib.Path) -> None:
    """Others could put an index of their own into a folder that is not ours."""
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = cache.stat().st_uid
    except OSError as error:
        raise ExplainedError(f"The cache {cache} cannot be made: {error}.", next_step="Name another folder with cache_path.") from error
    if owner not in {os.getuid(), *_TRUSTED}:
        raise ExplainedError(f"The cache {cache} belongs to another user.", next_step="Name another folder with cache_path.")


def _find_commit(git_url: str, version: str, cache: pathlib.Path) -> tuple[pathlib.Path, str]:
    """Return a repository on this machine that has the version, and its commit."""
    local = pathlib.Path(git_url.removeprefix("file://")).expanduser()
    if local.is_dir():
        commit = _commit(local, version)
        if not commit:
            raise _no_version(git_url, version, "it has no such tag, branch or commit")
        return local, commit
    repository = cache / f"{hashlib.sha256(git_url.encode()).hexdigest()[:16]}.git"
    if not repository.is_dir():
        _git("init", "--quiet", "--bare", str(repository))
    fixed = version if _COMMIT.fullmatch(version) else f"refs/tags/{version}"
    commit = (
        _commit(repository, fixed) or _fetch(repository, git_url, f"+{fixed}:{fixed}", fixed)
        if fixed != version
        else _commit(repository, fixed)
    )
    commit = commit or _fetch(repository, git_url, version, "FETCH_HEAD")
    if not commit:
        raise _no_version(git_url, version, _git("-C", str(repository), "fetch", "--depth=1", git_url, version).stderr.strip())
    return repository, commit


def _fetch(repository: pathlib.Path, git_url: str, what: str, name: str) -> str:
    """Bring one version without its history; "" where that fails."""
    answer = _git("-C", str(repository), "fetch", "--quiet", "--depth=1", git_url, what)
    return _commit(repository, name) if answer.returncode == 0 else ""


def _commit(repository: pathlib.Path, name: str) -> str:
    return _git("-C", str(repository), "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}").stdout.strip()


def _no_version(git_url: str, version: str, reason: str) -> ExplainedError:
    return ExplainedError(
        f"The recipes {version} cannot be had from {git_url}: {reason}.",
        resource=git_url,
        next_step="Name a repository in reach with recipes_git_url, and one of its tags with recipes_version or in the seed.",
    )


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]
    try:
        # run_command belongs to a module, and this is read on the controller.
        # pylint: disable-next=ansible-bad-function
        return subprocess.run(command, env=without_prompts(os.environ), capture_output=True, text=True, check=False, timeout=_FETCH_TIMEOUT)
    except FileNotFoundError:
        raise ExplainedError("Reading recipes needs git, which is not installed here.", next_step="Install git.") from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer within {_FETCH_TIMEOUT} seconds")


def _archived(repository: pathlib.Path, commit: str) -> Iterable[tuple[str, str]]:
    """Yield (path below the repository of recipes, text) of the recipes of a commit."""
    patterns = [f":(glob){BUILTIN}/{pattern}" for pattern in _FILES]
    command = ["git", "-C", str(repository), "archive", "--format=tar", commit, "--", *patterns]
    # pylint: disable-next=ansible-bad-function
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    if member.isfile():
                        yield member.name.removeprefix(f"{BUILTIN}/"), archive.extractfile(member).read().decode("utf-8", "replace")
        except tarfile.ReadError:
            # An empty answer: the commit has no such files.
            return


def _read_all(files: Iterable[tuple[str, str]]) -> dict[str, dict]:
    """Return what each file declares, by path. Thousands of files take all processors a few seconds."""
    texts = list(files)
    if len(texts) < 500:
        return dict(filter(None, map(_read_one, texts)))
    # Forked, because what is unpacked for a module is not there for a fresh interpreter.
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
        return dict(filter(None, pool.imap(_read_one, texts, chunksize=200)))


def _read_one(file: tuple[str, str]) -> tuple[str, dict] | None:
    """A recipe that is no Python is none for Spack either."""
    path, text = file
    try:
        return path, read_recipe(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _write(path: pathlib.Path, text: str) -> None:
    """Write a file as a whole: a run beside this one reads all of it or none."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as new:
        new.write(text)
    os.replace(new.name, path)
