# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a registry lies, as users write it: a path, or an address whose scheme names the kind of storage."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import parse_qs, urlsplit, urlunsplit

from ..errors import ExplainedError
from ..facts.buckets import is_bucket_name

_GITHUB = re.compile(r"github:(?P<owner>[A-Za-z0-9-]+)/(?P<repository>[A-Za-z0-9._-]+?)(@(?P<branch>.+))?")
# A subset of git-check-ref-format: nothing that git could take for an option, a range or another repository.
_BRANCH = re.compile(r"(?!.*(\.\.|//|\.lock$|\.lock/))[A-Za-z0-9][A-Za-z0-9._/-]*(?<![/.])")
_GIT_TRANSPORTS = ("https", "ssh", "file")
_KINDS = "Use a path, s3://bucket/prefix, https://…, github:owner/repository, or git+https://…, git+ssh://… or git+file:///…."


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a registry lies.

    kind: "path", "s3", "https" or "git". address: the path, the address, or what git clones.
    bucket, prefix: in S3; the prefix is empty or ends with a slash. branch: in git; None for the one that the remote prefers.
    base: the branch that a new one starts from; None for the one that the remote prefers.
    """

    kind: str
    address: str
    bucket: str = ""
    prefix: str = ""
    branch: str | None = None
    base: str | None = None


def parse_place(text: str) -> Place:
    """Return the Place that a text names; raises ExplainedError for one that we cannot use, or must not."""
    if found := _GITHUB.fullmatch(text):
        branch = _checked_branch(found["branch"] or "main", text)
        return Place("https", f"https://raw.githubusercontent.com/{found['owner']}/{found['repository']}/{branch}")
    scheme, separator, _rest = text.partition("://")
    if not separator:
        return Place("path", text)
    if scheme.startswith("git+"):
        return _git(text)
    parts = urlsplit(text)
    if parts.query or parts.fragment:
        raise _refused(text, "it has a query or a fragment")
    if scheme == "file":
        return Place("path", parts.path)
    if scheme == "s3":
        return _s3(text, parts.netloc, parts.path)
    if scheme == "https" and parts.hostname:
        if parts.username or parts.password:
            raise _refused(text, "an address must not hold a password")
        return Place("https", text.rstrip("/"))
    if scheme == "http":
        raise _refused(text, "http is neither private nor safe from changes on the way")
    raise _refused(text, f"{scheme} is no kind of storage that we know")


def _s3(text: str, bucket: str, path: str) -> Place:
    prefix = path.strip("/")
    if not is_bucket_name(bucket):
        raise _refused(text, f"{bucket!r} is no name of a bucket")
    if {".", ".."} & set(prefix.split("/")):
        raise _refused(text, "its prefix has a part . or ..")
    return Place("s3", text, bucket=bucket, prefix=f"{prefix}/" if prefix else "")


def _git(text: str) -> Place:
    parts = urlsplit(text.removeprefix("git+"))
    if parts.scheme not in _GIT_TRANSPORTS or not parts.path.strip("/") or (parts.hostname or "").startswith("-"):
        raise _refused(text, f"git is used over {', '.join(_GIT_TRANSPORTS)} only, with a path")
    if parts.password:
        raise _refused(text, "an address must not hold a password; use a credential helper or a key")
    options = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(options.keys() - {"branch", "base"}):
        raise _refused(text, f"{', '.join(unknown)} is no option; choose from branch, base")
    branch, base = (_checked_branch(options[name][-1], text) if name in options else None for name in ("branch", "base"))
    return Place("git", urlunsplit(parts._replace(query="", fragment="")), branch=branch, base=base)


def _checked_branch(branch: str, text: str) -> str:
    if not _BRANCH.fullmatch(branch):
        raise _refused(text, f"{branch!r} is no name of a branch")
    return branch


def _refused(text: str, reason: str) -> ExplainedError:
    return ExplainedError(f"The registry {text!r} cannot be used: {reason}.", resource=text, next_step=_KINDS)
