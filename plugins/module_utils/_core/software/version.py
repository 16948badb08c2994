# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Versions as Spack compares them, and the version of a recipe that is nearest to one that it lacks.

Source: Spack 1.2, lib/spack/spack/version/version_types.py.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from ..errors import ExplainedError

# docs/decisions/0008-spack-versions.md says why.
OLDEST_SPACK = "1.2"

# Ordered: `develop` is newer than `main`, and both are newer than any number.
_NEWEST = ("stable", "nightly", "trunk", "head", "master", "main", "develop")
_PRERELEASES = ("alpha", "beta", "rc")
_FINAL = len(_PRERELEASES)

# The rank of its kind, and a number or a word.
Component = tuple[int, Any]
Version = tuple[tuple[Component, ...], tuple[int, ...]]


@functools.lru_cache(maxsize=50_000)
def parse_version(text: str) -> Version:
    """Return a version as a value that sorts as Spack sorts it: letters before numbers before branches; rc before the release.

    Separators do not count: 2022.09.1 and 2022_9_1 are equal.
    """
    segments = re.findall(r"(\d+)|([a-zA-Z]+)", text)
    words = [word for _number, word in segments]
    prerelease: tuple[int, ...] = (_FINAL,)
    if len(segments) >= 3 and words[-2] in _PRERELEASES and segments[-1][0]:
        prerelease = (_PRERELEASES.index(words[-2]), int(segments[-1][0]))
        segments = segments[:-2]
    elif len(segments) >= 2 and words[-1] in _PRERELEASES:
        prerelease = (_PRERELEASES.index(words[-1]),)
        segments = segments[:-1]
    return tuple(_component(number, word) for number, word in segments), prerelease


def _component(number: str, word: str) -> Component:
    if number:
        return 1, int(number)
    return (2, _NEWEST.index(word)) if word in _NEWEST else (0, word)


def is_branch(version: str) -> bool:
    """Whether a version follows a branch, such as `develop`, and is therefore no fixed source."""
    return any(rank == 2 for rank, _value in parse_version(version)[0])


@functools.lru_cache(maxsize=200_000)
def satisfies(version: str, constraint: str) -> bool:
    """Whether a concrete version is one of those that a constraint allows.

    constraint: what follows the @ of a spec: "1.2" (also 1.2.5), "=1.2" (only itself), "1.2:1.4" (also 1.4.9), ":1.4,2.0:"; "" for any.
    """
    return not constraint or any(_in_part(parse_version(version), part.strip()) for part in constraint.split(","))


def _in_part(version: Version, part: str) -> bool:
    if part.startswith("="):
        return version == parse_version(part[1:])
    low, colon, high = part.partition(":")
    if not colon:
        high = low
    return (not low or version >= parse_version(low)) and (not high or version <= parse_version(high) or _begins(version, high))


def _begins(version: Version, prefix: str) -> bool:
    """A range includes what its upper end is the beginning of: 1.4 as an end includes 1.4.9."""
    release, prerelease = parse_version(prefix)
    return prerelease == (_FINAL,) and version[0][: len(release)] == release


def newest(versions: Iterable[str]) -> str | None:
    """Return the newest release, or the newest branch where there is no release; None of none."""
    choices = list(versions)
    releases = [version for version in choices if not is_branch(version)]
    return max(releases or choices, key=parse_version, default=None)


def nearest(constraint: str, versions: Iterable[str]) -> str | None:
    """Return the version to use in the place of one that cannot be had; None when there is none at all.

    The longest common beginning wins, so 11.3.0 becomes another 11.x before it becomes a 12; then the next newer number at the
    first difference, or the next older one where there is no newer; then the newest of those: 2.40.0 becomes 2.40.4, not 2.40.1.
    A release candidate is taken only where there is no release.
    """
    choices = list(versions)
    releases = [version for version in choices if not is_branch(version) and parse_version(version)[1] == (_FINAL,)]
    return _nearest(parse_version(_aim(constraint))[0], releases or choices)


def _aim(constraint: str) -> str:
    """Return the one version that a constraint is about: the upper end of its last part, else the lower."""
    low, _colon, high = constraint.rsplit(",", maxsplit=1)[-1].strip().lstrip("=").partition(":")
    return high or low


def _nearest(wanted: tuple[Component, ...], choices: list[str]) -> str | None:
    for depth, component in enumerate(wanted):
        values = {parse_version(choice)[0][depth] for choice in choices if len(parse_version(choice)[0]) > depth}
        if not values:
            break
        value = _next(component, values)
        choices = [choice for choice in choices if parse_version(choice)[0][depth : depth + 1] == (value,)]
        if value != component:
            break
    return newest(choices)


def _next(component: Component, values: set[Component]) -> Component:
    """Return the component itself, else the next newer, else the next older one."""
    return min((value for value in values if value >= component), default=max(values))


def check_spack(version: str) -> None:
    """Refuse a release of Spack that a build cannot use; a branch or a commit is taken as it is.

    version: as a seed names it: "1.2.2", "v1.2.2", "releases/v0.23".
    """
    release = re.fullmatch(r"(?:releases/)?v?(?P<number>\d+(?:\.\d+)+)", version)
    if release and parse_version(release["number"]) < parse_version(OLDEST_SPACK):
        raise ExplainedError(
            f"Spack {release['number']} cannot be used: builds need Spack {OLDEST_SPACK} or newer.",
            resource=version,
            next_step="Leave spack_version out or name a newer one; the playbook fix_seed then names packages that its recipes have.",
        )
