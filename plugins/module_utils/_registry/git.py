# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A registry in a git repository: each change is one commit, pushed to a branch; who is too late fetches and does it again."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import time
from collections.abc import Iterator

from .._core.errors import ExplainedError
from .._core.git import without_prompts
from .._core.registry.place import Place
from .cache import age_text, cache_folder
from .directory import DirectoryStore
from .files import file_lock
from .store import FOLDERS, Access, Conflict

# For one command; a registry's repository is small, and only its newest commit is fetched.
LONGEST_COMMAND = 120
# Symbolic links of a stranger's repository could lead out of the clone; hooks and other transports could run programs.
_SAFE = ("-c", "core.symlinks=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "gc.auto=0")
_NOBODY = ("-c", "user.name=petal.hpc", "-c", "user.email=petal.hpc@localhost")
_FETCHED = "refs/petal/fetched"


class GitStore(DirectoryStore):
    """place: from parse_place. The clone is ours alone: it is reset to what the remote has whenever it is used."""

    def __init__(self, place: Place, access: Access):
        folder = cache_folder(access.cache_dir, f"git {place.address} {place.branch or ''}")
        super().__init__(folder / "clone", place.address)
        self._remote, self._branch, self._base = place.address, place.branch, place.base
        self._lock = folder / "lock"
        self._is_current = False

    def where(self, path: str) -> str:
        return f"{self.place.rstrip('/')}/{path}"

    def list_names(self) -> set[str]:
        self._be_current()
        return super().list_names()

    def version(self) -> str:
        """Return the remote's commit; unlike a text, it never comes from a copy."""
        self.path.mkdir(exist_ok=True)
        heads = self._heads()
        return heads.get(self._branch or heads.get("HEAD", "main"), "")

    def _read(self, path: str, largest: int) -> str | None:
        self._be_current()
        return super()._read(path, largest)

    def _be_current(self) -> None:
        if not self._is_current:
            with file_lock(self._lock, LONGEST_COMMAND, self._too_busy):
                self._catch_up(offline=True)

    @contextlib.contextmanager
    def locked(self, time_limit: float) -> Iterator[None]:
        with file_lock(self._lock, time_limit, self._too_busy):
            self._catch_up(offline=False)
            for folder in FOLDERS:
                (self.path / folder).mkdir(exist_ok=True)
            yield
            self._is_current = False
            self._publish()

    def _catch_up(self, *, offline: bool) -> None:
        """Bring the clone to what the remote has. offline: whether an older clone does when the remote is away."""
        if not (self.path / ".git").exists():
            self.path.mkdir(exist_ok=True)
            self._git("init", "--quiet")
        try:
            found = self._fetch()
        except ExplainedError as error:
            known = self.path / ".git" / "petal-fetched"
            if not offline or not known.exists():
                raise
            self.notes.append(f"{error} A copy that is {age_text(time.time() - known.stat().st_mtime)} old is used.")
        else:
            if found:
                self._git("checkout", "--quiet", "--force", "--detach", _FETCHED)
            else:
                # The repository has no commit yet: the first one comes from us.
                self._git("symbolic-ref", "HEAD", "refs/heads/petal-first")
            self._git("clean", "--quiet", "--force", "-d", "-x")
            (self.path / ".git" / "petal-fetched").touch()
        self._is_current = True

    def _fetch(self) -> bool:
        """Fetch the branch, or what a new one starts from; say whether there is anything."""
        heads = self._heads()
        self._target = self._branch or heads.pop("HEAD", "main")
        start = next((name for name in (self._target, self._base) if name in heads), None)
        if start is None and (self._base or not self._branch) and heads:
            raise ExplainedError(f"{self.place} has no branch {self._base or self._target}.", resource=self.place, next_step="Check base.")
        if start is None and heads:
            start = heads.pop("HEAD", None) or next(iter(heads))
        if start:
            self._git("fetch", "--quiet", "--force", "--depth=1", "--no-tags", self._remote, f"refs/heads/{start}:{_FETCHED}")
        return start is not None

    def _heads(self) -> dict[str, str]:
        """Return the commits of the remote's branches by name; HEAD: the name of the branch that the remote prefers."""
        heads = {}
        for line in self._git("ls-remote", "--symref", self._remote, "HEAD", "refs/heads/*").splitlines():
            value, _tab, name = line.partition("\t")
            if value.startswith("ref: refs/heads/"):
                heads["HEAD"] = value.removeprefix("ref: refs/heads/")
            elif name.startswith("refs/heads/"):
                heads[name.removeprefix("refs/heads/")] = value
        return heads

    def _publish(self) -> None:
        self._git("add", "--all", "--", "index.json", *FOLDERS, allow=(0, 128))
        changed = self._git("status", "--porcelain", "--untracked-files=no").splitlines()
        if not changed:
            return
        who = () if self._git("config", "user.email", allow=(0, 1)) or os.environ.get("GIT_AUTHOR_EMAIL") else _NOBODY
        self._git(*who, "commit", "--quiet", "--message", _subject(changed))
        said = self._git("push", "--porcelain", self._remote, f"HEAD:refs/heads/{self._target}", allow=(0, 1))
        if any(line.startswith("!") and ("rejected" in line or "failed" in line) for line in said.splitlines()):
            if "pre-receive" in said or "protected" in said or "hook" in said:
                raise ExplainedError(
                    f"{self.place} does not take changes on branch {self._target}: {said.strip()}",
                    resource=self.place,
                    next_step="Write to a branch of your own (?branch=NAME) and open a pull request.",
                )
            raise Conflict(self._target)
        self.committed = self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str, allow: tuple[int, ...] = (0,)) -> str:
        environment = {**without_prompts(os.environ), "GIT_ALLOW_PROTOCOL": "https:ssh:file", "LC_ALL": "C"}
        try:
            # run_command belongs to a module; this is used without one, too.
            # pylint: disable-next=ansible-bad-function
            done = subprocess.run(
                ["git", "-C", str(self.path), *_SAFE, *arguments],
                env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=LONGEST_COMMAND,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise ExplainedError("git is not installed.", resource=self.place, next_step="Install git where the task runs.") from error
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"git {arguments[0]} took longer than {LONGEST_COMMAND} s") from error
        if done.returncode not in allow:
            raise self._failed(f"git says: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _failed(self, reason: str) -> ExplainedError:
        return ExplainedError(
            f"Cannot use the git repository {self.place}: {reason}.",
            resource=self.place,
            next_step="Check the address and the branch, and that git can log in without asking (a key, a credential helper).",
        )


def _subject(changed: list[str]) -> str:
    """Return the subject of a commit: which entries it changes, as the files say."""
    names = sorted({pathlib.PurePosixPath(line[3:]).stem for line in changed if line[3:].startswith("snapshots/")} - {"index"})
    return f"Change {', '.join(names)}" if names else "Change the index"
